"""The newest snapshot of a Delta table, read in the driver without a Spark job.

The checksum file of a version holds the table's metadata and, for a table of few files, the files
themselves. Without it Delta reads the log.

Read from Delta 4.4.0: `DeltaLog.scala` (forTable, update, unsafeVolatileSnapshot), `Snapshot.scala`
(metadata, schema, sizeInBytes, transactions) and `Checksum.scala` (VersionChecksum: tableSizeBytes,
metadata, allFiles), all in `spark/src/main/scala/org/apache/spark/sql/delta/`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from local_shim.delta.log import checksum
from local_shim.jvm.fast_paths import fast_paths_enabled
from local_shim.jvm.scala import mapping
from local_shim.jvm.session import empty_frame, for_small_data
from local_shim.jvm.spark_plan import DELTA_FOLDER
from local_shim.storage import delta_version

_RENAMED_OR_WIDENED = {"delta.columnMapping.mode", "delta.enableTypeWidening"}
_PATTERN_LETTERS = set("*?[]{}\\")  # Spark reads a path with one of them as a pattern


@dataclass(frozen=True)
class Snapshot:
    """One version of a table; `bytes` are those of its live data files.

    `files` are their paths within the table's folder, if plain Parquet files are all of it.
    """

    schema: StructType
    properties: dict[str, str]
    bytes: int
    version: int
    files: tuple[str, ...] | None = None


def newest_snapshot(spark: SparkSession, path: str) -> Snapshot | None:
    """The newest version of the table at `path`; None if there is no table."""
    folder = Path(path.removeprefix("file:"))
    version = delta_version(folder)
    if version < 0:
        return None
    listed = checksum(folder, version) if fast_paths_enabled() else None
    if listed is None or "metadata" not in listed:
        return _from_log(spark, path)
    metadata = listed["metadata"]
    return Snapshot(
        StructType.fromJson(json.loads(metadata["schemaString"])),
        dict(metadata.get("configuration", {})),
        int(listed["tableSizeBytes"]),
        version,
        _plain_files(folder, listed),
    )


def plain_rows(spark: SparkSession, path: str, snapshot: Snapshot) -> DataFrame | None:
    """The rows of a snapshot, read from its Parquet files; None if they are not all of it.

    Delta reads a table through two jobs, state reconstruction and file pruning, or through its
    kernel, which prunes with a query of its own; both cost more than reading a small table does.
    """
    if snapshot.files is None:
        return None
    if not snapshot.files:
        return empty_frame(spark, snapshot.schema)
    reader = spark.read.schema(snapshot.schema).option(DELTA_FOLDER, path)
    return reader.parquet(*(f"{path}/{name}" for name in snapshot.files))


def newest_rows(spark: SparkSession, path: str) -> DataFrame | None:
    """The rows of the newest version, if its files are all of it and the session is for such.

    They are one partition, so that joins and aggregations need no exchange.
    """
    snapshot = newest_snapshot(spark, path) if for_small_data(spark) else None
    rows = None if snapshot is None else plain_rows(spark, path, snapshot)
    return None if rows is None else rows.coalesce(1)


def transactions(spark: SparkSession, path: str) -> dict[str, int]:
    """The last transaction version of each application in the table's log."""
    newest = _delta_log(spark, path).unsafeVolatileSnapshot().transactions()
    return {application: int(version) for application, version in mapping(newest).items()}


def _from_log(spark: SparkSession, path: str) -> Snapshot:
    jvm: Any = spark._jvm
    none = jvm.scala.Option.empty()
    snapshot = _delta_log(spark, path).update(False, none, none)
    return Snapshot(
        StructType.fromJson(json.loads(snapshot.schema().json())),
        mapping(snapshot.metadata().configuration()),
        int(snapshot.sizeInBytes()),
        int(snapshot.version()),
    )


def _delta_log(spark: SparkSession, path: str) -> Any:
    jvm: Any = spark._jvm
    return jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, path)


def _plain_files(folder: Path, listed: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The data files that a version's checksum file lists, if they may be read directly.

    A table with deletion vectors, partitions, renamed or widened columns is more than its files.
    """
    files, metadata = listed.get("allFiles"), listed["metadata"]
    if files is None or metadata["partitionColumns"] or _PATTERN_LETTERS & set(str(folder)):
        return None
    if _RENAMED_OR_WIDENED & set(metadata.get("configuration", {})):
        return None
    paths = tuple(str(file["path"]) for file in files)
    is_absolute_or_escaped = any(":" in path or "%" in path for path in paths)
    has_vectors = any(file.get("deletionVector") for file in files)
    return None if is_absolute_or_escaped or has_vectors else paths
