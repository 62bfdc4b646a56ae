"""AUTO CDC from snapshots: a snapshot says of every key what it holds at its version.

Versions ascend, so no state is needed: what differs from the target's rows is an insert, an update
or a delete at the version (behaviour 68 to 78). Applying a snapshot again changes nothing, which
repairs a crash between the table's commit and the manifest that has the version.

On an SCD1 target that AUTO CDC flows share (behaviour 162), the version is a floor: a change at or
below it is void, and a key with a change above it is left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from local_shim.cdc.drift import flow_facts, target_facts
from local_shim.cdc.fold.change_rows import (
    key_schema,
    packed,
    rendered,
    same_values,
    scalar,
    state_schema,
)
from local_shim.cdc.fold.outcome import DROP, PUT
from local_shim.cdc.reconcile import reconcile
from local_shim.cdc.snapshots.versions import (
    checked_column,
    later,
    literal_of,
    next_snapshot,
    read_version,
    written,
)
from local_shim.cdc.state.store import CdcState, Manifest
from local_shim.cdc.target_table.columns import TargetColumns
from local_shim.cdc.target_table.schema import fits, widest
from local_shim.cdc.target_table.target import CdcResult, CdcTarget
from local_shim.cdc.write.edits import TargetEdits, edits_of, write
from local_shim.cdc.write.size import Size
from local_shim.cdc.write.table import Table, ensure_table, target_rows
from local_shim.errors import FlowError
from local_shim.graph.elements import ScdType, SnapshotFlow
from local_shim.jvm.configuration import settings
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

    With `read_source` there is one, of the version `now`. Without it the flow's function gives
    them one by one, until it returns None. A version at or below the last one is an error, or the
    end of this update with `skip_out_of_order`. Raises FlowError, condition
    APPLY_CHANGES_FROM_SNAPSHOT_ERROR.*; snapshots before the faulty one stay applied.
    """
    total = CdcResult(0, 0, ())
    stored = CdcState(target.state).manifest().snapshot_version
    last = read_version(stored)
    if flow.once and last is not None:
        return total
    column = checked_column(flow, stored)
    while True:
        snapshot = _next(flow, read_source, last, now)
        if snapshot is None or (skip_out_of_order and not later(snapshot[1], last)):
            return total
        frame, version = snapshot
        _refuse_disorder(flow, version, last)
        total = total.plus(_apply(frame, version, column, flow, target))
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


@dataclass(frozen=True)
class _Snapshot:
    """One snapshot on its way into its target; `version` is a literal of the sequence's type."""

    frame: DataFrame
    version: Column
    flow: SnapshotFlow
    target: CdcTarget
    columns: TargetColumns
    table: Table
    manifest: Manifest


def _apply(
    frame: DataFrame, version: Any, column: str | None, flow: SnapshotFlow, target: CdcTarget
) -> CdcResult:
    """Fit, write the target, note the version; a repeated snapshot repairs a crash in between."""
    spark, state = frame.sparkSession, CdcState(target.state)
    manifest = state.manifest()
    literal, kind = literal_of(version)
    reconciled = reconcile(flow, frame, target, manifest, kind)
    columns = reconciled.columns
    table = ensure_table(spark, target.table, reconciled.table, columns.target)
    literal = literal.cast(columns.sequence or kind)
    tuning = Size(estimated_bytes(frame), table.bytes, 0).profile
    with settings(spark, {**tuning, **target.spark_conf}):
        snapshot = _Snapshot(frame, literal, flow, target, columns, table, manifest)
        result = _commit(_outcome_of(snapshot), snapshot)
    floor = _floor(spark, literal.cast(widest(kind))) if flow.scd_type is ScdType.ONE else None
    state.replace_manifest(
        replace(
            manifest,
            floor=floor,
            floor_type=widest(kind).simpleString() if floor else None,
            snapshot_version=written(version, column),
            target=target_facts(flow, target),
            flows={**manifest.flows, flow.name: flow_facts(flow, columns)},
        )
    )
    return result.plus(CdcResult(0, 0, reconciled.warnings))


def _floor(spark: SparkSession, version: Column) -> str | None:
    row = spark.range(1).select(scalar(version)).first()
    return row[0] if row else None


def _outcome_of(snapshot: _Snapshot) -> DataFrame:
    frame, columns = snapshot.frame, snapshot.columns
    spark, table = frame.sparkSession, snapshot.table
    current = target_rows(spark, snapshot.target.table, table, columns, None)
    rows = frame.select(
        packed(key_schema(columns), frame.schema).alias("key"),
        packed(columns.selected, frame.schema).alias("new"),
    )
    if snapshot.flow.scd_type is ScdType.ONE:
        return _current_rows(rows, current, _keys_changed_later(snapshot), columns)
    return _history(rows, current, snapshot.version, columns)


def _commit(outcome: DataFrame, snapshot: _Snapshot) -> CdcResult:
    flow, columns = snapshot.flow, snapshot.columns
    outcome = outcome.persist()
    try:
        counts = _count(outcome, columns)
        _refuse_duplicates(flow, counts)
        count = counts["put"] + counts["drop"]
        if count:
            edits = TargetEdits(
                edits_of(outcome, columns), count, bool(counts["touches"]), null_keys=True
            )
            write(edits, snapshot.target.table, columns, snapshot.table)
    finally:
        outcome.unpersist()
    nulls = counts["null_keys"]
    warnings = (f"{nulls} snapshot rows of flow '{flow.name}' have NULL in a key column",)
    return CdcResult(counts["put"], counts["drop"], warnings if nulls else ())


def _count(outcome: DataFrame, columns: TargetColumns) -> Row:
    op = F.col("op")
    null_key = reduce(or_, (F.col("key")[name].isNull() for name in columns.keys))
    most = F.struct(
        F.coalesce("count", F.lit(0)).alias("count"), rendered(F.col("key")).alias("key")
    )
    counts = outcome.agg(
        F.count_if(F.coalesce(op == PUT, F.lit(False))).alias("put"),
        F.count_if(F.coalesce(op == DROP, F.lit(False))).alias("drop"),
        F.count_if(op.isNotNull() & F.col("touches")).alias("touches"),
        F.count_if(null_key & F.col("in_snapshot")).alias("null_keys"),
        F.max(most).alias("most"),
    ).first()
    assert counts is not None  # an aggregate without groups has one row
    return counts


def _refuse_duplicates(flow: SnapshotFlow, counts: Row) -> None:
    most = counts["most"]
    if most is not None and most["count"] > 1:
        raise FlowError(
            "APPLY_CHANGES_FROM_SNAPSHOT_ERROR.DUPLICATE_KEY_VIOLATION",
            f"Flow '{flow.name}': a snapshot has {most['count']} rows of the key "
            f"{most['key']}; nothing of it was written.",
            where=flow.where,
            hint="drop the duplicates in the source, or add the missing key column to keys",
        )


def _per_key(rows: DataFrame) -> DataFrame:
    """One row per key, with how many there were; more than one is refused before any write."""
    return rows.groupBy("key").agg(F.first("new").alias("new"), F.count(F.lit(1)).alias("count"))


def _current_rows(
    rows: DataFrame, current: DataFrame, changed_later: DataFrame | None, columns: TargetColumns
) -> DataFrame:
    """SCD1: the target becomes the snapshot, but for keys with a later change."""
    both = _per_key(rows).join(current.withColumnRenamed("row", "old"), "key", "full")
    if changed_later is not None:
        both = both.join(changed_later, "key", "left_anti")
    new, old = F.col("new"), F.col("old")
    changed = old.isNull() | ~same_values(new, old, columns.selected)
    return both.select(
        "key",
        F.when(new.isNotNull() & changed, PUT).when(new.isNull(), DROP).alias("op"),
        new.alias("row"),
        old.isNotNull().alias("touches"),
        new.isNotNull().alias("in_snapshot"),
        "count",
    )


def _keys_changed_later(snapshot: _Snapshot) -> DataFrame | None:
    """Keys that an AUTO CDC flow of the target changed after this version."""
    manifest, target, columns = snapshot.manifest, snapshot.target, snapshot.columns
    if manifest.columns is None:
        return None
    kind = manifest.columns["seq"].dataType
    if not fits(widest(columns.sequence or kind), kind):
        raise FlowError(
            "AUTOCDC_INVALID_STATE.INTEROP_SEQUENCE_TYPE_MISMATCH",
            f"{target.name}: snapshot versions are {(columns.sequence or kind).simpleString()}, "
            f"the sequences of its AUTO CDC flows {kind.simpleString()}; both must be of one type.",
            where=snapshot.flow.where,
            hint="give the snapshots versions of the sequence's type",
        )
    schema = state_schema(replace(columns, sequence=kind), with_rows=False)
    spark = snapshot.frame.sparkSession
    rows = CdcState(target.state).read(spark, manifest, schema, set())
    if rows is None:
        return None
    return rows.where(F.col("seq") > snapshot.version).select("key").distinct()


def _history(
    rows: DataFrame, current: DataFrame, version: Column, columns: TargetColumns
) -> DataFrame:
    """SCD2: what changed closes at the version and opens anew; untracked changes stay in place.

    No need for `row_versions` here: a snapshot is never late, so it touches open rows only.
    """
    open_rows = current.where(F.col("end").isNull())
    open_rows = open_rows.select("key", F.col("row").alias("old"), "start")
    both = _per_key(rows).join(open_rows, "key", "full")
    new, old, start = F.col("new"), F.col("old"), F.col("start")
    same = same_values(new, old, columns.selected)
    same_version = same_values(new, old, [columns.selected[name] for name in columns.tracked])
    closed = _edit(PUT, old, start, version, touches=True)
    opened = _edit(PUT, new, version, None, touches=False)
    updated = _edit(PUT, new, start, None, touches=True)
    nothing = _edit(None, new, version, None, touches=False)
    edits = (
        F.when(old.isNull(), F.array(opened))
        .when(new.isNull(), F.array(closed))
        .when(same, F.array(nothing))
        .when(same_version, F.array(updated))
        .otherwise(F.array(closed, opened))
    )
    return both.select("key", new.isNotNull().alias("in_snapshot"), "count", F.inline(edits))


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
