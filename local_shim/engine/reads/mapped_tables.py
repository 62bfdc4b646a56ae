"""Tables of other catalogs whose rows lie on this machine: `--path samples.nyctaxi.trips=DIR`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from local_shim.engine.reads.sources import delta_frame
from local_shim.errors import UsageError
from local_shim.graph.names import TableName
from local_shim.reading.path_map import PathMap
from local_shim.sql_sources.file_format import format_of_files

_OF_CSV = {"header": "true", "inferSchema": "true"}


def mapped_table(
    spark: SparkSession,
    paths: PathMap,
    name: TableName,
    streaming: bool,
    options: Mapping[str, str],
) -> DataFrame | None:
    """A table that `--path` maps, in batch or as a stream; None for any other.

    [choice] A table that `--path` maps is a Delta table or files of one format, and CSV files have
    a header and inferred types.

    Raises UsageError if there is neither.
    """
    folder = paths.prefixes.get(str(name))
    if folder is None:
        return None
    if Path(folder, "_delta_log").is_dir():
        return delta_frame(spark, folder, streaming, options)
    file_format = format_of_files(folder)
    if file_format is None:
        raise UsageError(
            "TABLE_OR_VIEW_NOT_FOUND",
            f"'{folder}', which --path gives for the table '{name}', is neither a Delta table nor"
            " files of a known format.",
            hint="put files there that end in .parquet, .csv or .json",
        )
    reading = _OF_CSV if file_format == "csv" else {}
    rows = spark.read.format(file_format).options(**reading).load(folder)
    if not streaming:
        return rows
    reader = spark.readStream.format(file_format).schema(rows.schema)
    return reader.options(**reading).load(folder)
