"""Sparse upserts: those that leave some columns as they are (behaviour 53, 54).

Each leaf column has the value of the newest event that supplied it; a delete (and, for SCD1, a
truncate) supplies NULL for every leaf. Among events of one sequence the greater value wins, leaf
by leaf, so that the result does not depend on which batch brought which.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from local_shim.cdc.fold.change_rows import (
    COUNTS,
    DELETE,
    TRUNCATE,
    UPSERT,
    counted,
    payload,
    rendered,
    same_rows,
)
from local_shim.cdc.fold.known_events import known_events
from local_shim.cdc.fold.leaf_columns import NAMES, LeafColumn, is_supplied, leaves_of, rebuilt
from local_shim.cdc.fold.outcome import DROP, PUT, Bounds, Gather
from local_shim.cdc.target_table.columns import TargetColumns


def merged_leaves(columns: TargetColumns, counts: Column) -> tuple[Column, ...]:
    """Aggregates: per leaf a struct with the greatest supplied value, or NULL if there is none."""
    return tuple(
        F.max_by(
            F.struct(leaf.of(F.col("row")).alias("value")),
            F.when(counts & is_supplied(leaf, F.col("supplied")), _text(leaf.of(F.col("row")))),
        ).alias(f"leaf{i}")
        for i, leaf in enumerate(leaves_of(columns))
    )


def with_merged_leaves(events: DataFrame, columns: TargetColumns) -> DataFrame:
    """Events whose `row`, `supplied` and `rendered` are those of their merged leaves."""
    leaves = leaves_of(columns)
    values = {leaf: _or_shown(leaf, F.col(f"leaf{i}")) for i, leaf in enumerate(leaves)}
    names = [F.when(value.isNotNull(), leaf.name) for leaf, value in values.items()]
    listed = F.array_compact(F.array(*names))
    supplied = F.when(F.size(listed) < len(leaves), listed).cast(NAMES)
    row = rebuilt(columns, F.col("key"), lambda leaf: values[leaf]["value"])
    merged = events.withColumn("row", row).withColumn("supplied", supplied)
    return merged.withColumn("rendered", payload(F.col("row"), F.col("supplied")))


def carried(events: DataFrame, columns: TargetColumns, *by: str) -> DataFrame:
    """Adds `full`: each event's row, with the leaves it leaves alone taken from earlier events.

    Events of one key, and of one value of the columns `by`, belong together. A delete begins a
    new `life`, into which nothing is carried.
    """
    order = Window.partitionBy("key", *by).orderBy("seq")
    lives = events.withColumn("life", F.sum(F.col("deleted").cast("int")).over(order))
    life = Window.partitionBy("key", *by, "life").orderBy("seq")
    names = {leaf: f"carried{i}" for i, leaf in enumerate(leaves_of(columns))}
    latest = {
        name: F.last(_supplied_value(leaf), ignorenulls=True).over(life)
        for leaf, name in names.items()
    }
    row = rebuilt(columns, F.col("key"), lambda leaf: F.col(names[leaf])["value"])
    return lives.withColumns(latest).withColumn("full", row).drop(*names.values())


def fold_sparse(
    events: DataFrame,
    state_rows: DataFrame | None,
    target_rows: DataFrame,
    columns: TargetColumns,
    bounds: Bounds,
    gather: Gather,
) -> DataFrame:
    """SCD1 with sparse upserts; `state_rows` has the sequences and leaves of earlier events."""
    keys = _newest_per_key(gather(known_events(events, state_rows)), columns, bounds)
    keys = keys if bounds.moved else keys.where(F.col("events") > 0)
    current = target_rows.select("key", F.col("row").alias("current"))
    places = {leaf: i for i, leaf in enumerate(leaves_of(columns))}
    row = rebuilt(columns, F.col("key"), lambda leaf: _leaf_value(leaf, places[leaf]))
    has_row = F.col("current").isNotNull()
    changed = ~has_row | ~same_rows(F.col("row"), F.col("current"), columns.selected)
    both = keys.join(current, "key", "left").withColumn("row", row)
    return both.select(
        "key",
        F.when(F.col("lives") & changed, PUT).when(~F.col("lives") & has_row, DROP).alias("op"),
        "row",
        has_row.alias("touches"),
        F.lit(False).alias("contested"),
        "ties",
        F.lit(True).alias("for_state"),
        "kind",
        *COUNTS,
    )


def _newest_per_key(events: DataFrame, columns: TargetColumns, bounds: Bounds) -> DataFrame:
    """Per key whether it exists (`lives`), and per leaf the newest event that supplied it."""
    key = Window.partitionBy("key")
    sequence = Window.partitionBy("key", "seq")
    counts = (F.col("kind") != TRUNCATE) & bounds.alive(F.col("seq"))
    last_delete = F.max(F.when(counts & (F.col("kind") == DELETE), F.col("seq"))).over(key)
    after_delete = F.col("last_delete").isNull() | (F.col("seq") > F.col("last_delete"))
    text = F.when(F.col("from_batch"), F.col("rendered"))
    tied = F.col("from_batch") & (F.min(text).over(sequence) < F.max(text).over(sequence))
    live = (F.col("kind") == UPSERT) & counts & after_delete
    marked = events.withColumns({"last_delete": last_delete, "tied": tied}).withColumn("live", live)
    return marked.groupBy("key").agg(
        F.coalesce(F.bool_or("live"), F.lit(False)).alias("lives"),
        F.max(F.when(F.col("from_batch") & (F.col("kind") == DELETE), DELETE)).alias("kind"),
        *counted(F.col("from_batch")),
        F.size(F.collect_set(F.when(F.col("tied"), F.col("seq")))).alias("ties"),
        *(_newest(leaf).alias(f"leaf{i}") for i, leaf in enumerate(leaves_of(columns))),
    )


def _newest(leaf: LeafColumn) -> Column:
    """A struct: the batch's newest value of a leaf and its sequence, and the state's sequence."""
    supplied = F.col("live") & is_supplied(leaf, F.col("supplied"))
    value = leaf.of(F.col("row"))
    order = F.when(supplied & F.col("from_batch"), F.struct("seq", _text(value).alias("text")))
    batch = F.max_by(F.struct("seq", value.alias("value")), order)
    state_seq = F.max(F.when(supplied & ~F.col("from_batch"), F.col("seq")))
    return F.struct(batch.alias("batch"), state_seq.alias("state_seq"))


def _leaf_value(leaf: LeafColumn, place: int) -> Column:
    """The value of one leaf; that of earlier batches is in the target.

    | batch supplied it      | state supplied it          | value                     |
    |------------------------|----------------------------|---------------------------|
    | yes                    | no, or at a lower sequence | the batch's               |
    | yes                    | at the same sequence       | the greater of both       |
    | no, or at a lower one  | yes                        | the target's              |
    | no                     | no                         | NULL                      |
    """
    batch = F.col(f"leaf{place}")["batch"]
    state_seq = F.col(f"leaf{place}")["state_seq"]
    current = F.when(F.col("current").isNotNull(), leaf.of(F.col("current")))
    batch_is_newer = state_seq.isNull() | (batch["seq"] > state_seq)
    batch_is_greater = F.coalesce(_text(batch["value"]) > _text(current), F.lit(True))
    batch_wins = batch_is_newer | ((batch["seq"] == state_seq) & batch_is_greater)
    return F.when(batch.isNotNull() & batch_wins, batch["value"]).when(
        state_seq.isNotNull(), current
    )


def _or_shown(leaf: LeafColumn, merged: Column) -> Column:
    """The merged leaf, or that of the target's row where only the row still has the event."""
    target_value = leaf.of(F.col("shown")["row"])
    greater = merged.isNull() | (_text(target_value) > _text(merged["value"]))
    shown_wins = F.col("shown_is_event") & greater
    return F.when(shown_wins, F.struct(target_value.alias("value"))).otherwise(merged)


def _supplied_value(leaf: LeafColumn) -> Column:
    is_set = ~F.col("deleted") & is_supplied(leaf, F.col("supplied"))
    return F.when(is_set, F.struct(leaf.of(F.col("row")).alias("value")))


def _text(value: Column) -> Column:
    return rendered(F.struct(value.alias("value")))
