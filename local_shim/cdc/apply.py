"""AUTO CDC on Delta: a target is a fold over its keys' events.

One micro-batch: look at it (one job), remember what its rows will not show (one write), bring
the rows into the target (one commit). Each write is repeatable and carries the batch's
transaction id, so after a crash at any point the same batch, given again, repairs what is
missing. What was applied depends on the set of events alone, not on their order or batches.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from local_shim.cdc.drift import (
    check_definition,
    check_drift,
    check_floor,
    flow_facts,
    settled,
    target_facts,
)
from local_shim.cdc.fold import bitemporal, scd1, scd2, sparse
from local_shim.cdc.fold.batch_counts import BatchCounts, look, refuse_unusable, taken, warnings_of
from local_shim.cdc.fold.change_rows import (
    TRUNCATE,
    UPSERT,
    events_of,
    literal,
    memory_schema,
    null_lowest,
    scalar,
)
from local_shim.cdc.fold.scd1 import Bounds
from local_shim.cdc.snapshots.apply import apply_snapshots
from local_shim.cdc.state.compaction import collect_tombstones, compacted
from local_shim.cdc.state.store import CdcState, Done, Manifest, Part
from local_shim.cdc.target.columns import TargetColumns, is_sparse, layout_of
from local_shim.cdc.target.target import (
    Batch,
    CdcResult,
    CdcTarget,
    shows_remainders,
    transaction,
)
from local_shim.cdc.write.edits import TargetEdits, edits_of, write
from local_shim.cdc.write.size import Size
from local_shim.cdc.write.table import Table, held_rows, look_at, made_ready
from local_shim.delta.snapshot import transactions
from local_shim.graph.elements import AutoCdcFlow, ScdType
from local_shim.jvm.session import settings
from local_shim.jvm.spark_plan import estimated_bytes

__all__ = [
    "Batch",
    "CdcResult",
    "CdcTarget",
    "apply_batch",
    "apply_snapshots",
    "check_drift",
    "collect_tombstones",
]


@dataclass(frozen=True)
class _Work:
    """One micro-batch on its way into its target."""

    spark: SparkSession
    flow: AutoCdcFlow
    target: CdcTarget
    batch: Batch
    layout: TargetColumns
    table: Table
    memory: CdcState
    manifest: Manifest
    sparse: bool
    size: Size
    facts: dict[str, Any]  # how this flow orders changes, to be compared next time


def apply_batch(
    changes: DataFrame, batch: Batch, flow: AutoCdcFlow, target: CdcTarget
) -> CdcResult:
    """Bring one micro-batch of change rows into its target.

    A batch that was applied before gives its result again and writes nothing. Raises FlowError
    for change rows that cannot be applied (a NULL sequence, a row outside `where`) and for
    a flow that no longer fits its target; nothing is written then.
    """
    flow = null_lowest(flow, target)
    memory = CdcState(target.state)
    spark = changes.sparkSession
    table = look_at(spark, target.table)
    manifest = memory.manifest()
    if manifest.interrupted and table is not None:
        manifest = manifest.told_by(transactions(spark, target.table))
    done = manifest.done.get(batch.app)
    if done is not None and done.version >= batch.version:
        return CdcResult(done.upserted, done.deleted, done.warnings)
    asked = layout_of(flow, changes)
    check_definition(flow, asked, manifest, target)
    layout = settled(flow, asked, manifest, table.schema if table else None, target)
    layout = replace(layout, remainders=shows_remainders(flow, target))
    # Before the transaction id is set: Delta takes the first commit under it for the batch.
    table = made_ready(spark, target.table, table, layout.target)
    size = Size(estimated_bytes(changes), table.bytes, manifest.rows)
    with settings(spark, {**size.profile, **transaction(batch)}):
        sparse_now = is_sparse(flow) or manifest.sparse
        facts = flow_facts(flow, asked)
        work = _Work(
            spark, flow, target, batch, layout, table, memory, manifest, sparse_now, size, facts
        )
        return _apply(changes, work)


def _apply(changes: DataFrame, work: _Work) -> CdcResult:
    events = events_of(changes, work.flow, work.layout)
    if not _used_once(work):
        events = events.persist()
    try:
        bounds, manifest = _bounds(events, work)
        outcome = _fold(events, bounds, work)
        if not work.size.small:
            outcome = outcome.persist()
        try:
            return _write(events, outcome, replace(work, manifest=manifest))
        finally:
            outcome.unpersist()
    finally:
        events.unpersist()


def _write(events: DataFrame, outcome: DataFrame, work: _Work) -> CdcResult:
    outcome, seen = taken(outcome) if work.size.small else (outcome, look(outcome))
    refuse_unusable(seen, work.flow, strict_keys=work.target.manner.strict_keys)
    if seen.contested:
        # Only repeated rows and ties come here: the target's own row decides.
        outcome = scd1.settle(outcome, _held(events, work))
        outcome, seen = taken(outcome) if work.size.small else (outcome, look(outcome))
    warnings = warnings_of(seen, work.flow)
    plan = Done(work.batch.version, seen.upserted, seen.deleted, warnings)
    manifest = _remember(events, outcome, seen, plan, work)
    _bring_in(outcome, seen, work)
    _finish(manifest, plan, work)
    return CdcResult(plan.upserted, plan.deleted, plan.warnings)


def _fold(events: DataFrame, bounds: Bounds, work: _Work) -> DataFrame:
    layout, gather = work.layout, work.size.gather
    remembered = _remembered(events, bounds, work)
    if work.flow.scd_type is ScdType.ONE and not work.sparse:
        return scd1.fold(events, remembered, bounds, gather)
    held = _all_held(work) if bounds.moved else _held(events, work)
    if work.flow.scd_type is ScdType.TWO:
        return scd2.fold(events, remembered, held, layout, work.sparse, gather)
    if work.flow.scd_type is ScdType.BITEMPORAL:
        return bitemporal.fold(events, remembered, held, layout, work.sparse, gather)
    return sparse.fold_sparse(events, remembered, held, layout, bounds, gather)


def _used_once(work: _Work) -> bool:
    """Whether the change rows are needed in one place only, so that keeping them is idle."""
    flow = work.flow
    return work.size.small and flow.apply_as_truncates is None and not _remembers_all(work)


def _remembered(events: DataFrame, bounds: Bounds, work: _Work) -> DataFrame | None:
    """Remembered events of the batch's keys; of all keys if the batch may void any row.

    SCD1 leaves out what was remembered for target writes that a crash prevented, by this batch
    or by one of another flow: their sequences prove nothing. SCD2 adds up sets, where an event
    does no harm that will come again.
    """
    layout, scd1_only = work.layout, work.flow.scd_type is ScdType.ONE
    schema = memory_schema(layout, with_rows=not scd1_only)
    unproven = work.manifest.unfinished() if scd1_only else set()
    rows = work.memory.read(work.spark, work.manifest, schema, unproven)
    if bounds.floor is not None:
        rows = _on_floor(rows, bounds.floor, work)
    if rows is None or bounds.moved:
        return rows
    return work.size.of_keys(rows, events)


def _on_floor(rows: DataFrame | None, floor: Column, work: _Work) -> DataFrame:
    """A snapshot leaves no event per key: every row of the target stands at its version."""
    held = _all_held(work)
    base = held.select("key", floor.alias("seq"), F.lit(UPSERT).alias("kind"))
    if rows is None:
        return base
    return rows.where(F.col("seq") > floor).unionByName(base, allowMissingColumns=True)


def _held(events: DataFrame, work: _Work) -> DataFrame:
    return work.size.of_keys(_all_held(work), events)


def _all_held(work: _Work) -> DataFrame:
    path, prune = work.target.table, work.flow.prune_where
    return held_rows(work.spark, path, work.table, work.layout, prune)


def _bounds(events: DataFrame, work: _Work) -> tuple[Bounds, Manifest]:
    """The sequences below which nothing counts, and the manifest that knows them."""
    manifest, kind = work.manifest, work.layout.sequence
    assert kind is not None  # an AUTO CDC flow has a sequence
    check_floor(work.flow, kind, manifest)
    before, floor = literal(manifest.truncated, kind), literal(manifest.floor, kind)
    if work.flow.apply_as_truncates is None:
        return Bounds(before, before, floor), manifest
    truncates = events.where(F.col("kind") == TRUNCATE)
    newest = F.max("seq") if before is None else F.greatest(F.max("seq"), before)
    found = truncates.agg(F.count("seq"), scalar(newest)).first()
    if not found or not found[0] or found[1] == manifest.truncated:
        return Bounds(before, before, floor), manifest
    return (
        Bounds(literal(found[1], kind), before, floor),
        replace(manifest, truncated=found[1]),
    )


def _remember(
    events: DataFrame, outcome: DataFrame, seen: BatchCounts, plan: Done, work: _Work
) -> Manifest:
    layout, flow, batch = work.layout, work.flow, work.batch
    scd1_only = flow.scd_type is ScdType.ONE
    schema = memory_schema(layout, with_rows=not scd1_only)
    manifest = replace(
        work.manifest,
        schema=json.dumps(schema.jsonValue()),
        sparse=work.sparse,
        target=target_facts(flow, work.target),
        planned={**work.manifest.planned, batch.app: plan},
        flows={**work.manifest.flows, flow.name: work.facts},
    )
    if scd1_only:
        manifest = manifest.without(manifest.of_batch(batch.app, batch.version))
    count = seen.events if _remembers_all(work) else seen.remember
    if count:
        at = time.time_ns() // 1000
        rows = _memories(events, outcome, work).withColumn("at", F.lit(at))
        # What a bitemporal target knew stays known: its deletes are no tombstones.
        collectable = seen.tombstones and flow.scd_type is not ScdType.BITEMPORAL
        part = Part("", batch.app, batch.version, count, at if collectable else None)
        rows = rows.select(*(F.col(f.name).cast(f.dataType) for f in schema))
        if count < _ONE_FILE:
            rows = rows.coalesce(1)
        manifest = work.memory.write(rows, manifest, part)
    work.memory.keep(manifest)
    return manifest


_ONE_FILE = 200_000


def _memories(events: DataFrame, outcome: DataFrame, work: _Work) -> DataFrame:
    if _remembers_all(work):
        return events.where(F.col("kind") != TRUNCATE)
    kept = outcome.where("remember")
    if work.flow.scd_type is ScdType.ONE:
        return kept
    return kept.withColumn("row", F.col("event"))


def _remembers_all(work: _Work) -> bool:
    bitemporal_target = work.flow.scd_type is ScdType.BITEMPORAL
    return bitemporal_target or (work.flow.scd_type is ScdType.ONE and work.sparse)


def _bring_in(outcome: DataFrame, seen: BatchCounts, work: _Work) -> None:
    count = seen.upserted + seen.deleted
    if count:
        edits = TargetEdits(
            edits_of(outcome, work.layout),
            count,
            touches=bool(seen.touches),
            null_keys=bool(seen.null_keys),
            prune=work.flow.prune_where,
        )
        write(edits, work.target.table, work.layout, work.table)


def _finish(manifest: Manifest, plan: Done, work: _Work) -> None:
    manifest = replace(manifest, done={**manifest.done, work.batch.app: plan})
    manifest = compacted(work.spark, work.memory, manifest, work.flow.scd_type)
    work.memory.keep(manifest)
    if manifest.parts:
        work.memory.sweep(manifest)
