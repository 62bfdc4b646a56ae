"""Columns that come from Hive-style folders (`…/country=DE/…`)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from local_shim.autoloader.files import SourceFile, partition_values
from local_shim.autoloader.options import CloudFilesOptions
from local_shim.autoloader.rescue import FILE_PATH
from local_shim.autoloader.sql_text import literal

_NULL = "__HIVE_DEFAULT_PARTITION__"


def partition_names(
    files: Iterable[SourceFile], path: str, options: CloudFilesOptions
) -> tuple[str, ...]:
    """The asked-for partition columns, else the keys of the folders in the order met."""
    if options.partition_columns is not None:
        return options.partition_columns
    return tuple(dict.fromkeys(key for file in files for key in partition_values(file, path)))


def partition_value(column: str) -> str:
    """SQL text of the column's value in the file's path, NULL if the path has no such key."""
    pattern = literal(f"/{re.escape(column)}=([^/]*)/")
    found = f"nullif(regexp_extract({FILE_PATH}, {pattern}, 1), '')"
    # Once for the URI, once for Hive's own escapes; a plus sign is no blank here.
    plain = f"url_decode(replace({found}, '+', '%2B'))"
    return f"nullif(url_decode(replace({plain}, '+', '%2B')), {literal(_NULL)})"
