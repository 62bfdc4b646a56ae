"""SCD type 2: per key, one row for each run of upserts that agree on the tracked columns.

A target row can be read as events: an upsert at its start, and a delete at its end unless a next
row starts there. The state has the events that no target row shows exactly: upserts inside a run
(with their own values of untracked columns), and deletes that close nothing. Both together are all
events of the key, so folding them again puts late events in their place. An event that is in the
state twice, or in the state and in the target, does no harm.

The outcome frame has one row per event. Beside the columns of `outcome`: `seq`, `start` and `end`
of the target row, `event` (the row as the change brought it) and `supplied`.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from local_shim.cdc.fold.change_rows import (
    COUNTS,
    DELETE,
    UPSERT,
    counted,
    counts_of_event,
    rendered,
    same_rows,
)
from local_shim.cdc.fold.known_events import known_events
from local_shim.cdc.fold.outcome import DROP, PUT, Gather
from local_shim.cdc.fold.row_versions import row_versions
from local_shim.cdc.fold.sparse import carried, merged_leaves, with_merged_leaves
from local_shim.cdc.target_table.columns import TargetColumns

BATCH, STATE, TARGET = "batch", "state", "target"  # where an event is known from


def fold(
    events: DataFrame,
    state_rows: DataFrame | None,
    target_rows: DataFrame,
    columns: TargetColumns,
    sparse: bool,
    gather: Gather,
) -> DataFrame:
    """What a batch does to the rows of its keys."""
    all_events = _with_origin(events, state_rows, target_rows, columns)
    sequences = in_batch(_one_per_sequence(gather(all_events), columns, sparse))
    full = carried(sequences, columns) if sparse else sequences.withColumn("full", F.col("row"))
    return _edit_versions(row_versions(full, columns, ("key",)), columns, sparse)


def of_single_events(events: DataFrame) -> DataFrame:
    """What becomes of keys that have one event, and no row or event from before."""
    deleted = F.col("kind") == DELETE
    return events.select(
        "key",
        "seq",
        F.when(~deleted, PUT).alias("op"),
        "row",
        F.col("seq").alias("start"),
        F.when(F.lit(False), F.col("seq")).alias("end"),
        F.lit(False).alias("touches"),
        F.lit(False).alias("contested"),
        F.lit(0).alias("ties"),
        deleted.alias("for_state"),
        "kind",
        F.col("row").alias("event"),
        "supplied",
        *counts_of_event(),
    )


def in_batch(sequences: DataFrame) -> DataFrame:
    """Only the keys that the batch names; `Size.of_keys` may let others through."""
    named = F.max("events").over(Window.partitionBy("key"))
    return sequences.withColumn("named", named).where(F.col("named") > 0).drop("named")


def _with_origin(
    events: DataFrame,
    state_rows: DataFrame | None,
    target_rows: DataFrame,
    columns: TargetColumns,
) -> DataFrame:
    """All events of the keys, and whether each is known from the batch, state or target."""
    all_events = known_events(events, state_rows)
    origin = F.when(F.col("from_batch"), BATCH).otherwise(STATE)
    all_events = all_events.withColumn("origin", origin).drop("from_batch")
    return all_events.unionByName(_as_events(target_rows, columns), allowMissingColumns=True)


def _as_events(target_rows: DataFrame, columns: TargetColumns) -> DataFrame:
    """Target rows as events: an upsert at each start, and a delete at each end.

    `old` is the target row that has the event's sequence as its start (or, for a row without a
    start, as its end).
    """
    old = F.struct("end", "row")
    start, end = F.col("start"), F.col("end")
    upsert = _event(start, UPSERT, old)
    delete = _event(end, DELETE, F.lit(None))
    both = F.when(end.isNull(), F.array(upsert)).otherwise(F.array(upsert, delete))
    if columns.remainders:
        both = F.when(start.isNull(), F.array(_event(end, DELETE, old))).otherwise(both)
    text = rendered(F.col("row")).alias("rendered")
    return target_rows.select("key", "row", text, F.inline(both), F.lit(TARGET).alias("origin"))


def _event(seq: Column, kind: str, old: Column) -> Column:
    return F.struct(seq.alias("seq"), F.lit(kind).alias("kind"), old.alias("old"))


def _one_per_sequence(events: DataFrame, columns: TargetColumns, sparse: bool) -> DataFrame:
    """One event per key and sequence.

    | known from     | upsert                              | delete                          |
    |----------------|-------------------------------------|---------------------------------|
    | batch or state | a candidate, the greatest row wins  | always wins                     |
    | target         | a candidate unless the state knows  | counts unless a row starts here |
    |                | the event: the row may show later   | (then it is the end of the row  |
    |                | values of untracked columns         | before, and no delete)          |
    """
    origin, upsert = F.col("origin"), F.col("kind") == UPSERT
    in_target = origin == TARGET
    candidate = F.struct("row", "rendered", "supplied")
    event_text = F.when(upsert & ~in_target, F.col("rendered"))
    sequences = events.groupBy("key", "seq").agg(
        F.bool_or(~upsert & ~in_target).alias("event_delete"),
        F.bool_or(upsert & ~in_target).alias("event_upsert"),
        F.bool_or(upsert & in_target).alias("target_start"),
        F.bool_or(~upsert & in_target).alias("target_end"),
        F.bool_or(origin == BATCH).alias("in_batch"),
        F.bool_or(~upsert & (origin == STATE)).alias("state_delete"),
        F.max(F.when(upsert & (origin == STATE), F.col("rendered"))).alias("state_upsert"),
        F.max_by(candidate, event_text).alias("greatest"),
        F.min(event_text).alias("least_text"),
        F.max_by(candidate, F.when(upsert & in_target, F.col("rendered"))).alias("shown"),
        F.max_by("old", F.when(F.col("old").isNotNull(), 1)).alias("old"),
        *counted(origin == BATCH),
        *(merged_leaves(columns, upsert & ~in_target) if sparse else ()),
    )
    winner = sequences.select("*", *_winner())
    return with_merged_leaves(winner, columns) if sparse else winner


def _winner() -> tuple[Column, ...]:
    """Of the candidates of one sequence the one that counts, and whether others differ (`ties`)."""
    greatest, target_row = F.col("greatest"), F.col("shown")
    shown_is_event = F.col("target_start") & F.col("state_upsert").isNull()
    shown_wins = greatest.isNull() | (target_row["rendered"] > greatest["rendered"])
    winner = F.when(shown_is_event & shown_wins, target_row).otherwise(greatest)
    deleted = F.col("event_delete") | (F.col("target_end") & ~F.col("target_start"))
    delete_and_upsert = F.col("event_delete") & (F.col("event_upsert") | shown_is_event)
    different_rows = (F.col("least_text") < greatest["rendered"]) | (
        F.when(shown_is_event, target_row["rendered"]) != greatest["rendered"]
    )
    tied = F.col("in_batch") & (delete_and_upsert | F.coalesce(different_rows, F.lit(False)))
    return (
        shown_is_event.alias("shown_is_event"),
        F.coalesce(deleted, F.lit(False)).alias("deleted"),
        winner["row"].alias("row"),
        winner["rendered"].alias("rendered"),
        winner["supplied"].alias("supplied"),
        F.coalesce(tied, F.lit(False)).cast("int").alias("ties"),
    )


def _edit_versions(events: DataFrame, columns: TargetColumns, sparse: bool) -> DataFrame:
    remains = F.col("remains") if columns.remainders else F.lit(False)
    return events.select(
        "key",
        "seq",
        _operation(columns, remains).alias("op"),
        F.col("version_row").alias("row"),
        F.when(~remains, F.col("seq")).alias("start"),
        "end",
        F.col("old").isNotNull().alias("touches"),
        F.lit(False).alias("contested"),
        "ties",
        _is_for_state(columns, sparse).alias("for_state"),
        F.when(F.col("deleted"), DELETE).otherwise(UPSERT).alias("kind"),
        F.col("row").alias("event"),
        "supplied",
        *COUNTS,
    )


def _operation(columns: TargetColumns, remains: Column) -> Column:
    """Put a row that starts (or remains) here unless the target has it; drop one that is gone."""
    old, has_row = F.col("old"), F.col("starts") | remains
    same = same_rows(old["row"], F.col("version_row"), columns.selected)
    unchanged = same & old["end"].eqNullSafe(F.col("end"))
    differs = has_row & (old.isNull() | ~unchanged)
    return F.when(differs, PUT).when(~has_row & old.isNotNull(), DROP)


def _is_for_state(columns: TargetColumns, sparse: bool) -> Column:
    """Whether the target will not show this event exactly, and the state does not have it yet.

    A delete shows as the end that it closes. An upsert shows as the row that it starts, if that
    row has all of its values; one of a sparse flow never does, for its list is not in the target.
    An upsert that the state had with another row was replaced by a greater one, which is kept too.
    """
    deleted = F.col("deleted")
    own_values = F.lit(sparse) | ~same_rows(F.col("full"), F.col("version_row"), columns.selected)
    hidden = F.when(deleted, ~F.col("closes")).otherwise(~F.col("starts") | own_values)
    replaced = F.col("state_upsert").isNotNull()
    in_state = F.when(deleted, F.col("state_delete")).otherwise(
        F.col("state_upsert").eqNullSafe(F.col("rendered"))
    )
    return (hidden | replaced) & ~F.coalesce(in_state, F.lit(False))
