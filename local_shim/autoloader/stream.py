"""`spark.readStream.format("cloudFiles")`: a folder of files as a stream of rows."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from local_shim.autoloader.csv.csv_stream import csv_stream
from local_shim.autoloader.json.json_stream import json_stream
from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.autoloader.parquet import parquet_stream
from local_shim.autoloader.plain import plain_stream
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.autoloader.source_folder import source_folder
from local_shim.errors import DefinitionError

__all__ = ["SchemaStore", "open_stream"]


def open_stream(
    session: SparkSession,
    path: str,
    options: CloudFilesOptions,
    schema: StructType | None,
    store: SchemaStore,
    *,
    remember: bool,
    checkpoint: Path | None = None,
) -> DataFrame:
    """A streaming frame over the files at `path`, a local folder, file or glob.

    It has the files' columns by name, partition columns, `_rescued_data` if requested or if the
    schema was inferred, and the hidden `_metadata`. With a `checkpoint`, planning looks at those
    files only that it has not read. With `remember` the inferred schema is stored; else nothing
    is written.

    Raises UsageError for a missing path, DefinitionError for a format that is not supported or a
    schema that cannot be inferred, SchemaChanged if files bring new columns (they are stored: a
    restart reads them), FlowError if they must not.
    """
    stream_of = _BY_FORMAT.get(options.format)
    if stream_of is None:
        raise DefinitionError(
            "CF_UNSUPPORTED_FORMAT",
            f"cloudFiles.format '{options.format}' is not there yet in the local runner.",
            hint=f"these are: {', '.join(_BY_FORMAT)}",
        )
    folder = source_folder(session, path, options, store, checkpoint, remember=remember)
    return stream_of(folder, schema, store, remember=remember)


_BY_FORMAT = {
    "csv": csv_stream,
    "json": json_stream,
    "parquet": parquet_stream,
    "text": plain_stream,
    "binaryFile": plain_stream,
}
