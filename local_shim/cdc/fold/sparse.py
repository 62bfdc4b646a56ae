"""Sparse upserts: those that leave cells as they are (reference 2.8).

Each cell holds the value of the newest event that supplied it; a delete (and, for SCD1, a
truncate) supplies NULL for every cell. Among events of one sequence the greater value wins, cell
by cell, so that the result does not depend on which batch brought which.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from local_shim.cdc.fold.change_rows import (
    COUNTS,
    DELETE,
    FLAGS,
    TRUNCATE,
    UPSERT,
    counted,
    payload,
    rendered,
)
from local_shim.cdc.fold.leaf_columns import NAMES, LeafColumn, cells_of, is_supplied, rebuilt
from local_shim.cdc.fold.scd1 import DROP, PUT, Bounds, Gather
from local_shim.cdc.target.columns import TargetColumns, sortable


def merged_cells(layout: TargetColumns, counts: Column) -> tuple[Column, ...]:
    """Aggregates: per cell a struct holding the greatest supplied value, or NULL."""
    return tuple(
        F.max_by(
            F.struct(cell.of(F.col("row")).alias("v")),
            F.when(counts & is_supplied(cell, F.col("supplied")), _text(cell.of(F.col("row")))),
        ).alias(f"cell{i}")
        for i, cell in enumerate(cells_of(layout))
    )


def with_merged_cells(events: DataFrame, layout: TargetColumns) -> DataFrame:
    """Events whose `row`, `supplied` and `rendered` are those of their merged cells."""
    cells = cells_of(layout)
    found = {cell: _or_shown(cell, F.col(f"cell{i}")) for i, cell in enumerate(cells)}
    listed = F.array_compact(
        F.array(*(F.when(found[cell].isNotNull(), cell.name) for cell in cells))
    )
    supplied = F.when(F.size(listed) < len(cells), listed).cast(NAMES)
    merged = events.withColumn("row", rebuilt(layout, F.col("key"), lambda c: found[c]["v"]))
    merged = merged.withColumn("supplied", supplied)
    return merged.withColumn("rendered", payload(F.col("row"), F.col("supplied")))


def carried(events: DataFrame, layout: TargetColumns, *by: str) -> DataFrame:
    """Adds `full`: each event's row with the cells it leaves alone taken from earlier events.

    Events of one key, and of one value of the columns `by`, belong together.
    """
    order = Window.partitionBy("key", *by).orderBy("seq")
    lives = events.withColumn("life", F.sum(F.col("deleted").cast("int")).over(order))
    life = Window.partitionBy("key", *by, "life").orderBy("seq")
    cells = cells_of(layout)
    names = {cell: f"carried{i}" for i, cell in enumerate(cells)}
    latest = {
        names[cell]: F.last(_supplied_value(cell), ignorenulls=True).over(life) for cell in cells
    }
    filled = lives.withColumns(latest)
    row = rebuilt(layout, F.col("key"), lambda cell: F.col(names[cell])["v"])
    return filled.withColumn("full", row).drop(*names.values())


def fold_sparse(
    events: DataFrame,
    remembered: DataFrame | None,
    held: DataFrame,
    layout: TargetColumns,
    bounds: Bounds,
    gather: Gather,
) -> DataFrame:
    """SCD1 with sparse upserts; `remembered` holds the sequences and cells of earlier events."""
    grouped = _by_key(gather(_pool(events, remembered)), layout, bounds)
    grouped = grouped if bounds.moved else grouped.where(F.col("events") > 0)
    both = grouped.join(held.select("key", F.col("row").alias("held")), "key", "left")
    row = rebuilt(layout, F.col("key"), lambda cell: _value(cell, cells_of(layout).index(cell)))
    there = F.col("held").isNotNull()
    changed = ~there | ~_same_row(F.col("new"), F.col("held"), layout)
    return both.withColumn("new", row).select(
        "key",
        F.when(F.col("lives") & changed, PUT).when(~F.col("lives") & there, DROP).alias("op"),
        F.col("new").alias("row"),
        there.alias("touches"),
        F.lit(False).alias("contested"),
        "ties",
        F.lit(True).alias("remember"),
        "kind",
        *COUNTS,
    )


def _pool(events: DataFrame, remembered: DataFrame | None) -> DataFrame:
    columns = ("key", "seq", "kind", "row", "rendered", "supplied", *FLAGS)
    mine = events.select(*columns, F.lit(True).alias("mine"))
    if remembered is None:
        return mine
    earlier = remembered.select("key", "seq", "kind", "supplied", F.lit(False).alias("mine"))
    return mine.unionByName(earlier, allowMissingColumns=True)


def _by_key(pool: DataFrame, layout: TargetColumns, bounds: Bounds) -> DataFrame:
    key = Window.partitionBy("key")
    same = Window.partitionBy("key", "seq")
    counts = (F.col("kind") != TRUNCATE) & bounds.alive(F.col("seq"))
    deleted = F.max(F.when(counts & (F.col("kind") == DELETE), F.col("seq"))).over(key)
    tied = F.col("mine") & (
        F.min(_mine("rendered")).over(same) < F.max(_mine("rendered")).over(same)
    )
    live = (
        (F.col("kind") == UPSERT)
        & counts
        & (F.col("deleted").isNull() | (F.col("seq") > F.col("deleted")))
    )
    marked = pool.withColumns({"deleted": deleted, "tied": tied}).withColumn("live", live)
    return marked.groupBy("key").agg(
        F.coalesce(F.bool_or("live"), F.lit(False)).alias("lives"),
        F.max(F.when(F.col("mine") & (F.col("kind") == DELETE), DELETE)).alias("kind"),
        *counted(F.col("mine")),
        F.size(F.collect_set(F.when(F.col("tied"), F.col("seq")))).alias("ties"),
        *(column for i, cell in enumerate(cells_of(layout)) for column in _newest(cell, i)),
    )


def _newest(cell: LeafColumn, index: int) -> tuple[Column, Column]:
    supplied = F.col("live") & is_supplied(cell, F.col("supplied"))
    value = cell.of(F.col("row"))
    place = F.struct("seq", _text(value).alias("text"))
    brought = F.max_by(F.struct("seq", value.alias("v")), F.when(supplied & F.col("mine"), place))
    known = F.max(F.when(supplied & ~F.col("mine"), F.col("seq")))
    return brought.alias(f"new{index}"), known.alias(f"old{index}")


def _value(cell: LeafColumn, index: int) -> Column:
    new, old = F.col(f"new{index}"), F.col(f"old{index}")
    held = cell.of(F.col("held"))
    held = F.when(F.col("held").isNotNull(), held)
    greater = F.coalesce(_text(new["v"]) > _text(held), F.lit(True))
    return (
        F.when(new.isNotNull() & (old.isNull() | (new["seq"] > old)), new["v"])
        .when(new.isNotNull() & (new["seq"] == old) & greater, new["v"])
        .when(old.isNotNull(), held)
    )


def _or_shown(cell: LeafColumn, found: Column) -> Column:
    """The merged cell, or that of a row whose event is remembered nowhere else."""
    shown = cell.of(F.col("visible")["row"])
    greater = found.isNull() | (_text(shown) > _text(found["v"]))
    return F.when(F.col("exact") & greater, F.struct(shown.alias("v"))).otherwise(found)


def _supplied_value(cell: LeafColumn) -> Column:
    says = ~F.col("deleted") & is_supplied(cell, F.col("supplied"))
    return F.when(says, F.struct(cell.of(F.col("row")).alias("v")))


def _same_row(one: Column, other: Column, layout: TargetColumns) -> Column:
    if sortable(StructType(list(layout.columns))):
        return one.eqNullSafe(other)
    return rendered(one).eqNullSafe(rendered(other))


def _mine(column: str) -> Column:
    return F.when(F.col("mine"), F.col(column))


def _text(value: Column) -> Column:
    return rendered(F.struct(value.alias("v")))
