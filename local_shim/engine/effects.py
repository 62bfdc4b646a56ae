"""What an update would do to the stored tables, found before it runs; nothing is written.

The effects come from the definitions, the records and the checkpoints. What new rows at the
sources will do is not among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from pyspark.sql import DataFrame

from local_shim.cdc.apply import check_drift
from local_shim.delta.log import stored_partitioning
from local_shim.delta.tables import same_columns
from local_shim.engine.flows.auto_cdc import target_of
from local_shim.engine.flows.materialized_view import view_digest
from local_shim.engine.refresh_plan import plan_refresh
from local_shim.engine.update_context import UpdateContext
from local_shim.errors import ShimError
from local_shim.graph.elements import AutoCdcFlow, Dataset, DatasetKind, SnapshotFlow
from local_shim.graph.graph import ResolvedFlow
from local_shim.graph.plan import EffectKind, Plan, TableEffect


def effects_of(
    context: UpdateContext, plan: Plan, fingerprint: str, change_rows: Mapping[str, DataFrame]
) -> tuple[TableEffect, ...]:
    """The effects of a plan, by dataset in order of definition; none for a storage without tables.

    `fingerprint` stands for code and configuration; `change_rows` are the sources of AUTO CDC
    flows, by flow.
    """
    preview = Preview(context, plan, fingerprint, change_rows)
    return tuple([*preview.of_tables(), *preview.of_removed_tables()])


class Preview:
    """Compares the definitions of a plan with what the storage has."""

    def __init__(
        self,
        context: UpdateContext,
        plan: Plan,
        fingerprint: str,
        change_rows: Mapping[str, DataFrame],
    ):
        self.context = context
        self.storage = context.storage
        self.plan = plan
        self.fingerprint = fingerprint
        self.change_rows = change_rows

    def of_tables(self) -> Iterator[TableEffect]:
        """What happens to each table that the selected flows write to."""
        resets = {dataset.name for dataset in self.plan.reset_tables}
        for dataset in self.plan.tables():
            if self.storage.record(dataset.name) is None:
                yield TableEffect(dataset.name, EffectKind.CREATED)
            elif dataset.name in resets:
                yield TableEffect(dataset.name, EffectKind.EMPTIED, self._lost_by_reset(dataset))
            elif dataset.kind is DatasetKind.MATERIALIZED_VIEW:
                yield from self._of_view(dataset)
            else:
                yield from self._of_streaming_table(dataset)

    def of_removed_tables(self) -> Iterator[TableEffect]:
        """Tables of this pipeline that no definition has any more (behaviour 113)."""
        names = {str(name) for name in self.plan.graph.datasets}
        for record in self.storage.records():
            if record.pipeline == self.storage.pipeline and record.name not in names:
                name = self.context.namespace.qualify(record.name)
                reason = "no longer declared: its rows stay and are not refreshed"
                yield TableEffect(name, EffectKind.UNCHANGED, reason)

    def _of_view(self, dataset: Dataset) -> Iterator[TableEffect]:
        for flow in self._writers(dataset):
            digest = view_digest(self.fingerprint, self.context, flow)
            full = flow.target in self.plan.recomputed_views
            refresh = plan_refresh(self.context, flow, digest, full=full)
            if refresh is not None and refresh.reason:
                yield TableEffect(dataset.name, EffectKind.RECOMPUTED, refresh.reason)

    def _of_streaming_table(self, dataset: Dataset) -> Iterator[TableEffect]:
        yield from self._full_refresh_needed(dataset)
        declared = {flow.name: flow for flow in self._writers(dataset)}
        stored = self._flows_with_progress(dataset)
        for name in declared.keys() - stored:
            reason = f"flow '{name}' is new and reads its sources from the start"
            yield TableEffect(dataset.name, EffectKind.READ_AGAIN, reason)
        for name in sorted(stored - declared.keys()):
            reason = f"flow '{name}' is no longer declared: its rows stay"
            yield TableEffect(dataset.name, EffectKind.UNCHANGED, reason)
        for flow in self.plan.reset_checkpoints:
            if flow.target == dataset.name:
                reason = f"flow '{flow.name}' reads its sources again; rows may come twice"
                yield TableEffect(dataset.name, EffectKind.READ_AGAIN, reason)

    def _full_refresh_needed(self, dataset: Dataset) -> Iterator[TableEffect]:
        partitioning = stored_partitioning(self.storage.table(dataset.name))
        if partitioning is not None and not same_columns(partitioning, dataset.partition_cols):
            before, now = ", ".join(partitioning), ", ".join(dataset.partition_cols)
            reason = f"its partition columns change from ({before}) to ({now})"
            yield TableEffect(dataset.name, EffectKind.FULL_REFRESH_NEEDED, reason)
        for flow in self._writers(dataset):
            if isinstance(flow.flow, AutoCdcFlow | SnapshotFlow):
                yield from self._drift(dataset, flow.flow)

    def _drift(self, dataset: Dataset, flow: AutoCdcFlow | SnapshotFlow) -> Iterator[TableEffect]:
        source = self.change_rows.get(flow.name)
        if source is None:
            return
        try:
            check_drift(flow, target_of(self.context, dataset), source)
        except ShimError as error:
            yield TableEffect(dataset.name, EffectKind.FULL_REFRESH_NEEDED, error.message)

    def _flows_with_progress(self, dataset: Dataset) -> set[str]:
        folder = self.storage.checkpoint(dataset.name, "-").parents[1]
        return {unquote(path.name) for path in folder.glob("*") if any(path.glob("*/*"))}

    def _lost_by_reset(self, dataset: Dataset) -> str:
        flows = [flow.flow for flow in self._writers(dataset)]
        if any(isinstance(flow, AutoCdcFlow | SnapshotFlow) for flow in flows):
            return "its rows and history go; what its sources no longer have is lost"
        return "its rows go; what its sources no longer have is lost"

    def _writers(self, dataset: Dataset) -> tuple[ResolvedFlow, ...]:
        return self.plan.graph.writers(dataset.name)
