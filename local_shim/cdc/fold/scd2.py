"""SCD type 2: per key, one row for each run of upserts that agree on the tracked columns.

A target row *is* an event: an upsert at its start, and a delete at its end unless a next row
starts there. Remembered are the events that no target row shows exactly: upserts inside
a run (with their untracked values), deletes that close nothing. The union of both is the
key's whole set of events, so refolding it places late events without further thought, and
remembering an event twice, or one that is shown too, does no harm.

The outcome frame has one row an event: `key`, `seq`, `op`, `row` (what the target shows at this
start), `end`, `touches`, `ties`, `remember`, `kind`, `event` (the row as it came), `supplied`.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StructType

from local_shim.cdc.fold.change_rows import (
    COUNTS,
    DELETE,
    FLAGS,
    UPSERT,
    counted,
    payload,
    rendered,
)
from local_shim.cdc.fold.scd1 import DROP, PUT, Gather
from local_shim.cdc.fold.sparse import carried, merged_cells, with_merged_cells
from local_shim.cdc.target.columns import TargetColumns, sortable

BATCH, REMEMBERED, SHOWN = 1, 2, 3


def fold(
    events: DataFrame,
    remembered: DataFrame | None,
    held: DataFrame,
    layout: TargetColumns,
    sparse: bool,
    gather: Gather,
) -> DataFrame:
    """What a batch does to the rows of its keys; `held` are the keys' target rows."""
    pool = _pool(events, remembered, held, layout)
    single = in_batch(_single(gather(pool), layout, sparse))
    filled = carried(single, layout) if sparse else single.withColumn("full", F.col("row"))
    return _outcome(runs(filled, layout, ("key",)), layout, sparse)


def in_batch(single: DataFrame) -> DataFrame:
    """The events of keys that the batch names; others may have come along (`Size.of_keys`)."""
    named = F.max("events").over(Window.partitionBy("key"))
    return single.withColumn("named", named).where(F.col("named") > 0).drop("named")


def runs(single: DataFrame, layout: TargetColumns, by: tuple[str, ...]) -> DataFrame:
    """Adds `starts`, `closes`, `shown` and `end` to events that have one row a sequence.

    `by` partitions the events; `full` is each event's row with its carried values.
    """
    order = Window.partitionBy(*by).orderBy("seq")
    before = F.lag("deleted").over(order)
    follows = F.coalesce(~before, F.lit(False))
    kind = StructType([layout.columns[name] for name in layout.tracked])
    unchanged = _same(F.col("tracked"), F.lag("tracked").over(order), kind)
    starts = ~F.col("deleted") & ~(follows & unchanged)
    marked = (
        single.withColumn("tracked", _tracked(layout))
        .withColumn("starts", starts)
        .withColumn("closes", F.col("deleted") & follows)
        .withColumn("run", F.sum((F.col("starts") | F.col("closes")).cast("int")).over(order))
    )
    run = Window.partitionBy(*by, "run").orderBy("seq").rowsBetween(*_WHOLE)
    backwards = Window.partitionBy(*by).orderBy(F.desc("seq")).rowsBetween(*_EARLIER)
    edge = F.when(F.col("starts") | F.col("closes"), F.col("seq"))
    shown = marked.withColumn("shown", F.last("full").over(run)).withColumn(
        "end", F.last(edge, ignorenulls=True).over(backwards)
    )
    return _with_remainders(shown, order) if layout.remainders else shown


def _with_remainders(shown: DataFrame, order: WindowSpec) -> DataFrame:
    """A delete that follows a delete is the end of a row without a start (`remains`)."""
    upsert = F.when(~F.col("deleted"), F.col("full"))
    last = F.last(upsert, ignorenulls=True).over(order.rowsBetween(*_UNTIL_NOW))
    remains = F.col("deleted") & ~F.col("closes") & F.col("last").isNotNull()
    return (
        shown.withColumn("last", last)
        .withColumn("remains", remains)
        .withColumn("shown", F.when(F.col("remains"), F.col("last")).otherwise(F.col("shown")))
        .withColumn("end", F.when(F.col("remains"), F.col("seq")).otherwise(F.col("end")))
    )


def _tracked(layout: TargetColumns) -> Column:
    nothing = F.lit(0).alias("nothing")  # a struct needs a field
    return F.struct(*(F.col("full")[name].alias(name) for name in layout.tracked), nothing)


_WHOLE = (Window.unboundedPreceding, Window.unboundedFollowing)
_EARLIER = (Window.unboundedPreceding, -1)
_UNTIL_NOW = (Window.unboundedPreceding, Window.currentRow)


def _pool(
    events: DataFrame, remembered: DataFrame | None, held: DataFrame, layout: TargetColumns
) -> DataFrame:
    """All events of the batch's keys, whatever they are known from."""
    columns = ("key", "seq", "kind", "row", "rendered", "supplied")
    pool = events.select(*columns, *FLAGS, F.lit(BATCH).alias("origin"))
    if remembered is not None:
        text = payload(F.col("row"), F.col("supplied")).alias("rendered")
        known = remembered.select(
            "key", "seq", "kind", "row", text, "supplied", F.lit(REMEMBERED).alias("origin")
        )
        pool = pool.unionByName(known, allowMissingColumns=True)
    return pool.unionByName(_shown(held, layout), allowMissingColumns=True)


def _shown(held: DataFrame, layout: TargetColumns) -> DataFrame:
    """Target rows as events: an upsert at each start, and a delete at each end."""
    upsert = F.struct(
        F.col("start").alias("seq"),
        F.lit(UPSERT).alias("kind"),
        F.struct("end", "row").alias("old"),
    )
    delete = F.struct(
        F.col("end").alias("seq"), F.lit(DELETE).alias("kind"), F.lit(None).alias("old")
    )
    both = F.when(F.col("end").isNull(), F.array(upsert)).otherwise(F.array(upsert, delete))
    if layout.remainders:
        rest = F.struct(
            F.col("end").alias("seq"),
            F.lit(DELETE).alias("kind"),
            F.struct("end", "row").alias("old"),
        )
        both = F.when(F.col("start").isNull(), F.array(rest)).otherwise(both)
    text = rendered(F.col("row")).alias("rendered")
    return held.select("key", "row", text, F.inline(both), F.lit(SHOWN).alias("origin"))


def _single(pool: DataFrame, layout: TargetColumns, sparse: bool) -> DataFrame:
    """One event per key and sequence, and how it was known."""
    origin, upsert = F.col("origin"), F.col("kind") == UPSERT
    real = origin != SHOWN
    payload = F.struct("row", "rendered", "supplied")
    grouped = pool.groupBy("key", "seq").agg(
        F.bool_or(~upsert & real).alias("real_delete"),
        F.bool_or(upsert & real).alias("real_upsert"),
        F.bool_or(upsert & ~real).alias("shown_start"),
        F.bool_or(~upsert & ~real).alias("shown_end"),
        F.bool_or(origin == BATCH).alias("in_batch"),
        F.bool_or(~upsert & (origin == REMEMBERED)).alias("knew_delete"),
        F.max(F.when(upsert & (origin == REMEMBERED), F.col("rendered"))).alias("knew_upsert"),
        F.max_by(payload, F.when(upsert & real, F.col("rendered"))).alias("best"),
        F.min(F.when(upsert & real, F.col("rendered"))).alias("least"),
        F.max_by(payload, F.when(upsert & ~real, F.col("rendered"))).alias("visible"),
        F.max_by("old", F.when(F.col("old").isNotNull(), 1)).alias("old"),
        *counted(origin == BATCH),
        *(merged_cells(layout, upsert & real) if sparse else ()),
    )
    winner = grouped.select("*", *_winner())
    return with_merged_cells(winner, layout) if sparse else winner


def _winner() -> tuple[Column, ...]:
    best, visible = F.col("best"), F.col("visible")
    # What a row shows may be later untracked values; a remembered event knows its own.
    exact = F.col("shown_start") & F.col("knew_upsert").isNull()
    higher = best.isNull() | (visible["rendered"] > best["rendered"])
    chosen = F.when(exact & higher, visible).otherwise(best)
    deleted = F.col("real_delete") | (F.col("shown_end") & ~F.col("shown_start"))
    conflict = F.col("real_delete") & (F.col("real_upsert") | exact)
    other = F.when(exact, visible["rendered"])
    differ = (F.col("least") < best["rendered"]) | (other != best["rendered"])
    return (
        exact.alias("exact"),
        F.coalesce(deleted, F.lit(False)).alias("deleted"),
        chosen["row"].alias("row"),
        chosen["rendered"].alias("rendered"),
        chosen["supplied"].alias("supplied"),
        F.coalesce(F.col("in_batch") & (conflict | F.coalesce(differ, F.lit(False))), F.lit(False))
        .cast("int")
        .alias("ties"),
    )


def _outcome(events: DataFrame, layout: TargetColumns, sparse: bool) -> DataFrame:
    row_type = StructType(list(layout.columns))
    old = F.col("old")
    as_before = _same(old["row"], F.col("shown"), row_type) & old["end"].eqNullSafe(F.col("end"))
    remains = F.col("remains") if layout.remainders else F.lit(False)
    shows = F.col("starts") | remains
    put = shows & (old.isNull() | ~as_before)
    op = F.when(put, PUT).when(~shows & old.isNotNull(), DROP)
    own = F.lit(sparse) | ~_same(F.col("full"), F.col("shown"), row_type)
    hidden = F.when(F.col("deleted"), ~F.col("closes")).otherwise(~F.col("starts") | own)
    outdated = F.col("knew_upsert").isNotNull()
    known = F.when(F.col("deleted"), F.col("knew_delete")).otherwise(
        F.col("knew_upsert").eqNullSafe(F.col("rendered"))
    )
    return events.select(
        "key",
        "seq",
        op.alias("op"),
        F.col("shown").alias("row"),
        F.when(~remains, F.col("seq")).alias("start"),
        "end",
        old.isNotNull().alias("touches"),
        F.lit(False).alias("contested"),
        "ties",
        ((hidden | outdated) & ~F.coalesce(known, F.lit(False))).alias("remember"),
        F.when(F.col("deleted"), DELETE).otherwise(UPSERT).alias("kind"),
        F.col("row").alias("event"),
        "supplied",
        *COUNTS,
    )


def _same(one: Column, other: Column, kind: DataType) -> Column:
    """Null-safe equality, also of types that have no order."""
    if sortable(kind):
        return one.eqNullSafe(other)
    return rendered(one).eqNullSafe(rendered(other))
