"""How much work a batch is; small work runs in one task, without exchanges."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from local_shim.cdc.fold.change_rows import TRUNCATE
from local_shim.cdc.write.table import SMALL_TABLE_BYTES
from local_shim.jvm.fast_paths import fast_paths_enabled
from local_shim.jvm.session import CODE_GENERATION, LARGE_DATA

SMALL_BYTES = 4 * 2**20
SMALL_ROWS = 50_000
_FEW_BYTES = 64 * 2**20
# Column and file pruning cost more than they save on a small table.
_PLAIN = {
    "spark.sql.constraintPropagation.enabled": "false",
    "spark.sql.optimizer.expression.nestedPruning.enabled": "false",
    "spark.sql.optimizer.nestedSchemaPruning.enabled": "false",
}
# From some thousand rows on, generated code pays off in the first batch.
_COMPILED = {name: LARGE_DATA[name] for name in CODE_GENERATION}
_INTERPRETED_BYTES = 2**19
_ONE_EACH = {"spark.sql.shuffle.partitions": str(os.cpu_count() or 2)}


@dataclass(frozen=True)
class Size:
    """What is known of batch, table and state without a job."""

    changes: int  # bytes, Spark's estimate
    table: int  # bytes
    state: int  # rows

    @property
    def profile(self) -> Mapping[str, str]:
        """Session settings that fit the work."""
        if not fast_paths_enabled():
            return LARGE_DATA
        if self.table < SMALL_TABLE_BYTES:
            tiny = self.table + self.changes < _INTERPRETED_BYTES
            return _PLAIN if tiny else {**_PLAIN, **_COMPILED}
        if self.changes >= _FEW_BYTES:
            return LARGE_DATA
        # Few changes on a big table: all shuffles are small, so adaptive execution finds nothing.
        return {**LARGE_DATA, "spark.sql.adaptive.enabled": "false", **_ONE_EACH}

    @property
    def small(self) -> bool:
        """Whether exchanges between tasks would cost more than the work itself."""
        return self.changes < SMALL_BYTES and self.table < SMALL_BYTES and self.state < SMALL_ROWS

    def gather(self, pool: DataFrame) -> DataFrame:
        """The same rows, those of one key in one task."""
        return pool.coalesce(1) if self.small else pool.repartition("key")

    def of_keys(self, rows: DataFrame, events: DataFrame) -> DataFrame:
        """The rows that belong to the batch's keys; all of them where finding out costs more."""
        if self.small:
            return rows
        # By hash: comparing one number is cheaper than comparing a struct. The fold leaves out
        # other keys with the same hash, as it does for small tables.
        key_hash = F.xxhash64("key").alias("key_hash")
        hashes = events.where(F.col("kind") != TRUNCATE).select(key_hash).distinct()
        hashed = rows.withColumn("key_hash", key_hash)
        return hashed.join(F.broadcast(hashes), "key_hash", "left_semi").drop("key_hash")
