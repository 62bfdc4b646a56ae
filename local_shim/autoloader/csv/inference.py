"""Infers the columns of CSV files from a sample of their records."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from pyspark.sql.types import DataType, StringType, StructField, StructType

from local_shim.autoloader.csv.header_groups import union_of
from local_shim.autoloader.csv.headers import Dialect, Header, sample_rows
from local_shim.autoloader.files.listing import SourceFile
from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.autoloader.text_types import Patterns, common, type_of

_SAMPLED_FILES = 1000
_SAMPLED_ROWS = 1000  # of a file; a later value that does not fit is rescued, not lost


def csv_fields(
    headers: Mapping[SourceFile, Header | None], dialect: Dialect, options: CloudFilesOptions
) -> StructType:
    """Columns of all the files, in the order of the headers, all text unless types are inferred."""
    names = union_of(headers.values())
    types: dict[str, DataType] = {}
    if options.infer_column_types:
        patterns = Patterns(
            options.get("dateformat"),
            options.get("timestampformat"),
            prefer_date=options.flag("preferDate", default=True),
        )
        for file, header in list(headers.items())[:_SAMPLED_FILES]:
            for name, kind in _types_of_file(file, header, dialect, patterns).items():
                types[name.lower()] = common(types.get(name.lower(), kind), kind)
    return StructType([StructField(name, types.get(name.lower(), StringType())) for name in names])


@lru_cache(maxsize=10_000)
def _types_of_file(
    file: SourceFile, header: Header | None, dialect: Dialect, patterns: Patterns
) -> Mapping[str, DataType]:
    names = header.names if header else ()
    rows = sample_rows(file, dialect, _SAMPLED_ROWS) if names else []
    columns = ([row[i] for row in rows if i < len(row)] for i in range(len(names)))
    texts = {
        name: [text for text in column if text and text != dialect.null_value]
        for name, column in zip(names, columns, strict=True)
    }
    return {name: type_of(column, patterns) for name, column in texts.items() if column}
