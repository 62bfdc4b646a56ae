"""Columns that come from Hive-style folders (`…/country=DE/…`)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from pyspark.sql.types import StringType, StructField

from local_shim.autoloader.files.listing import SourceFile, partition_values
from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.autoloader.rescue import FILE_PATH
from local_shim.autoloader.text_types import Patterns, type_of
from local_shim.sql_text import literal

# Spark reads timestamps in folder names in this form only.
_OF_FOLDERS = Patterns(timestamp="yyyy-MM-dd HH:mm:ss")
_NULL = "__HIVE_DEFAULT_PARTITION__"


def partition_fields(
    files: Iterable[SourceFile], path: str, options: CloudFilesOptions
) -> list[StructField]:
    """The asked-for partition columns, else the keys of the folders in the order met.

    They are strings, or of the type that all values have if types are inferred.
    """
    values: dict[str, list[str]] = {name: [] for name in options.partition_columns or ()}
    for folder in dict.fromkeys(os.path.dirname(file.path) for file in files):
        for key, value in partition_values(folder, path).items():
            if options.partition_columns is None or key in values:
                values.setdefault(key, []).append(value)
    if not options.infer_column_types:
        return [StructField(name, StringType()) for name in values]
    return [StructField(name, type_of(texts, _OF_FOLDERS)) for name, texts in values.items()]


def partition_value(column: str) -> str:
    """SQL text of the column's value in the file's path, NULL if the path has no such key."""
    pattern = literal(f"/{re.escape(column)}=([^/]*)/")
    value = f"nullif(regexp_extract({FILE_PATH}, {pattern}, 1), '')"
    # Once for the URI, once for Hive's own escapes; a plus sign is no blank here.
    plain = f"url_decode(replace({value}, '+', '%2B'))"
    return f"nullif(url_decode(replace({plain}, '+', '%2B')), {literal(_NULL)})"
