"""SCD type 1: each key has the row of its event with the greatest sequence (behaviour 24, 52).

The state has one row per key: its newest sequence and whether that event was a delete. The
values are in the target. The outcome frame has one row per key; see `outcome`.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from local_shim.cdc.fold.change_rows import (
    COUNTS,
    DELETE,
    TRUNCATE,
    UPSERT,
    counted,
    counts_of_event,
    rendered,
)
from local_shim.cdc.fold.known_events import known_events
from local_shim.cdc.fold.leaf_columns import NAMES
from local_shim.cdc.fold.outcome import DROP, PUT, Bounds, Gather


def fold(
    events: DataFrame, state_rows: DataFrame | None, bounds: Bounds, gather: Gather
) -> DataFrame:
    """What a batch does to each key; `state_rows` has (key, seq, kind) of earlier batches."""
    all_events = known_events(events, state_rows)
    keys = _newest_per_key(_one_per_sequence(gather(all_events), bounds))
    return _decide_keys(keys if bounds.moved else keys.where(F.col("events") > 0), bounds)


def of_single_events(events: DataFrame) -> DataFrame:
    """What becomes of keys that have one event, and no row or event from before."""
    has_place, upsert = F.col("seq").isNotNull(), F.col("kind") == UPSERT
    return events.select(
        "key",
        F.when(has_place & upsert, PUT).alias("op"),
        F.when(upsert, F.col("row")).alias("row"),
        F.lit(False).alias("touches"),
        F.lit(False).alias("contested"),
        F.lit(0).alias("ties"),
        has_place.alias("for_state"),
        "seq",
        "kind",
        F.lit(None).cast(NAMES).alias("supplied"),
        *counts_of_event(),
    )


def decide_contested(outcome: DataFrame, target_rows: DataFrame) -> DataFrame:
    """Decides keys whose newest upsert has the sequence of the target's row: the greater wins."""
    current = target_rows.select("key", F.col("row").alias("current"))
    both = outcome.join(current, "key", "left")
    new, old = rendered(F.col("row")), rendered(F.col("current"))
    wins = F.col("contested") & (F.col("current").isNull() | (new > old))
    differs = F.col("contested") & F.coalesce(new != old, F.lit(False))
    decided = {
        "op": F.when(wins, PUT).otherwise(F.col("op")),
        "touches": F.col("touches") | wins,
        "ties": F.col("ties") + differs.cast("int"),
    }
    return both.withColumns(decided).select(*outcome.columns)


def _one_per_sequence(events: DataFrame, bounds: Bounds) -> DataFrame:
    """One row per key and sequence: a delete wins, then the greatest row as JSON."""
    from_batch, upsert = F.col("from_batch"), F.col("kind") == UPSERT
    counts = from_batch & (F.col("kind") != TRUNCATE) & bounds.alive(F.col("seq"))
    text = F.when(counts & upsert, F.col("rendered"))
    deleted = F.bool_or(counts & ~upsert)
    tied = (deleted & F.bool_or(counts & upsert)) | (F.min(text) < F.max(text))
    return events.groupBy("key", "seq").agg(
        F.bool_or(counts).alias("counts"),
        deleted.alias("deleted"),
        F.max_by("row", text).alias("row"),
        F.bool_or(~from_batch).alias("in_state"),
        F.bool_or(~from_batch & ~upsert).alias("state_delete"),
        F.coalesce(tied, F.lit(False)).alias("tied"),
        *counted(from_batch),
    )


def _newest_per_key(sequences: DataFrame) -> DataFrame:
    """Per key the newest event of the batch (`new`) and of the state (`old`)."""
    new = F.struct("seq", "deleted", "row")
    old = F.struct("seq", F.col("state_delete").alias("deleted"))
    return sequences.groupBy("key").agg(
        F.max_by(new, F.when(F.col("counts"), F.col("seq"))).alias("new"),
        F.max(F.when(F.col("in_state"), old)).alias("old"),
        F.sum(F.col("tied").cast("int")).alias("ties"),
        *(F.sum(name).alias(name) for name in COUNTS),
    )


def _decide_keys(keys: DataFrame, bounds: Bounds) -> DataFrame:
    """What becomes of each key.

    | new against old                  | op                      | kept in the state |
    |----------------------------------|-------------------------|-------------------|
    | newer upsert                     | put                     | yes               |
    | newer delete                     | drop, if a row is there | yes               |
    | none, but a newer truncate       | drop, if a row is there | no                |
    | older                            | nothing                 | no                |
    | equal sequence, two upserts      | nothing, but `contested` | no               |
    """
    new, old = F.col("new"), F.col("old")
    has_new, has_old = new.isNotNull(), old.isNotNull()
    newer = has_new & (~has_old | (_order(new) > _order(old)))
    equal = has_new & has_old & (new["seq"] == old["seq"])
    contested = equal & ~new["deleted"] & ~old["deleted"]
    upsert_and_delete = equal & (new["deleted"] != old["deleted"])
    was_there = has_old & ~old["deleted"] & bounds.survived(old["seq"])
    is_there = F.when(newer, ~new["deleted"]).otherwise(was_there & bounds.survives(old["seq"]))
    return keys.select(
        "key",
        F.when(newer & ~new["deleted"], PUT).when(was_there & ~is_there, DROP).alias("op"),
        new["row"].alias("row"),
        was_there.alias("touches"),
        contested.alias("contested"),
        (F.coalesce("ties", F.lit(0)) + upsert_and_delete.cast("int")).alias("ties"),
        newer.alias("for_state"),
        new["seq"].alias("seq"),
        F.when(new["deleted"], DELETE).otherwise(UPSERT).alias("kind"),
        F.lit(None).cast(NAMES).alias("supplied"),
        *COUNTS,
    )


def _order(event: Column) -> Column:
    """Of two events with one sequence the delete is the newer one."""
    return F.struct(event["seq"], event["deleted"])
