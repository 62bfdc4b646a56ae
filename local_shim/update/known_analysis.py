"""What the analysis of a pipeline gave, kept in the storage between its updates.

Analysing a query takes some tens of milliseconds of one core. Code and the columns of what it reads
decide the result, so that an update which has new rows alone need not analyse it before it runs.
The file may be deleted at any time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from local_shim import stored_json
from local_shim.durable_files import delete, read_text, write_atomically
from local_shim.errors import ShimError
from local_shim.events.query_plans import QueryPlan
from local_shim.graph.analysis.known_flows import KnownFlow, KnownInput, columns_digest
from local_shim.graph.graph import Graph, ResolvedFlow, Scope
from local_shim.storage import Storage
from local_shim.update.definition import Definition
from local_shim.update.request import Request

_VERSION = 1


@dataclass(frozen=True)
class KnownAnalysis:
    """The flows whose analysis is known, and the configuration keys that all queries read."""

    flows: Mapping[str, KnownFlow] = field(default_factory=dict)
    keys_read: frozenset[str] = frozenset()


def read_known(request: Request, started_ns: int) -> KnownAnalysis:
    """What is known about the code that was loaded after `started_ns`; nothing if it is new."""
    text = read_text(request.opened_storage().analysis())
    values = json.loads(text) if text else {}
    if values.get("version") != _VERSION:
        return KnownAnalysis()
    definition = Definition(**values["definition"])
    try:
        if not definition.is_current(request) or definition.changed_since(request, started_ns):
            return KnownAnalysis()
    except (OSError, ShimError):  # a file is gone
        return KnownAnalysis()
    flows = {name: _flow(each) for name, each in values["flows"].items()}
    return KnownAnalysis(flows, frozenset(values["keys_read"]))


def _flow(values: dict[str, Any]) -> KnownFlow:
    inputs = tuple(KnownInput(**each) for each in values.pop("inputs"))
    return KnownFlow(inputs=inputs, **values)


def write_known(
    storage: Storage,
    definition: Definition | None,
    graph: Graph,
    plans: Mapping[str, QueryPlan],
    keys_read: Iterable[str],
) -> None:
    """Stores what can be known for the next update; `plans` are those of the flows, by name."""
    path, flows = storage.analysis(), dict(_known_flows(graph, plans))
    if definition is None or not flows:
        delete(path)
        return
    values = {
        "definition": asdict(definition),
        "keys_read": sorted(keys_read),
        "flows": {name: asdict(flow) for name, flow in flows.items()},
    }
    text = stored_json.dump(_VERSION, values)
    if text != read_text(path):
        write_atomically(path, text)


def _known_flows(graph: Graph, plans: Mapping[str, QueryPlan]) -> Iterator[tuple[str, KnownFlow]]:
    """None if one flow depends on the session, which the analysis of another may have changed."""
    if any(flow.scope is Scope.SESSION for flow in graph.flows):
        return
    for flow in graph.flows:
        # A table without columns gets them from a function that gives snapshots.
        if flow.scope is Scope.DATASETS and all(graph.schemas[i.name].fields for i in flow.inputs):
            yield flow.name, _known_flow(flow, graph, plans[flow.name])


def _known_flow(flow: ResolvedFlow, graph: Graph, plan: QueryPlan) -> KnownFlow:
    return KnownFlow(
        tuple(
            KnownInput(str(each.name), each.streaming, columns_digest(graph.schemas[each.name]))
            for each in flow.inputs
        ),
        flow.schema.json(),
        flow.streaming,
        flow.digest,
        flow.follows_code,
        flow.complete,
        plan.column_lineage,
        plan.explain_text,
    )
