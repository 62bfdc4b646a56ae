"""Why an AUTO CDC target looks as it does, told from all changes that its sources hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyspark.sql import DataFrame

from local_shim.cdc.explain import explain, rendered_ties, ties
from local_shim.cdc.target import manner_of
from local_shim.engine.surroundings import Surroundings
from local_shim.engine.worlds import Running
from local_shim.errors import UsageError, close_match
from local_shim.graph.elements import AutoCdcFlow
from local_shim.graph.names import TableName
from local_shim.reading.flow_session import own_session
from local_shim.reading.world import in_world


def story(around: Surroundings, table: str, key: Mapping[str, Any]) -> str:
    """Every change of one key and what it did; without a key, the ties of the whole table."""
    name = around.namespace.qualify(table)
    flows = _flows(around, name, table)
    properties = around.graph.datasets[name].table_properties
    remainders = manner_of(properties, around.configuration).remainders
    parts = []
    for flow in flows:
        with own_session(around.spark, {}):
            changes = _changes(around, flow)
            if key:
                told = str(explain(changes, flow, key, remainders=remainders))
            else:
                told = rendered_ties(ties(changes, flow))
        parts.append(f"flow {flow.name}\n{told}" if len(flows) > 1 else told)
    return "\n\n".join(parts)


def _flows(around: Surroundings, name: TableName, asked: str) -> list[AutoCdcFlow]:
    flows = list(_change_flows(around))
    found = [flow for flow in flows if flow.target == name]
    if not found:
        raise UsageError(
            "NO_AUTO_CDC_TARGET",
            f"no AUTO CDC flow of this pipeline writes to '{asked}'.",
            hint=close_match(asked, [flow.target.table for flow in flows]),
        )
    return found


def _change_flows(around: Surroundings) -> Iterator[AutoCdcFlow]:
    for resolved in around.graph.flows:
        if isinstance(resolved.flow, AutoCdcFlow):
            yield resolved.flow


def _changes(around: Surroundings, flow: AutoCdcFlow) -> DataFrame:
    world = Running(
        around.spark,
        around.storage,
        around.paths,
        around.graph,
        around.namespace,
        flow.name,
        flow.target,
        all_in_batch=True,
    )
    with in_world(world):
        frame = world.table(flow.source, True, {})
    if frame is None:
        raise UsageError("SOURCE_NOT_FOUND", f"'{flow.source}' is not there.", hint="run an update")
    return frame
