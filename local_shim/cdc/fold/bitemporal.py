"""Bitemporal storage: what was true when, and when it was known (reference 2.14).

For each system time of a key, the SCD2 fold of the events known by then gives the rows believed
from then on. A row believed over several system times in a row is one belief. All events are
remembered: a late system time is one step more in its place.

The outcome frame has one row a belief: `key`, `seq` (business start), `end`, `sys_start`,
`sys_end`, `row`, `op`, `touches`.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from local_shim.cdc.fold.change_rows import COUNTS, FLAGS, UPSERT, counted, payload, rendered
from local_shim.cdc.fold.leaf_columns import cells_of, is_supplied, rebuilt
from local_shim.cdc.fold.scd1 import DROP, PUT, Gather
from local_shim.cdc.fold.scd2 import in_batch, runs
from local_shim.cdc.fold.sparse import carried
from local_shim.cdc.target.columns import TargetColumns

_EVENT = ("key", "seq", "sys", "kind", "row", "supplied", "rendered")


def fold(
    events: DataFrame,
    remembered: DataFrame | None,
    held: DataFrame,
    layout: TargetColumns,
    sparse: bool,
    gather: Gather,
) -> DataFrame:
    """What a batch does to the beliefs about its keys; `held` are the keys' target rows."""
    pool = events.select(*_EVENT, *FLAGS, F.lit(True).alias("mine"))
    if remembered is not None:
        text = payload(F.col("row"), F.col("supplied")).alias("rendered")
        known = remembered.select(*_EVENT[:-1], text, F.lit(False).alias("mine"))
        pool = pool.unionByName(known, allowMissingColumns=True)
    single = in_batch(_single(gather(pool)))
    steps = single.select("key", F.col("sys").alias("step")).distinct()
    believed = _beliefs(_rows(single, steps, layout, sparse), steps)
    ties = single.groupBy("key").agg(
        F.sum(F.col("tied").cast("int")).alias("ties"),
        *(F.sum(name).alias(name) for name in COUNTS),
    )
    return _outcome(believed, held, ties)


def _single(pool: DataFrame) -> DataFrame:
    """One event per key, business and system time: delete first, then the greatest row."""
    upsert = F.col("kind") == UPSERT
    shown = F.when(upsert, F.col("rendered"))
    deleted = F.bool_or(~upsert)
    differ = (deleted & F.bool_or(upsert)) | (F.min(shown) < F.max(shown))
    return pool.groupBy("key", "seq", "sys").agg(
        deleted.alias("deleted"),
        F.max_by(F.struct("row", "supplied"), shown).alias("best"),
        F.coalesce(differ & F.bool_or("mine"), F.lit(False)).alias("tied"),
        *counted(F.col("mine")),
    )


def _rows(single: DataFrame, steps: DataFrame, layout: TargetColumns, sparse: bool) -> DataFrame:
    """The SCD2 rows of each key at each of its system times (`step`)."""
    known = single.join(steps, "key").where(F.col("sys") <= F.col("step"))
    pick = _merged(known, layout) if sparse else _latest(known)
    filled = carried(pick, layout, "step") if sparse else pick.withColumn("full", F.col("row"))
    starts = runs(filled, layout, ("key", "step")).where("starts")
    return starts.select("key", "step", "seq", "end", F.col("shown").alias("row"))


def _latest(known: DataFrame) -> DataFrame:
    """Per business time the event known last: a correction replaces what it corrects."""
    newest = F.max_by(F.struct("deleted", "best"), "sys").alias("newest")
    picked = known.groupBy("key", "step", "seq").agg(newest)
    best = F.col("newest")["best"]
    return picked.select(
        "key",
        "step",
        "seq",
        F.col("newest")["deleted"].alias("deleted"),
        best["row"].alias("row"),
        best["supplied"].alias("supplied"),
    )


def _merged(known: DataFrame, layout: TargetColumns) -> DataFrame:
    """The same for sparse events: per cell, the value known last since the last delete."""
    one = Window.partitionBy("key", "step", "seq")
    killed = F.max(F.when(F.col("deleted"), F.col("sys"))).over(one)
    row, supplied = F.col("best")["row"], F.col("best")["supplied"]
    live = ~F.col("deleted") & (F.col("killed").isNull() | (F.col("sys") > F.col("killed")))
    cells = cells_of(layout)
    found = [
        F.max_by(
            F.struct(cell.of(row).alias("v")),
            F.when(live & is_supplied(cell, supplied), F.col("sys")),
        ).alias(f"cell{i}")
        for i, cell in enumerate(cells)
    ]
    grouped = known.withColumn("killed", killed).groupBy("key", "step", "seq")
    merged = grouped.agg(F.max_by("deleted", "sys").alias("deleted"), *found)
    place = {cell: F.col(f"cell{i}") for i, cell in enumerate(cells)}
    names = F.array_compact(F.array(*(F.when(place[c].isNotNull(), c.name) for c in cells)))
    return merged.select(
        "key",
        "step",
        "seq",
        "deleted",
        rebuilt(layout, F.col("key"), lambda cell: place[cell]["v"]).alias("row"),
        names.alias("supplied"),
    )


def _beliefs(rows: DataFrame, steps: DataFrame) -> DataFrame:
    """Rows held over consecutive system times, made one belief each."""
    numbered = _numbered(rows, steps)
    same = ("key", "seq", "end", "text")
    place = F.row_number().over(Window.partitionBy(*same).orderBy("number"))
    islands = numbered.withColumn("island", F.col("number") - place)
    return islands.groupBy(*same, "island").agg(
        F.min("step").alias("sys_start"),
        F.max_by("next", "number").alias("sys_end"),
        F.first("row").alias("row"),
    )


def _numbered(rows: DataFrame, steps: DataFrame) -> DataFrame:
    order = Window.partitionBy("key").orderBy("step")
    order_of = steps.select(
        "key",
        "step",
        F.row_number().over(order).alias("number"),
        F.lead("step").over(order).alias("next"),
    )
    return rows.withColumn("text", rendered(F.col("row"))).join(order_of, ["key", "step"])


def _outcome(believed: DataFrame, held: DataFrame, ties: DataFrame) -> DataFrame:
    identity = ("key", "seq", "sys_start")
    new = believed.select(*identity, F.struct("end", "sys_end", "text").alias("new"), "row")
    text = rendered(F.col("row")).alias("text")
    old = held.withColumnRenamed("start", "seq").select(
        *identity, F.struct("end", "sys_end", text).alias("old")
    )
    both = new.join(old, list(identity), "full").join(ties, "key", "right")
    before, after = F.col("old"), F.col("new")
    put = after.isNotNull() & ~after.eqNullSafe(before)
    first = F.row_number().over(Window.partitionBy("key").orderBy("seq", "sys_start")) == 1
    return both.select(
        *identity,
        after["end"].alias("end"),
        after["sys_end"].alias("sys_end"),
        "row",
        F.when(put, PUT).when(before.isNotNull() & after.isNull(), DROP).alias("op"),
        before.isNotNull().alias("touches"),
        F.lit(False).alias("contested"),
        F.lit(True).alias("remember"),
        F.lit(UPSERT).alias("kind"),
        *(F.when(first, F.col(name)).otherwise(0).alias(name) for name in ("ties", *COUNTS)),
    )
