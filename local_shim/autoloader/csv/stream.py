"""CSV: which headers there are, which columns that makes, and the stream over them."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from local_shim.autoloader.csv.columns import csv_frame
from local_shim.autoloader.csv.header_groups import layout_of
from local_shim.autoloader.csv.headers import (
    Dialect,
    Header,
    dialect_of,
    ends_with_line_feed,
    header_of,
)
from local_shim.autoloader.csv.inference import csv_fields
from local_shim.autoloader.schema import StreamColumns, found_shape, given_shape, learned_schema
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.autoloader.source_folder import SourceFolder


def csv_stream(
    place: SourceFolder, schema: StructType | None, store: SchemaStore, *, remember: bool
) -> DataFrame:
    """The stream over CSV files; see `open_stream`."""
    dialect = dialect_of(place.options)
    headers = {file: header_of(file, dialect) for file in place.new}
    if schema is not None:
        shape = given_shape(schema, place.options, place.partitions)
    else:
        # The first schema is that of all files, also of those that are left out.
        sample = place.files if store.latest() is None else place.new
        found = csv_fields(
            {file: header_of(file, dialect) for file in sample}, dialect, place.options
        )
        learned = learned_schema(found, place.options, store, remember=remember)
        shape = found_shape(learned, place.options, place.partitions)
    headers = {file: _named(header, shape, dialect) for file, header in headers.items()}
    line_feeds = all(ends_with_line_feed(file, dialect) for file in place.new)
    layout = layout_of(headers, _expected(place, shape, dialect))
    return csv_frame(place, shape, layout, line_feeds=line_feeds)


def _expected(place: SourceFolder, shape: StreamColumns, dialect: Dialect) -> Header:
    """The header to expect if there is no new file: the newest file's, else the schema's own."""
    last = header_of(place.files[-1], dialect) if place.files else None
    header = _named(last, shape, dialect)
    return header or Header(tuple(field.name for field in shape.data))


def _named(header: Header | None, shape: StreamColumns, dialect: Dialect) -> Header | None:
    """Without header lines, fields take the names of the schema's columns in turn."""
    if header is None or dialect.header:
        return header
    names = [field.name for field in shape.data]
    return Header((*names, *header.names[len(names) :]))
