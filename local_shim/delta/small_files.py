"""Small data files of a table, put together so that reading it does not get slower by the update.

Each micro-batch adds a file. Databricks compacts the tables of a pipeline by itself; Delta without
Databricks does so only after commits of its older connector, and only where a property asks for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from local_shim.delta.kernel import identifier
from local_shim.delta.log import checksum
from local_shim.jvm.configuration import settings
from local_shim.storage import delta_version

AUTO_COMPACT = "delta.autoOptimize.autoCompact"
# Delta's own auto compaction (4.4.0) waits for 50 files. On one machine 20 cost less: a file takes
# 3 ms of each read, and putting them together 300 ms.
_MOST_SMALL_FILES = 20
_SMALL_BYTES, _TARGET_BYTES = 64 * 2**20, 128 * 2**20  # as there
_SIZES = {
    "spark.databricks.delta.optimize.minFileSize": str(_SMALL_BYTES),
    "spark.databricks.delta.optimize.maxFileSize": str(_TARGET_BYTES),
}
_CLUSTERED_BYTES = _TARGET_BYTES  # above, OPTIMIZE would write all rows of a clustered table again


def has_many_small_files(folder: Path, *, clustered: bool) -> bool:
    """Whether a partition of the table has so many small files that OPTIMIZE is due."""
    newest = checksum(folder, delta_version(folder))
    if newest is None or (clustered and newest["tableSizeBytes"] > _CLUSTERED_BYTES):
        return False
    return _most_small_files(newest) >= _MOST_SMALL_FILES


def optimize(spark: SparkSession, folder: Path) -> None:
    """Puts the small files together in one commit that changes no row."""
    with settings(spark, _SIZES):
        spark.sql(f"OPTIMIZE {identifier(folder)}")


def _most_small_files(newest: Mapping[str, Any]) -> int:
    """The greatest number of small files in a partition; 0 if the checksum does not tell."""
    if "allFiles" in newest:
        small = (file for file in newest["allFiles"] if file["size"] < _SMALL_BYTES)
        return max(Counter(str(file["partitionValues"]) for file in small).values(), default=0)
    if newest["metadata"]["partitionColumns"] or "fileSizeHistogram" not in newest:
        return 0
    sizes = newest["fileSizeHistogram"]
    bins = zip(sizes["sortedBinBoundaries"], sizes["fileCounts"], strict=True)
    return sum(count for smallest, count in bins if smallest < _SMALL_BYTES)
