"""Splits the events of a key into versions: which upserts share a row, and how long it holds.

Example with tracked column `a` (`n` is not tracked); `event` is an upsert but for the delete at 40:

| seq | a | n | starts | closes | version_row | end |
|-----|---|---|--------|--------|-------------|-----|
| 10  | x | 1 | true   | false  | x, 2        | 30  |
| 20  | x | 2 | false  | false  | x, 2        | 30  |
| 30  | y | 3 | true   | false  | y, 3        | 40  |
| 40  | delete    | false | true | y, 3 (unused) | NULL |
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from local_shim.cdc.fold.change_rows import same_rows
from local_shim.cdc.target_table.columns import TargetColumns

_WHOLE = (Window.unboundedPreceding, Window.unboundedFollowing)
_EARLIER = (Window.unboundedPreceding, -1)
_UNTIL_NOW = (Window.unboundedPreceding, Window.currentRow)


def row_versions(sequences: DataFrame, columns: TargetColumns, by: tuple[str, ...]) -> DataFrame:
    """Adds `starts`, `closes`, `version_row` and `end` to events that have one row per sequence.

    `by` partitions the events; `full` is each event's row with its carried values, `deleted`
    tells deletes. A delete that follows a delete `remains`, if the target shows remainders.
    """
    order = Window.partitionBy(*by).orderBy("seq")
    marked = _with_starts(sequences, columns, order)
    version = Window.partitionBy(*by, "version").orderBy("seq").rowsBetween(*_WHOLE)
    backwards = Window.partitionBy(*by).orderBy(F.desc("seq")).rowsBetween(*_EARLIER)
    edge = F.when(F.col("starts") | F.col("closes"), F.col("seq"))
    split = marked.withColumn("version_row", F.last("full").over(version)).withColumn(
        "end", F.last(edge, ignorenulls=True).over(backwards)
    )
    return _with_remainders(split, order) if columns.remainders else split


def _with_starts(sequences: DataFrame, columns: TargetColumns, order: WindowSpec) -> DataFrame:
    """Marks the events that start or close a row, and numbers the `version` of each event."""
    follows_upsert = F.coalesce(~F.lag("deleted").over(order), F.lit(False))
    tracked_type = StructType([columns.selected[name] for name in columns.tracked])
    unchanged = same_rows(F.col("tracked"), F.lag("tracked").over(order), tracked_type)
    edge = (F.col("starts") | F.col("closes")).cast("int")
    return (
        sequences.withColumn("tracked", _tracked(columns))
        .withColumn("starts", ~F.col("deleted") & ~(follows_upsert & unchanged))
        .withColumn("closes", F.col("deleted") & follows_upsert)
        .withColumn("version", F.sum(edge).over(order))
    )


def _with_remainders(split: DataFrame, order: WindowSpec) -> DataFrame:
    """A delete that follows a delete is the end of a row without a start (`remains`)."""
    upsert = F.when(~F.col("deleted"), F.col("full"))
    last = F.last(upsert, ignorenulls=True).over(order.rowsBetween(*_UNTIL_NOW))
    remains = F.col("deleted") & ~F.col("closes") & F.col("last").isNotNull()
    row = F.when(F.col("remains"), F.col("last")).otherwise(F.col("version_row"))
    end = F.when(F.col("remains"), F.col("seq")).otherwise(F.col("end"))
    return (
        split.withColumn("last", last)
        .withColumn("remains", remains)
        .withColumn("version_row", row)
        .withColumn("end", end)
    )


def _tracked(columns: TargetColumns) -> Column:
    nothing = F.lit(0).alias("nothing")  # a struct needs a field
    return F.struct(*(F.col("full")[name].alias(name) for name in columns.tracked), nothing)
