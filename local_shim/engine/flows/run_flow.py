"""Runs a flow of any kind to its end."""

from __future__ import annotations

from local_shim import durable_files
from local_shim.engine.flows import (
    auto_cdc,
    materialized_view,
    replacing,
    sink,
    snapshots,
    streaming_table,
)
from local_shim.engine.flows.flow_run import FlowRun, once_marker
from local_shim.engine.update_context import FlowResult
from local_shim.graph.elements import (
    AutoCdcFlow,
    DatasetKind,
    ReplaceUsing,
    ReplaceWhere,
    SnapshotFlow,
)


def run_flow(run: FlowRun) -> FlowResult:
    """Runs the flow to its end; raises what stopped it."""
    result = _run_by_kind(run)
    if run.flow.once:
        durable_files.write_atomically(once_marker(run.context.storage, run.flow.flow), "")
    return result


def _run_by_kind(run: FlowRun) -> FlowResult:
    flow = run.flow.flow
    if isinstance(flow, SnapshotFlow):
        return snapshots.apply(run, flow)
    if isinstance(flow, AutoCdcFlow):
        return auto_cdc.apply(run, flow)
    if run.dataset.kind is DatasetKind.SINK:
        return sink.write(run, flow)
    if isinstance(flow.replace, ReplaceWhere):
        return replacing.replace_where(run, flow, flow.replace)
    if isinstance(flow.replace, ReplaceUsing):
        return replacing.replace_using(run, flow, flow.replace)
    if run.flow.streaming:
        return streaming_table.write(run, flow)
    return (
        streaming_table.append_once(run, flow)
        if flow.once
        else materialized_view.refresh(run, flow)
    )
