"""AUTO CDC on Delta: a target is a fold over its keys' events.

What a target holds depends on the set of events alone, not on their order, on their batches or on
how often they came. `apply_batch` folds one micro-batch into its target; it can be repeated after
a crash at any point.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from local_shim.cdc.drift import flow_facts, target_facts
from local_shim.cdc.fold.batch_counts import (
    BatchCounts,
    warnings_of,
)
from local_shim.cdc.fold.change_rows import (
    TRUNCATE,
    events_of,
    null_lowest,
)
from local_shim.cdc.micro_batch import MicroBatch, bounds_of, decide, fold, with_repeated_keys
from local_shim.cdc.reconcile import check_drift, reconcile
from local_shim.cdc.snapshots.apply import apply_snapshots
from local_shim.cdc.state.compaction import compacted
from local_shim.cdc.state.store import BatchResult, CdcState, Manifest, Part
from local_shim.cdc.state.tombstones import collect_tombstones
from local_shim.cdc.target_table.columns import is_sparse
from local_shim.cdc.target_table.target import Batch, CdcResult, CdcTarget
from local_shim.cdc.write.edits import TargetEdits, edits_of, write
from local_shim.cdc.write.size import Size
from local_shim.cdc.write.table import ensure_table, table_at
from local_shim.delta.snapshot import transactions
from local_shim.delta.transaction import transaction_settings
from local_shim.graph.elements import AutoCdcFlow, ScdType
from local_shim.jvm.configuration import settings
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

_ONE_FILE = 200_000  # state rows that go into one Parquet file


def apply_batch(
    changes: DataFrame, batch: Batch, flow: AutoCdcFlow, target: CdcTarget
) -> CdcResult:
    """Bring one micro-batch of change rows into its target.

    A batch that was applied before gives its result again and writes nothing. Raises FlowError
    for change rows that cannot be applied (a NULL sequence, a row outside `where`) and for
    a flow that no longer fits its target; nothing is written then.
    """
    spark, state = changes.sparkSession, CdcState(target.state)
    manifest = _manifest_after_crash(spark, state, target)
    previous = manifest.done.get(batch.app)
    if previous is not None and previous.version >= batch.version:
        return previous.result
    flow = null_lowest(flow, target)
    reconciled = reconcile(flow, changes, target, manifest)
    columns = reconciled.columns
    # Before the transaction id is set: Delta would take its first commit for the batch.
    table = ensure_table(spark, target.table, reconciled.table, columns.target)
    size = Size(estimated_bytes(changes), table.bytes, manifest.rows)
    tuning = {**size.profile, **target.spark_conf}
    with settings(spark, {**tuning, **transaction_settings(batch.app, batch.version)}):
        micro_batch = MicroBatch(
            spark=spark,
            flow=flow,
            target=target,
            id=batch,
            columns=columns,
            table=table,
            state=state,
            manifest=manifest,
            sparse=is_sparse(flow) or manifest.sparse,
            size=size,
            facts=flow_facts(flow, reconciled.declared),
        )
        return _apply(changes, micro_batch).result


def _manifest_after_crash(spark: SparkSession, state: CdcState, target: CdcTarget) -> Manifest:
    """The manifest; a batch that committed, but did not reach step 4 of `_apply`, is done."""
    manifest = state.manifest()
    if manifest.interrupted and table_at(spark, target.table) is not None:
        return manifest.with_commits(transactions(spark, str(target.table)))
    return manifest


def _apply(changes: DataFrame, micro_batch: MicroBatch) -> BatchResult:
    """The four steps of a batch. Only the last three write; each may be the last before a crash.

    1. Fold and count. A crash or an error here leaves nothing behind.
    2. Write the events that the target will not show into the state, with the planned result. The
       state rows come first, then the manifest that names them. When the batch comes again after
       a crash, SCD type 1 leaves out state rows of unfinished batches, and the other storage
       types take the union of events, in which a repeated one changes nothing.
    3. Commit the target under the batch's transaction id. After a crash the id in Delta's log
       tells that the planned result is done (`_manifest_after_crash`).
    4. Note the result as done. A repeated batch gives it again.
    """
    events = events_of(changes, micro_batch.flow, micro_batch.columns)
    with _persisted(events, when=not _is_used_once(micro_batch)) as events:
        bounds, micro_batch = bounds_of(events, micro_batch)
        micro_batch = with_repeated_keys(events, micro_batch)
        is_folded = micro_batch.repeated is None
        outcome = fold(events, bounds, micro_batch)
        with _persisted(outcome, when=is_folded and not micro_batch.size.small) as outcome:
            outcome, counts = decide(events, outcome, micro_batch)
            planned = BatchResult(
                micro_batch.id.version,
                counts.upserted,
                counts.deleted,
                warnings_of(counts, micro_batch.flow),
            )
            manifest = _write_state(events, outcome, counts, planned, micro_batch)
            _write_target(outcome, counts, micro_batch)
            _mark_done(manifest, planned, micro_batch)
            return planned


@contextmanager
def _persisted(frame: DataFrame, *, when: bool) -> Iterator[DataFrame]:
    frame = frame.persist() if when else frame
    try:
        yield frame
    finally:
        if when:
            frame.unpersist()


def _is_used_once(micro_batch: MicroBatch) -> bool:
    """Whether only one job reads the change rows, so that caching them costs more than it saves."""
    return (
        micro_batch.size.small
        and micro_batch.flow.apply_as_truncates is None
        and not micro_batch.keeps_every_event
    )


# --- step 2: the state


def _write_state(
    events: DataFrame,
    outcome: DataFrame,
    counts: BatchCounts,
    planned: BatchResult,
    micro_batch: MicroBatch,
) -> Manifest:
    batch, flow = micro_batch.id, micro_batch.flow
    now = time.time_ns() // 1000
    manifest = replace(
        micro_batch.manifest,
        schema=json.dumps(micro_batch.state_schema.jsonValue()),
        sparse=micro_batch.sparse,
        target=target_facts(flow, micro_batch.target),
        planned={**micro_batch.manifest.planned, batch.app: planned},
        flows={**micro_batch.manifest.flows, flow.name: micro_batch.facts},
        maintained_at=micro_batch.manifest.maintained_at or now,
    )
    if flow.scd_type is ScdType.ONE:
        manifest = manifest.without(manifest.of_batch(batch.app, batch.version))
    count = counts.events if micro_batch.keeps_every_event else counts.state_rows
    if count:
        # A bitemporal target keeps what was once believed, so its deletes are no tombstones.
        collectable = counts.tombstones and flow.scd_type is not ScdType.BITEMPORAL
        part = Part("", batch.app, batch.version, count, now if collectable else None)
        rows = _new_state_rows(events, outcome, micro_batch).withColumn("at", F.lit(now))
        rows = rows.select(*(F.col(f.name).cast(f.dataType) for f in micro_batch.state_schema))
        rows = rows.coalesce(1) if count < _ONE_FILE else rows
        manifest = micro_batch.state.write(rows, manifest, part)
    micro_batch.state.replace_manifest(manifest)
    return manifest


def _new_state_rows(events: DataFrame, outcome: DataFrame, micro_batch: MicroBatch) -> DataFrame:
    if micro_batch.keeps_every_event:
        return events.where(F.col("kind") != TRUNCATE)
    rows = outcome.where("for_state")
    if micro_batch.flow.scd_type is ScdType.ONE:
        return rows
    return rows.withColumn("row", F.col("event"))


# --- steps 3 and 4: the target, and the note that it is done


def _write_target(outcome: DataFrame, counts: BatchCounts, micro_batch: MicroBatch) -> None:
    count = counts.upserted + counts.deleted
    if count:
        edits = TargetEdits(
            edits_of(outcome, micro_batch.columns),
            count,
            touches=bool(counts.touches),
            null_keys=bool(counts.null_keys),
            prune=micro_batch.flow.prune_where,
        )
        write(edits, micro_batch.target.table, micro_batch.columns, micro_batch.table)


def _mark_done(manifest: Manifest, planned: BatchResult, micro_batch: MicroBatch) -> None:
    manifest = replace(manifest, done={**manifest.done, micro_batch.id.app: planned})
    manifest = compacted(micro_batch.spark, micro_batch.state, manifest, micro_batch.flow.scd_type)
    micro_batch.state.replace_manifest(manifest)
    if manifest.parts:
        micro_batch.state.delete_unnamed_parts(manifest)
