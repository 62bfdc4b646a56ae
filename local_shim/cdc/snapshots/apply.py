"""AUTO CDC from snapshots: a snapshot says of every key what it holds at its version.

Versions ascend, so the target's rows are memory enough: what differs from them is an insert, an
update or a delete at the version (reference 3). Giving a snapshot again changes nothing, which
is what repairs a crash between the table's commit and the note of the version.

On an SCD1 target that AUTO CDC flows share (3.16, 3.17), the version is a floor: a change at or
below it is void, and a key with a change above it is left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from local_shim.cdc.drift import check_definition, flow_facts, settled, target_facts
from local_shim.cdc.fold.change_rows import (
    key_schema,
    memory_schema,
    packed,
    rendered,
    same_values,
    scalar,
)
from local_shim.cdc.fold.scd1 import DROP, PUT
from local_shim.cdc.snapshots.versions import (
    later,
    literal_of,
    next_snapshot,
    read_version,
    written,
)
from local_shim.cdc.state.store import CdcState, Manifest
from local_shim.cdc.target.columns import TargetColumns, layout_of
from local_shim.cdc.target.schema import fits, widest
from local_shim.cdc.target.target import CdcResult, CdcTarget
from local_shim.cdc.write.edits import TargetEdits, edits_of, write
from local_shim.cdc.write.size import Size
from local_shim.cdc.write.table import Table, held_rows, look_at, made_ready
from local_shim.errors import FlowError
from local_shim.graph.elements import ScdType, SnapshotFlow
from local_shim.jvm.session import settings
from local_shim.jvm.spark_plan import estimated_bytes


def apply_snapshots(
    flow: SnapshotFlow,
    target: CdcTarget,
    read_source: Callable[[], DataFrame] | None,
    now: datetime,
    *,
    skip_out_of_order: bool = False,
) -> CdcResult:
    """Bring all waiting snapshots into the target.

    With `read_source` there is one, of the version `now`. Without it the flow's function is
    asked for the next one until it returns None. A version at or below the last one is an error,
    or the end for this update if `skip_out_of_order`. Raises FlowError, condition
    APPLY_CHANGES_FROM_SNAPSHOT_ERROR.*; snapshots before the faulty one stay applied.
    """
    total = CdcResult(0, 0, ())
    last = read_version(CdcState(target.state).manifest().snapshot_version)
    if flow.once and last is not None:
        return total
    while True:
        found = _next(flow, read_source, last, now)
        if found is None or (skip_out_of_order and not later(found[1], last)):
            return total
        frame, version = found
        _refuse_disorder(flow, version, last)
        total = total.plus(_apply(frame, version, flow, target))
        last = version
        if read_source is not None:
            return total


def _next(
    flow: SnapshotFlow, read_source: Callable[[], DataFrame] | None, last: Any, now: datetime
) -> tuple[DataFrame, Any] | None:
    if read_source is not None:
        return read_source(), now
    return next_snapshot(flow, last)


def _refuse_disorder(flow: SnapshotFlow, version: Any, last: Any) -> None:
    if not later(version, last):
        raise FlowError(
            "APPLY_CHANGES_FROM_SNAPSHOT_ERROR.OUT_OF_ORDER_SNAPSHOT_VERSION",
            f"Flow '{flow.name}': snapshot version {version!r} came after {last!r}; versions must "
            "ascend.",
            where=flow.where,
            hint="return the oldest version that is newer than the one given, then None",
        )


def _apply(frame: DataFrame, version: Any, flow: SnapshotFlow, target: CdcTarget) -> CdcResult:
    spark = frame.sparkSession
    memory = CdcState(target.state)
    manifest = memory.manifest()
    table = look_at(spark, target.table)
    moment, kind = literal_of(version)
    asked = replace(layout_of(flow, frame), sequence=kind)
    check_definition(flow, asked, manifest, target)
    layout = settled(flow, asked, manifest, table.schema if table else None, target)
    table = made_ready(spark, target.table, table, layout.target)
    with settings(spark, Size(estimated_bytes(frame), table.bytes, 0).profile):
        moment = moment.cast(layout.sequence or kind)
        result = _write(frame, moment, flow, target, layout, table, manifest)
    floor = None
    if flow.scd_type is ScdType.ONE:
        row = spark.range(1).select(scalar(moment.cast(widest(kind)))).first()
        floor = row[0] if row else None
    memory.keep(
        replace(
            manifest,
            floor=floor,
            floor_type=widest(kind).simpleString() if floor else None,
            snapshot_version=written(version),
            target=target_facts(flow, target),
            flows={**manifest.flows, flow.name: flow_facts(flow, layout)},
        )
    )
    return result


def _write(
    frame: DataFrame,
    moment: Column,
    flow: SnapshotFlow,
    target: CdcTarget,
    layout: TargetColumns,
    table: Table,
    manifest: Manifest,
) -> CdcResult:
    held = held_rows(frame.sparkSession, target.table, table, layout, None)
    given = frame.schema
    snapshot = frame.select(
        packed(key_schema(layout), given).alias("key"), packed(layout.columns, given).alias("new")
    )
    if flow.scd_type is ScdType.ONE:
        newer = _newer(frame, moment, target, manifest, layout)
        outcome = _current(snapshot, held, newer, layout)
    else:
        outcome = _history(snapshot, held, moment, layout)
    outcome = outcome.persist()
    try:
        return _commit(outcome, flow, target, layout, table)
    finally:
        outcome.unpersist()


def _commit(
    outcome: DataFrame, flow: SnapshotFlow, target: CdcTarget, layout: TargetColumns, table: Table
) -> CdcResult:
    op = F.col("op")
    null_key = reduce(or_, (F.col("key")[name].isNull() for name in layout.keys))
    seen = outcome.agg(
        F.count_if(F.coalesce(op == PUT, F.lit(False))),
        F.count_if(F.coalesce(op == DROP, F.lit(False))),
        F.count_if(op.isNotNull() & F.col("touches")),
        F.count_if(null_key & F.col("given")),
        F.max(
            F.struct(
                F.coalesce("count", F.lit(0)).alias("count"), rendered(F.col("key")).alias("sample")
            )
        ),
    ).first()
    assert seen is not None  # an aggregate without groups has one row
    put, drop, touches, nulls, most = seen
    if most is not None and most["count"] > 1:
        raise FlowError(
            "APPLY_CHANGES_FROM_SNAPSHOT_ERROR.DUPLICATE_KEY_VIOLATION",
            f"Flow '{flow.name}': a snapshot has {most['count']} rows of the key "
            f"{most['sample']}; nothing of it was written.",
            where=flow.where,
            hint="drop the duplicates in the source, or add the missing key column to keys",
        )
    if put or drop:
        edits = TargetEdits(edits_of(outcome, layout), put + drop, bool(touches), null_keys=True)
        write(edits, target.table, layout, table)
    warnings = (f"{nulls} snapshot rows of flow '{flow.name}' have NULL in a key column",)
    return CdcResult(put, drop, warnings if nulls else ())


def _counted(snapshot: DataFrame) -> DataFrame:
    """One row a key, with how many there were; more than one is refused before any write."""
    return snapshot.groupBy("key").agg(
        F.first("new").alias("new"), F.count(F.lit(1)).alias("count")
    )


def _current(
    snapshot: DataFrame, held: DataFrame, newer: DataFrame | None, layout: TargetColumns
) -> DataFrame:
    """SCD1: the target becomes the snapshot, but for keys with a newer change."""
    both = _counted(snapshot).join(held.withColumnRenamed("row", "old"), "key", "full")
    if newer is not None:
        both = both.join(newer, "key", "left_anti")
    new, old = F.col("new"), F.col("old")
    changed = old.isNull() | ~same_values(new, old, layout.columns)
    return both.select(
        "key",
        F.when(new.isNotNull() & changed, PUT).when(new.isNull(), DROP).alias("op"),
        new.alias("row"),
        old.isNotNull().alias("touches"),
        new.isNotNull().alias("given"),
        "count",
    )


def _newer(
    frame: DataFrame, moment: Column, target: CdcTarget, manifest: Manifest, layout: TargetColumns
) -> DataFrame | None:
    """Keys that an AUTO CDC flow changed after this version."""
    if manifest.columns is None:
        return None
    kind = manifest.columns["seq"].dataType
    if not fits(widest(layout.sequence or kind), kind):
        raise FlowError(
            "AUTOCDC_INVALID_STATE.INTEROP_SEQUENCE_TYPE_MISMATCH",
            f"{target.name}: snapshot versions are {(layout.sequence or kind).simpleString()}, the "
            f"sequences of its AUTO CDC flows {kind.simpleString()}; both must be on one scale.",
            hint="give the snapshots versions of the sequence's type",
        )
    schema = memory_schema(replace(layout, sequence=kind), with_rows=False)
    rows = CdcState(target.state).read(frame.sparkSession, manifest, schema, set())
    return None if rows is None else rows.where(F.col("seq") > moment).select("key").distinct()


def _history(
    snapshot: DataFrame, held: DataFrame, moment: Column, layout: TargetColumns
) -> DataFrame:
    """SCD2: what changed closes at the version and opens anew; untracked changes stay in place."""
    open_rows = held.where(F.col("end").isNull()).select("key", F.col("row").alias("old"), "start")
    both = _counted(snapshot).join(open_rows, "key", "full")
    new, old, start = F.col("new"), F.col("old"), F.col("start")
    equal = same_values(new, old, layout.columns)
    alike = same_values(new, old, [layout.columns[name] for name in layout.tracked])
    closed = _edit(PUT, old, start, moment, touches=True)
    opened = _edit(PUT, new, moment, None, touches=False)
    updated = _edit(PUT, new, start, None, touches=True)
    nothing = _edit(None, new, moment, None, touches=False)
    edits = (
        F.when(old.isNull(), F.array(opened))
        .when(new.isNull(), F.array(closed))
        .when(equal, F.array(nothing))
        .when(alike, F.array(updated))
        .otherwise(F.array(closed, opened))
    )
    return both.select("key", new.isNotNull().alias("given"), "count", F.inline(edits))


def _edit(
    op: str | None, row: Column, start: Column, end: Column | None, *, touches: bool
) -> Column:
    until = F.lit(None) if end is None else end
    return F.struct(
        F.lit(op).alias("op"),
        row.alias("row"),
        start.alias("seq"),
        until.alias("end"),
        F.lit(touches).alias("touches"),
    )
