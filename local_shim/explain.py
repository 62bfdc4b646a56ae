"""Explains an AUTO CDC target from all changes that its sources still have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyspark.sql import DataFrame

from local_shim.cdc.explain.explain import explain, rendered_ties, ties
from local_shim.cdc.target_table.target import cdc_options
from local_shim.engine.reads.flow_reads import FlowReads
from local_shim.engine.update_context import UpdateContext
from local_shim.errors import UsageError, close_match
from local_shim.graph.elements import AutoCdcFlow
from local_shim.graph.names import TableName
from local_shim.jvm.flow_session import own_session
from local_shim.reading.source_resolver import resolving_with
from local_shim.update.prepared import prepared
from local_shim.update.request import Request


def explain_table(request: Request, table: str, key: Mapping[str, str]) -> str:
    """Every change of one key and what it did; without a key, the ties of the whole table.

    Nothing is written. Raises UsageError if no AUTO CDC flow writes to `table`.
    """
    with prepared(request) as ready:
        return _explained(ready.context, table, key)


def _explained(context: UpdateContext, table: str, key: Mapping[str, Any]) -> str:
    name = context.namespace.qualify(table)
    flows = _flows(context, name, table)
    properties = context.graph.datasets[name].table_properties
    remainders = cdc_options(properties, context.configuration).remainders
    parts = []
    for flow in flows:
        with own_session(context.spark, {}):
            changes = _changes(context, flow)
            if key:
                text = str(explain(changes, flow, key, remainders=remainders))
            else:
                text = rendered_ties(ties(changes, flow))
        parts.append(f"flow {flow.name}\n{text}" if len(flows) > 1 else text)
    return "\n\n".join(parts)


def _flows(context: UpdateContext, name: TableName, table: str) -> list[AutoCdcFlow]:
    flows = list(_change_flows(context))
    writers = [flow for flow in flows if flow.target == name]
    if not writers:
        raise UsageError(
            "NO_AUTO_CDC_TARGET",
            f"no AUTO CDC flow of this pipeline writes to '{table}'.",
            hint=close_match(table, [flow.target.table for flow in flows]),
        )
    return writers


def _change_flows(context: UpdateContext) -> Iterator[AutoCdcFlow]:
    for resolved in context.graph.flows:
        if isinstance(resolved.flow, AutoCdcFlow):
            yield resolved.flow


def _changes(context: UpdateContext, flow: AutoCdcFlow) -> DataFrame:
    reads = FlowReads(context, all_in_batch=True)
    with resolving_with(reads):
        frame = reads.table(flow.source, True, {})
    if frame is None:
        raise UsageError(
            "SOURCE_NOT_FOUND", f"'{flow.source}' does not exist.", hint="run an update"
        )
    return frame
