"""One micro-batch on its way into its target, and the fold of its events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from local_shim.cdc.drift import check_floor
from local_shim.cdc.fold import bitemporal, scd1, scd2, sparse
from local_shim.cdc.fold.batch_counts import (
    BatchCounts,
    checkpointed_with_counts,
    count_batch,
    refuse_unusable_rows,
)
from local_shim.cdc.fold.change_rows import TRUNCATE, UPSERT, literal, scalar, state_schema
from local_shim.cdc.fold.first_load import fold_repeated, repeated_keys
from local_shim.cdc.fold.outcome import Bounds
from local_shim.cdc.state.store import CdcState, Manifest
from local_shim.cdc.target_table.columns import TargetColumns
from local_shim.cdc.target_table.target import Batch, CdcTarget
from local_shim.cdc.write.size import Size
from local_shim.cdc.write.table import Table, target_rows
from local_shim.graph.elements import AutoCdcFlow, ScdType


@dataclass(frozen=True)
class MicroBatch:
    """One micro-batch, its flow, and what is known of its target."""

    spark: SparkSession
    flow: AutoCdcFlow
    target: CdcTarget
    id: Batch
    columns: TargetColumns
    table: Table
    state: CdcState
    manifest: Manifest
    sparse: bool
    size: Size
    facts: dict[str, Any]  # how this flow orders changes; compared in the next update
    repeated: tuple[int, ...] | None = None  # of a first load: see `first_load.repeated_keys`

    @property
    def state_schema(self) -> StructType:
        """The columns of the state's rows; SCD type 1 has the values in the target."""
        with_rows = self.flow.scd_type is not ScdType.ONE
        return state_schema(self.columns, with_rows=with_rows)

    @property
    def keeps_every_event(self) -> bool:
        """Whether the state needs all events, not only those that the target does not show."""
        scd_type = self.flow.scd_type
        return scd_type is ScdType.BITEMPORAL or (scd_type is ScdType.ONE and self.sparse)

    @property
    def is_first_load(self) -> bool:
        """Whether this is a large batch of whole rows, before which nothing is known of any key."""
        whole_rows = not self.sparse and self.flow.scd_type is not ScdType.BITEMPORAL
        no_bounds = self.flow.apply_as_truncates is None and self.manifest.floor is None
        size = self.size
        return whole_rows and no_bounds and not size.small and size.table + size.state == 0

    @property
    def all_target_rows(self) -> DataFrame:
        """The target's rows, within the flow's `where`."""
        return target_rows(
            self.spark, self.target.table, self.table, self.columns, self.flow.prune_where
        )


def with_repeated_keys(events: DataFrame, micro_batch: MicroBatch) -> MicroBatch:
    """The micro-batch with its repeated keys, if it is a first load."""
    if not micro_batch.is_first_load:
        return micro_batch
    return replace(micro_batch, repeated=repeated_keys(events))


def fold(events: DataFrame, bounds: Bounds, micro_batch: MicroBatch) -> DataFrame:
    """The outcome frame of the batch, by the fold of the flow's storage type."""
    if micro_batch.repeated is None:
        return _fold(events, bounds, micro_batch)
    storage = scd1 if micro_batch.flow.scd_type is ScdType.ONE else scd2
    return fold_repeated(
        events,
        micro_batch.repeated,
        storage.of_single_events,
        lambda rest: _fold(rest, bounds, micro_batch),
    )


def _fold(events: DataFrame, bounds: Bounds, micro_batch: MicroBatch) -> DataFrame:
    columns, gather, scd_type = (
        micro_batch.columns,
        micro_batch.size.gather,
        micro_batch.flow.scd_type,
    )
    state_rows = _state_rows(events, bounds, micro_batch)
    if scd_type is ScdType.ONE and not micro_batch.sparse:
        return scd1.fold(events, state_rows, bounds, gather)
    rows = micro_batch.all_target_rows
    if not bounds.moved:
        rows = micro_batch.size.of_keys(rows, events)
    if scd_type is ScdType.TWO:
        return scd2.fold(events, state_rows, rows, columns, micro_batch.sparse, gather)
    if scd_type is ScdType.BITEMPORAL:
        return bitemporal.fold(events, state_rows, rows, columns, micro_batch.sparse, gather)
    return sparse.fold_sparse(events, state_rows, rows, columns, bounds, gather)


def decide(
    events: DataFrame, outcome: DataFrame, micro_batch: MicroBatch
) -> tuple[DataFrame, BatchCounts]:
    """The final outcome and its counts; FlowError for change rows that cannot be applied."""
    count = checkpointed_with_counts if micro_batch.size.small else count_batch
    outcome, counts = count(outcome)
    refuse_unusable_rows(
        counts, micro_batch.flow, strict_keys=micro_batch.target.options.strict_keys
    )
    if counts.contested:
        rows = micro_batch.size.of_keys(micro_batch.all_target_rows, events)
        outcome, counts = count(scd1.decide_contested(outcome, rows))
    return outcome, counts


def _state_rows(events: DataFrame, bounds: Bounds, micro_batch: MicroBatch) -> DataFrame | None:
    """The state's events of the batch's keys; of all keys if the batch may void any row."""
    is_scd1 = micro_batch.flow.scd_type is ScdType.ONE
    without = micro_batch.manifest.unfinished() if is_scd1 else set()
    rows = micro_batch.state.read(
        micro_batch.spark, micro_batch.manifest, micro_batch.state_schema, without
    )
    if bounds.floor is not None:
        rows = _with_snapshot_rows(rows, bounds.floor, micro_batch)
    if rows is None or bounds.moved:
        return rows
    return micro_batch.size.of_keys(rows, events)


def _with_snapshot_rows(
    rows: DataFrame | None, floor: Column, micro_batch: MicroBatch
) -> DataFrame:
    """Adds an upsert at the snapshot's version for each target row: a snapshot leaves no events."""
    snapshot = micro_batch.all_target_rows.select(
        "key", floor.alias("seq"), F.lit(UPSERT).alias("kind")
    )
    if rows is None:
        return snapshot
    return rows.where(F.col("seq") > floor).unionByName(snapshot, allowMissingColumns=True)


def bounds_of(events: DataFrame, micro_batch: MicroBatch) -> tuple[Bounds, MicroBatch]:
    """The sequences up to which events are void, and the micro_batch whose manifest has them."""
    manifest, kind = micro_batch.manifest, micro_batch.columns.sequence
    assert kind is not None  # an AUTO CDC flow has a sequence
    check_floor(micro_batch.flow, kind, manifest)
    before, floor = literal(manifest.truncated, kind), literal(manifest.floor, kind)
    unmoved = Bounds(before, before, floor)
    if micro_batch.flow.apply_as_truncates is None:
        return unmoved, micro_batch
    truncates = events.where(F.col("kind") == TRUNCATE)
    newest = F.max("seq") if before is None else F.greatest(F.max("seq"), before)
    row = truncates.agg(F.count("seq").alias("count"), scalar(newest).alias("newest")).first()
    if not row or not row["count"] or row["newest"] == manifest.truncated:
        return unmoved, micro_batch
    moved = Bounds(literal(row["newest"], kind), before, floor)
    return moved, replace(micro_batch, manifest=replace(manifest, truncated=row["newest"]))
