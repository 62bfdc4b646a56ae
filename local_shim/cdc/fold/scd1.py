"""SCD type 1: per key, the event with the greatest sequence (reference 2.3, 2.7).

Remembered per key: the newest sequence and whether it deleted. The values are in the target.
The outcome frame has one row a key: `key`, `op` (put, drop, or NULL for nothing), `row`,
`touches` (a target row may have to go), `contested` (equal sequence, settled by the target's
row), `ties`, `remember`, and `seq`, `kind`, `supplied` for what to remember.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from local_shim.cdc.fold.change_rows import (
    COUNTS,
    DELETE,
    FLAGS,
    TRUNCATE,
    UPSERT,
    counted,
    rendered,
)
from local_shim.cdc.fold.leaf_columns import NAMES

PUT, DROP = "put", "drop"
Gather = Callable[[DataFrame], DataFrame]  # brings the rows of one key together


@dataclass(frozen=True)
class Bounds:
    """Sequences that void events wholesale: a truncate those below it, a snapshot also its own."""

    truncated: Column | None = None
    truncated_before: Column | None = None  # as it was before this batch
    floor: Column | None = None

    @property
    def moved(self) -> bool:
        """Whether this batch may void rows of keys it does not name."""
        return self.truncated is not None and self.truncated is not self.truncated_before

    def alive(self, seq: Column) -> Column:
        """Whether an event of this sequence still counts."""
        return _not_below(seq, self.truncated) & _above(seq, self.floor)

    def stays(self, seq: Column) -> Column:
        """Whether what was applied at this sequence survives the truncates."""
        return _not_below(seq, self.truncated)

    def stood(self, seq: Column) -> Column:
        """The same before this batch."""
        return _not_below(seq, self.truncated_before)


def fold(
    events: DataFrame, remembered: DataFrame | None, bounds: Bounds, gather: Gather
) -> DataFrame:
    """What a batch does to each key; `remembered` holds (key, seq, kind) of earlier batches."""
    single = one_per_sequence(gather(_pool(events, remembered)), bounds)
    grouped = single.groupBy("key").agg(
        F.max_by(F.struct("seq", "deleted", "row"), F.when(F.col("counts"), F.col("seq"))).alias(
            "new"
        ),
        F.max(F.when(F.col("known"), F.struct("seq", F.col("knew_delete").alias("deleted")))).alias(
            "old"
        ),
        F.sum(F.col("tied").cast("int")).alias("ties"),
        *(F.sum(name).alias(name) for name in COUNTS),
    )
    return _outcome(grouped if bounds.moved else grouped.where(F.col("events") > 0), bounds)


def settle(outcome: DataFrame, held: DataFrame) -> DataFrame:
    """The contested keys decided: of two upserts of one sequence the greater row stays."""
    mine = outcome.alias("mine")
    both = mine.join(held.select("key", F.col("row").alias("held")), "key", "left")
    one, other = rendered(F.col("row")), rendered(F.col("held"))
    wins = F.col("contested") & (F.col("held").isNull() | (one > other))
    differs = F.col("contested") & F.coalesce(one != other, F.lit(False))
    settled = {
        "op": F.when(wins, PUT).otherwise(F.col("op")),
        "touches": F.col("touches") | wins,
        "ties": F.col("ties") + differs.cast("int"),
    }
    return both.withColumns(settled).select(*outcome.columns)


def one_per_sequence(pool: DataFrame, bounds: Bounds) -> DataFrame:
    """Events of one key and sequence made one: delete first, then the greatest row as JSON."""
    mine, upsert = F.col("mine"), F.col("kind") == UPSERT
    counts = mine & (F.col("kind") != TRUNCATE) & bounds.alive(F.col("seq"))
    shown = F.when(counts & upsert, F.col("rendered"))
    deleted = F.bool_or(counts & ~upsert)
    tied = (deleted & F.bool_or(counts & upsert)) | (F.min(shown) < F.max(shown))
    return pool.groupBy("key", "seq").agg(
        F.bool_or(counts).alias("counts"),
        deleted.alias("deleted"),
        F.max_by("row", shown).alias("row"),
        F.bool_or(~mine).alias("known"),
        F.bool_or(~mine & ~upsert).alias("knew_delete"),
        F.coalesce(tied, F.lit(False)).alias("tied"),
        *counted(mine),
    )


def _pool(events: DataFrame, remembered: DataFrame | None) -> DataFrame:
    columns = ("key", "seq", "kind", "row", "rendered", *FLAGS)
    mine = events.select(*columns, F.lit(True).alias("mine"))
    if remembered is None:
        return mine
    earlier = remembered.select("key", "seq", "kind", F.lit(False).alias("mine"))
    return mine.unionByName(earlier, allowMissingColumns=True)


def _outcome(grouped: DataFrame, bounds: Bounds) -> DataFrame:
    new, old = F.col("new"), F.col("old")
    here, known = new.isNotNull(), old.isNotNull()
    newer = here & (~known | (_place(new) > _place(old)))
    tied = here & known & (new["seq"] == old["seq"])
    contested = tied & ~new["deleted"] & ~old["deleted"]
    clash = tied & (new["deleted"] != old["deleted"])
    was = known & ~old["deleted"] & bounds.stood(old["seq"])
    stays = F.when(newer, ~new["deleted"]).otherwise(was & bounds.stays(old["seq"]))
    return grouped.select(
        "key",
        F.when(newer & ~new["deleted"], PUT).when(was & ~stays, DROP).alias("op"),
        new["row"].alias("row"),
        was.alias("touches"),
        contested.alias("contested"),
        (F.coalesce("ties", F.lit(0)) + clash.cast("int")).alias("ties"),
        newer.alias("remember"),
        new["seq"].alias("seq"),
        F.when(new["deleted"], DELETE).otherwise(UPSERT).alias("kind"),
        F.lit(None).cast(NAMES).alias("supplied"),
        *COUNTS,
    )


def _place(event: Column) -> Column:
    return F.struct(event["seq"], event["deleted"])


def _not_below(seq: Column, bound: Column | None) -> Column:
    return F.lit(True) if bound is None else seq >= bound


def _above(seq: Column, bound: Column | None) -> Column:
    return F.lit(True) if bound is None else seq > bound
