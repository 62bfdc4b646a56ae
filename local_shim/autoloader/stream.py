"""`spark.readStream.format("cloudFiles")`: a folder of files as a stream of rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from local_shim.autoloader.csv.csv_stream import csv_stream
from local_shim.autoloader.json.json_stream import json_stream
from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.autoloader.plain import plain_stream, variant_stream
from local_shim.autoloader.schema_store import NoSchemas, SchemaStore
from local_shim.autoloader.source_folder import SourceFolder, source_folder
from local_shim.autoloader.typed_files.typed_stream import typed_stream
from local_shim.autoloader.xml.xml_stream import xml_stream
from local_shim.errors import SetupError
from local_shim.jvm.classpath.jars import avro_jar

__all__ = ["SchemaStore", "open_batch", "open_stream"]


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
    is written, and the frame is for analysis alone.

    Raises UsageError for a missing path, SetupError for Avro files without the module for them,
    DefinitionError for a schema that cannot be inferred, SchemaChanged if files bring new columns
    (they are stored: a restart reads them), FlowError if they must not.
    """
    folder = source_folder(session, path, options, store, checkpoint, remember=remember)
    return _rows(folder, schema, store, remember=remember)


def open_batch(
    session: SparkSession, path: str, options: CloudFilesOptions, schema: StructType | None
) -> DataFrame:
    """A batch frame over all files at `path`: the rows and columns of a new stream.

    Nothing is remembered. Errors are those of `open_stream`.
    """
    store = NoSchemas()
    folder = source_folder(session, path, options, store, None, remember=False)
    return _rows(replace(folder, streaming=False, runs=True), schema, store, remember=False)


def _rows(
    folder: SourceFolder, schema: StructType | None, store: SchemaStore, *, remember: bool
) -> DataFrame:
    if folder.options.format == "avro" and not avro_jar().exists():
        raise SetupError(
            "AVRO_JAR_MISSING",
            "Avro files need Spark's module for Avro, which is not installed.",
            hint="go online once and run `make install`",
        )
    if folder.options.get("singlevariantcolumn"):
        return variant_stream(folder)
    return _BY_FORMAT[folder.options.format](folder, schema, store, remember=remember)


_BY_FORMAT = {
    "avro": typed_stream,
    "binaryFile": plain_stream,
    "csv": csv_stream,
    "json": json_stream,
    "orc": typed_stream,
    "parquet": typed_stream,
    "text": plain_stream,
    "xml": xml_stream,
}
