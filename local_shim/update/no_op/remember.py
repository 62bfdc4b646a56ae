"""Stores what a complete update depended on, if the next one can check all of it without Spark."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from local_shim.engine.flows.flow_run import once_marker
from local_shim.engine.reads.sources import StreamSource
from local_shim.engine.update_context import UpdateContext
from local_shim.errors import ShimError
from local_shim.graph.elements import DatasetKind
from local_shim.graph.graph import ResolvedFlow
from local_shim.loading.fingerprint import code_files, definition_fingerprint
from local_shim.loading.repeatable_code import is_repeatable
from local_shim.update.no_op.dependencies import Dependencies, FlowDependencies, write_dependencies
from local_shim.update.prepared import Prepared


def remember(
    ready: Prepared, sources: Mapping[str, StreamSource], update_id: str, started_ns: int
) -> None:
    """Stores what an update depended on that began to read its code at `started_ns`.

    `sources` are those of the streams that have only one. Nothing is stored if anything cannot be
    checked: code that was edited meanwhile, or that may look at a clock, at other files or (outside
    of queries) at tables; an event hook; a flow into a sink or from snapshots; a view that is
    computed each time.
    """
    spec, code = ready.request.spec, code_files(ready.request.spec, ready.registry.notebooks)
    flows = [
        _dependencies(ready.context, each, sources.get(each.name)) for each in ready.plan.flows
    ]
    checkable = tuple(flow for flow in flows if flow is not None)
    registry = ready.registry
    if registry.hooks or registry.reads_tables or len(checkable) < len(flows):
        return
    with suppress(OSError, SyntaxError, ShimError):  # a file is gone, or no longer code
        if is_repeatable(code, spec):
            definition = definition_fingerprint(spec, ready.context.paths.prefixes, code)
            if not any(_changed_since(path, started_ns) for path in code):
                names, tables = tuple(map(str, code)), _versions(ready)
                known = Dependencies(update_id, definition, names, tables, checkable)
                write_dependencies(ready.context.storage, known)


def _changed_since(path: Path, started_ns: int) -> bool:
    """By the time that no program sets: that of an edit may be kept when a file is replaced."""
    return path.stat().st_ctime_ns >= started_ns


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
