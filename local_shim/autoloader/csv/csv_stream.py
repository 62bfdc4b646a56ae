"""CSV streams: the headers of the files, the columns of the stream, and its frame."""

from __future__ import annotations

from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from local_shim.autoloader.csv.csv_columns import csv_frame
from local_shim.autoloader.csv.header_groups import group_headers
from local_shim.autoloader.csv.headers import (
    Dialect,
    Header,
    dialect_of,
    ends_with_line_feed,
    header_of,
)
from local_shim.autoloader.csv.inference import csv_fields
from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.autoloader.schema import (
    StreamColumns,
    columns_of_declared,
    columns_of_inferred,
    inferred_or_stored_schema,
)
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.autoloader.source_folder import SourceFolder


def csv_stream(
    folder: SourceFolder, schema: StructType | None, store: SchemaStore, *, remember: bool
) -> DataFrame:
    """The stream over CSV files; see `open_stream`."""
    if schema is None:
        folder = replace(folder, options=_with_header(folder.options, store))
    dialect = dialect_of(folder.options)
    headers = {file: header_of(file, dialect) for file in folder.new}
    if schema is not None:
        expected = columns_of_declared(schema, folder.options, folder.partitions)
    else:
        # The first schema is that of all files, also of those that are left out.
        sample = folder.files if store.latest() is None else folder.new
        inferred = csv_fields(
            {file: header_of(file, dialect) for file in sample}, dialect, folder.options
        )
        file_schema = inferred_or_stored_schema(inferred, folder.options, store, remember=remember)
        expected = columns_of_inferred(file_schema, folder.options, folder.partitions)
    headers = {file: _named(header, expected, dialect) for file, header in headers.items()}
    line_feeds = all(ends_with_line_feed(file, dialect) for file in folder.new)
    header_groups = group_headers(headers, _expected(folder, expected, dialect))
    return csv_frame(folder, expected, header_groups, line_feeds=line_feeds)


def _with_header(options: CloudFilesOptions, store: SchemaStore) -> CloudFilesOptions:
    """The options for inference, which takes the first line for a header unless `header` is false.

    Columns of a storage that are named by position were inferred before this was so; they stay.
    """
    stored = store.latest()
    if options.get("header") or (stored is not None and "_c0" in stored.names):
        return options
    return replace(options, reader=(*options.reader, ("header", "true")))


def _expected(folder: SourceFolder, expected: StreamColumns, dialect: Dialect) -> Header:
    """The header to expect if there is no new file: the newest file's, else the schema's own."""
    last = header_of(folder.files[-1], dialect) if folder.files else None
    header = _named(last, expected, dialect)
    return header or Header(tuple(field.name for field in expected.data))


def _named(header: Header | None, expected: StreamColumns, dialect: Dialect) -> Header | None:
    """Without header lines, fields take the names of the schema's columns in turn."""
    if header is None or dialect.header:
        return header
    names = [field.name for field in expected.data]
    return Header((*names, *header.names[len(names) :]))
