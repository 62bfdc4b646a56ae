"""Bitemporal storage: what was true when, and when it was known (behaviour 153).

For each system time of a key, the SCD2 fold of the events known by then gives the rows believed
from then on. A row that is believed at several system times in a row is one belief. The state
keeps all events, so a late system time is one more step in its place.

The outcome frame has one row per belief. Beside the columns of `outcome`: `seq` and `end` in
business time, `sys_start` and `sys_end` in system time.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from local_shim.cdc.fold.change_rows import COUNTS, UPSERT, counted, rendered
from local_shim.cdc.fold.known_events import known_events
from local_shim.cdc.fold.leaf_columns import is_supplied, leaves_of, rebuilt
from local_shim.cdc.fold.outcome import DROP, PUT, Gather
from local_shim.cdc.fold.row_versions import row_versions
from local_shim.cdc.fold.scd2 import in_batch
from local_shim.cdc.fold.sparse import carried
from local_shim.cdc.target_table.columns import TargetColumns


def fold(
    events: DataFrame,
    state_rows: DataFrame | None,
    target_rows: DataFrame,
    columns: TargetColumns,
    sparse: bool,
    gather: Gather,
) -> DataFrame:
    """What a batch does to the beliefs about its keys."""
    all_events = known_events(events, state_rows)
    sequences = in_batch(_one_per_sequence(gather(all_events)))
    system_times = sequences.select("key", F.col("sys").alias("step")).distinct()
    beliefs = _beliefs(_rows_at_each_step(sequences, system_times, columns, sparse), system_times)
    counts = sequences.groupBy("key").agg(
        F.sum(F.col("tied").cast("int")).alias("ties"),
        *(F.sum(name).alias(name) for name in COUNTS),
    )
    return _edit_beliefs(beliefs, target_rows, counts)


def _one_per_sequence(events: DataFrame) -> DataFrame:
    """One event per key, business and system time: a delete wins, then the greatest row."""
    upsert = F.col("kind") == UPSERT
    text = F.when(upsert, F.col("rendered"))
    deleted = F.bool_or(~upsert)
    different = (deleted & F.bool_or(upsert)) | (F.min(text) < F.max(text))
    return events.groupBy("key", "seq", "sys").agg(
        deleted.alias("deleted"),
        F.max_by(F.struct("row", "supplied"), text).alias("greatest"),
        F.coalesce(different & F.bool_or("from_batch"), F.lit(False)).alias("tied"),
        *counted(F.col("from_batch")),
    )


def _rows_at_each_step(
    sequences: DataFrame, system_times: DataFrame, columns: TargetColumns, sparse: bool
) -> DataFrame:
    """The SCD2 rows of each key at each of its system times (`step`)."""
    known_by_then = sequences.join(system_times, "key").where(F.col("sys") <= F.col("step"))
    if sparse:
        full = carried(_merged(known_by_then, columns), columns, "step")
    else:
        full = _latest(known_by_then).withColumn("full", F.col("row"))
    rows = row_versions(full, columns, ("key", "step")).where("starts")
    return rows.select("key", "step", "seq", "end", F.col("version_row").alias("row"))


def _latest(known_by_then: DataFrame) -> DataFrame:
    """Per business time the event known last: a correction replaces what it corrects."""
    newest = F.max_by(F.struct("deleted", "greatest"), "sys").alias("newest")
    latest = known_by_then.groupBy("key", "step", "seq").agg(newest)
    return latest.select(
        "key",
        "step",
        "seq",
        F.col("newest.deleted").alias("deleted"),
        F.col("newest.greatest.row").alias("row"),
        F.col("newest.greatest.supplied").alias("supplied"),
    )


def _merged(known_by_then: DataFrame, columns: TargetColumns) -> DataFrame:
    """Per business time, each leaf column's value of the event known last that supplied it.

    Events known before the last delete of that business time supply nothing.
    """
    event = Window.partitionBy("key", "step", "seq")
    last_delete = F.max(F.when(F.col("deleted"), F.col("sys"))).over(event)
    after_delete = F.col("last_delete").isNull() | (F.col("sys") > F.col("last_delete"))
    live = ~F.col("deleted") & after_delete
    row, supplied = F.col("greatest")["row"], F.col("greatest")["supplied"]
    leaves = {leaf: f"leaf{i}" for i, leaf in enumerate(leaves_of(columns))}
    newest = [
        F.max_by(
            F.struct(leaf.of(row).alias("value")),
            F.when(live & is_supplied(leaf, supplied), F.col("sys")),
        ).alias(name)
        for leaf, name in leaves.items()
    ]
    grouped = known_by_then.withColumn("last_delete", last_delete).groupBy("key", "step", "seq")
    merged = grouped.agg(F.max_by("deleted", "sys").alias("deleted"), *newest)
    names = [F.when(F.col(name).isNotNull(), leaf.name) for leaf, name in leaves.items()]
    return merged.select(
        "key",
        "step",
        "seq",
        "deleted",
        rebuilt(columns, F.col("key"), lambda leaf: F.col(leaves[leaf])["value"]).alias("row"),
        F.array_compact(F.array(*names)).alias("supplied"),
    )


def _beliefs(rows: DataFrame, system_times: DataFrame) -> DataFrame:
    """Rows believed over consecutive system times made one belief each: "gaps and islands".

    `number` counts a key's system times, `place` counts those at which one row is believed. Their
    difference stays the same as long as no system time is missing, and so names the island:

    | row | step | number | place | island | belief          |
    |-----|------|--------|-------|--------|-----------------|
    | x   | 100  | 1      | 1     | 0      | from 100 to 300 |
    | x   | 200  | 2      | 2     | 0      |                 |
    | y   | 300  | 3      | 1     | 2      | from 300 to 400 |
    | x   | 400  | 4      | 3     | 1      | from 400        |
    """
    belief = ("key", "seq", "end", "text")
    place = F.row_number().over(Window.partitionBy(*belief).orderBy("number"))
    numbered = rows.withColumn("text", rendered(F.col("row"))).join(
        _numbered(system_times), ["key", "step"]
    )
    islands = numbered.withColumn("island", F.col("number") - place)
    return islands.groupBy(*belief, "island").agg(
        F.min("step").alias("sys_start"),
        F.max_by("next", "number").alias("sys_end"),
        F.first("row").alias("row"),
    )


def _numbered(system_times: DataFrame) -> DataFrame:
    """Each system time of a key, its number, and the `next` one."""
    order = Window.partitionBy("key").orderBy("step")
    return system_times.select(
        "key",
        "step",
        F.row_number().over(order).alias("number"),
        F.lead("step").over(order).alias("next"),
    )


def _edit_beliefs(beliefs: DataFrame, target_rows: DataFrame, counts: DataFrame) -> DataFrame:
    """Put beliefs that the target lacks or has otherwise, drop those that are no more."""
    identity = ("key", "seq", "sys_start")
    new = beliefs.select(*identity, F.struct("end", "sys_end", "text").alias("new"), "row")
    text = rendered(F.col("row")).alias("text")
    old = target_rows.withColumnRenamed("start", "seq").select(
        *identity, F.struct("end", "sys_end", text).alias("old")
    )
    both = new.join(old, list(identity), "full").join(counts, "key", "right")
    before, after = F.col("old"), F.col("new")
    differs = after.isNotNull() & ~after.eqNullSafe(before)
    first = F.row_number().over(Window.partitionBy("key").orderBy("seq", "sys_start")) == 1
    return both.select(
        *identity,
        after["end"].alias("end"),
        after["sys_end"].alias("sys_end"),
        "row",
        F.when(differs, PUT).when(before.isNotNull() & after.isNull(), DROP).alias("op"),
        before.isNotNull().alias("touches"),
        F.lit(False).alias("contested"),
        F.lit(True).alias("for_state"),
        F.lit(UPSERT).alias("kind"),
        *(F.when(first, F.col(name)).otherwise(0).alias(name) for name in ("ties", *COUNTS)),
    )
