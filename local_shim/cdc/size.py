"""How much there is to do; small work goes to one task, without exchanges."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from local_shim.cdc.events import TRUNCATE

SMALL_BYTES = 4 * 2**20
SMALL_ROWS = 50_000
_UNKNOWN = 2**62


@dataclass(frozen=True)
class Size:
    """What is known of batch, table and memory before looking at them."""

    changes: int  # bytes, Spark's estimate
    table: int  # bytes
    remembered: int  # rows

    @property
    def small(self) -> bool:
        """Whether exchanges between tasks would cost more than the work itself."""
        return (
            self.changes < SMALL_BYTES and self.table < SMALL_BYTES and self.remembered < SMALL_ROWS
        )

    def gather(self, pool: DataFrame) -> DataFrame:
        """The same rows, those of one key in one task."""
        return pool.coalesce(1) if self.small else pool.repartition("key")

    def of_keys(self, rows: DataFrame, events: DataFrame) -> DataFrame:
        """The rows that belong to the batch's keys; all of them where finding out costs more."""
        if self.small:
            return rows
        keys = events.where(F.col("kind") != TRUNCATE).select("key").distinct()
        return rows.join(F.broadcast(keys), "key", "left_semi")


def bytes_of(changes: DataFrame) -> int:
    """Spark's estimate of a frame's size; rows that came from Python count as few."""
    found = int(changes._jdf.queryExecution().optimizedPlan().stats().sizeInBytes())
    return 0 if found > _UNKNOWN else found
