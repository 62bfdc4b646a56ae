"""All events that are known of a batch's keys: those of the batch and those of the state."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from local_shim.cdc.fold.change_rows import FLAGS, payload

_COLUMNS = ("key", "seq", "sys", "kind", "row", "supplied")


def known_events(events: DataFrame, state_rows: DataFrame | None) -> DataFrame:
    """The events of both frames, with `from_batch` and `rendered`.

    `from_batch` tells the batch's own events. `rendered` is the row as JSON: the greatest wins
    among upserts of one sequence. A state row has no flags, and a `row` only where the state keeps
    whole rows.
    """
    columns = [name for name in _COLUMNS if name in events.columns]
    both = events.select(*columns, *FLAGS, F.lit(True).alias("from_batch"))
    if state_rows is not None:
        present = [name for name in columns if name in state_rows.columns]
        earlier = state_rows.select(*present, F.lit(False).alias("from_batch"))
        both = both.unionByName(earlier, allowMissingColumns=True)
    return both.withColumn("rendered", payload(F.col("row"), F.col("supplied")))
