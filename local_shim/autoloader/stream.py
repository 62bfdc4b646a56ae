"""`spark.readStream.format("cloudFiles")`: a folder of files as a stream of rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.readwriter import DataStreamReader
from pyspark.sql.types import StringType, StructField, StructType

from local_shim.autoloader import headers, layout
from local_shim.autoloader.csv_plan import csv_frame
from local_shim.autoloader.files import SourceFile, is_partitioned, source_files
from local_shim.autoloader.options import CloudFilesOptions, parse_options
from local_shim.autoloader.partitions import partition_names
from local_shim.autoloader.progress import unread
from local_shim.autoloader.schema import found_shape, given_shape, learned_schema
from local_shim.autoloader.store import SchemaStore
from local_shim.errors import DefinitionError

_SAMPLED_FILES = 1000  # reference 8.1: inference looks at this many at most


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
    files = source_files(path, checked)
    new = unread(checkpoint, files)
    if checked.format == "csv":
        return _csv(session, path, checked, schema, store, files, new, remember)
    raise DefinitionError(
        "CF_UNSUPPORTED_FORMAT",
        f"cloudFiles.format '{checked.format}' is not there yet in the local runner.",
        hint="csv is",
    )


def _csv(
    session: SparkSession,
    path: str,
    options: CloudFilesOptions,
    schema: StructType | None,
    store: SchemaStore,
    files: list[SourceFile],
    new: list[SourceFile],
    remember: bool,
) -> DataFrame:
    dialect = headers.dialect_of(options)
    found = {file: headers.header_of(file, dialect) for file in new}
    partitions = partition_names(files, path, options)
    if schema is not None:
        shape = given_shape(schema, options, partitions)
    else:
        sampled = layout.union_of(list(found.values())[:_SAMPLED_FILES])
        fields = StructType([StructField(name, StringType()) for name in sampled])
        learned = learned_schema(fields, options, store, remember=remember)
        shape = found_shape(learned, options, partitions)
    otherwise = headers.header_of(files[-1], dialect) if files else None
    if otherwise is None:
        otherwise = headers.Header(tuple(field.name for field in shape.data))
    reader = _reader(session, options, is_partitioned(files, path))
    return csv_frame(reader, path, options, shape, layout.layout_of(found, otherwise))


def _reader(
    session: SparkSession, options: CloudFilesOptions, partitioned: bool
) -> DataStreamReader:
    reader = session.readStream.option("maxFilesPerTrigger", str(options.max_files))
    # Spark forgets, and then ignores, files a week older than the newest; Auto Loader does not.
    reader = reader.option("maxFileAge", "36500d")
    if options.recursive or partitioned:
        reader = reader.option("recursiveFileLookup", "true")
    if options.path_glob_filter:
        reader = reader.option("pathGlobFilter", options.path_glob_filter)
    return reader
