"""Stores what a complete update depended on, if the next one can check all of it without Spark."""

from __future__ import annotations

from collections.abc import Mapping

from local_shim.engine.flows.flow_run import once_marker
from local_shim.engine.reads.sources import StreamSource
from local_shim.engine.update_context import UpdateContext
from local_shim.graph.elements import DatasetKind
from local_shim.graph.graph import ResolvedFlow
from local_shim.update.definition import Definition
from local_shim.update.no_op.dependencies import Dependencies, FlowDependencies, write_dependencies
from local_shim.update.prepared import Prepared


def remember(
    ready: Prepared,
    definition: Definition | None,
    sources: Mapping[str, StreamSource],
    update_id: str,
) -> None:
    """Stores what an update depended on that ran this definition.

    `sources` are those of the streams that have only one. Nothing is stored if anything cannot be
    checked: code that is not repeatable, an event hook, a flow into a sink or from snapshots, a
    view that is computed each time.
    """
    flows = [
        _dependencies(ready.context, each, sources.get(each.name)) for each in ready.plan.flows
    ]
    checkable = tuple(flow for flow in flows if flow is not None)
    if definition is not None and not ready.registry.hooks and len(checkable) == len(flows):
        known = Dependencies(update_id, definition, _versions(ready), checkable)
        write_dependencies(ready.context.storage, known)


def _versions(ready: Prepared) -> dict[str, int]:
    storage = ready.context.storage
    names = [dataset.name for dataset in ready.plan.tables()]
    return {str(storage.table(name)): storage.version(name) for name in names}


def _dependencies(
    context: UpdateContext, flow: ResolvedFlow, source: StreamSource | None
) -> FlowDependencies | None:
    """None for a flow that only Spark can tell about."""
    storage, table = context.storage, str(flow.target)
    if context.graph.datasets[flow.target].kind is DatasetKind.MATERIALIZED_VIEW:
        record = storage.record(flow.target)
        digest = record.fingerprint if record else ""
        return FlowDependencies(flow.name, table, digest) if digest else None
    if flow.once:
        ran = once_marker(storage, flow.flow).exists()
        return FlowDependencies(flow.name, table) if ran else None
    if source is None:
        return None
    return FlowDependencies(flow.name, table, source=source.path, options=source.options)
