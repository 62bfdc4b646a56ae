"""The newest snapshot of a Delta table, read in the driver without a Spark job.

Read from Delta 4.4.0: `DeltaLog.scala` (forTable, update, unsafeVolatileSnapshot), `Snapshot.scala`
(metadata, schema, sizeInBytes, transactions) and `Checksum.scala` (VersionChecksum: tableSizeBytes,
allFiles), all in `spark/src/main/scala/org/apache/spark/sql/delta/`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from local_shim.jvm.fast_paths import fast_paths_enabled
from local_shim.jvm.scala import listed, mapping, optional
from local_shim.storage import delta_version

_RENAMED_OR_WIDENED = {"delta.columnMapping.mode", "delta.enableTypeWidening"}


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
    if delta_version(Path(path.removeprefix("file:"))) < 0:
        return None
    jvm: Any = spark._jvm
    none = jvm.scala.Option.empty()
    snapshot = _delta_log(spark, path).update(False, none, none)
    properties = mapping(snapshot.metadata().configuration())
    checksum = optional(snapshot.checksumOpt())
    size = snapshot.sizeInBytes() if checksum is None else checksum.tableSizeBytes()
    return Snapshot(
        StructType.fromJson(json.loads(snapshot.schema().json())),
        properties,
        int(size),
        int(snapshot.version()),
        _plain_files(snapshot, checksum, properties),
    )


def transactions(spark: SparkSession, path: str) -> dict[str, int]:
    """The last transaction version of each application in the table's log."""
    newest = _delta_log(spark, path).unsafeVolatileSnapshot().transactions()
    return {application: int(version) for application, version in mapping(newest).items()}


def _delta_log(spark: SparkSession, path: str) -> Any:
    jvm: Any = spark._jvm
    return jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, path)


def _plain_files(
    snapshot: Any, checksum: Any, properties: dict[str, str]
) -> tuple[str, ...] | None:
    """The data files that the version's checksum file lists, if they may be read directly.

    Reading them directly saves two jobs, state reconstruction and file pruning, which take most
    of the time of reading a small table. A table with deletion vectors, partitions, renamed or
    widened columns is more than its files, so it has none here.
    """
    if checksum is None or not fast_paths_enabled():
        return None
    files = optional(checksum.allFiles())
    is_partitioned = snapshot.metadata().partitionColumns().size() > 0
    if files is None or is_partitioned or _RENAMED_OR_WIDENED & set(properties):
        return None
    rows = listed(files)
    paths = tuple(str(file.path()) for file in rows)
    is_absolute_or_escaped = any(":" in path or "%" in path for path in paths)
    has_vectors = any(file.deletionVector() is not None for file in rows)
    return None if is_absolute_or_escaped or has_vectors else paths
