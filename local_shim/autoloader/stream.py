"""`spark.readStream.format("cloudFiles")`: a folder of files as a stream of rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from local_shim.autoloader.csv.stream import csv_stream
from local_shim.autoloader.json.stream import json_stream
from local_shim.autoloader.options.parse import parse_options
from local_shim.autoloader.parquet import parquet_stream
from local_shim.autoloader.plain import plain_stream
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.autoloader.source_folder import landing
from local_shim.errors import DefinitionError

__all__ = ["SchemaStore", "open_stream"]


def open_stream(
    session: SparkSession,
    path: str,
    options: Mapping[str, str],
    schema: StructType | None,
    store: SchemaStore,
    *,
    remember: bool,
    checkpoint: Path | None = None,
) -> DataFrame:
    """A streaming frame over the files at `path`, a local folder, file or glob.

    It has the files' columns by name, partition columns, `_rescued_data` if asked for or if the
    schema was found, and the hidden `_metadata`. With `checkpoint` only files that it has not
    read are looked at. With `remember` the schema found is stored; else nothing is written.

    Raises UsageError for a missing path, DefinitionError for wrong options or a schema that
    cannot be found, SchemaChanged if files bring new columns (stored: try again), FlowError if
    they must not.
    """
    checked = parse_options(options)
    find = _BY_FORMAT.get(checked.format)
    if find is None:
        raise DefinitionError(
            "CF_UNSUPPORTED_FORMAT",
            f"cloudFiles.format '{checked.format}' is not there yet in the local runner.",
            hint=f"these are: {', '.join(_BY_FORMAT)}",
        )
    place = landing(session, path, checked, store, checkpoint, remember=remember)
    return find(place, schema, store, remember=remember)


_BY_FORMAT = {
    "csv": csv_stream,
    "json": json_stream,
    "parquet": parquet_stream,
    "text": plain_stream,
    "binaryFile": plain_stream,
}
