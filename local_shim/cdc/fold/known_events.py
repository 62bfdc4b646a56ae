"""All events that are known of a batch's keys: those of the batch and those of the state."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from local_shim.cdc.fold.change_rows import FLAGS, payload


def known_events(
    events: DataFrame, state_rows: DataFrame | None, columns: tuple[str, ...]
) -> DataFrame:
    """These columns and the flags of both frames; `from_batch` tells the batch's own events.

    A state row has no flags, and `row` and `rendered` only where the state keeps whole rows.
    """
    batch = events.select(*columns, *FLAGS, F.lit(True).alias("from_batch"))
    if state_rows is None:
        return batch
    if "row" in state_rows.columns:
        text = payload(F.col("row"), F.col("supplied"))
        state_rows = state_rows.withColumn("rendered", text)
    present = [name for name in columns if name in state_rows.columns]
    earlier = state_rows.select(*present, F.lit(False).alias("from_batch"))
    return batch.unionByName(earlier, allowMissingColumns=True)
