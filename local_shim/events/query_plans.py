"""What events say of the plans of a pipeline's queries: the column lineage and the plan as text.

Reading them from Spark costs some milliseconds a flow. Code and column names decide them, so they
are kept in the storage between updates; the file may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from local_shim import stored_json
from local_shim.durable_files import read_text, write_atomically
from local_shim.storage import Storage

if TYPE_CHECKING:  # these names are for readers; importing them would load Spark
    from local_shim.graph.graph import Graph, Lineage, ResolvedFlow

_VERSION = 2  # version 1 had the lineage alone; its keys match none of these


@dataclass(frozen=True)
class QueryPlan:
    """The analysed plan of one flow: where its columns come from, and its text (none for CDC)."""

    column_lineage: Lineage
    explain_text: str | None


def query_plans(storage: Storage, graph: Graph, fingerprint: str) -> Mapping[str, QueryPlan]:
    """The plan of each flow by its name; `fingerprint` stands for the code."""
    path = storage.lineage()
    text = read_text(path)
    earlier = stored_json.load(text, _VERSION, path) if text else {}
    keys = {flow.name: _key(flow, fingerprint) for flow in graph.flows}
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Spark prints plans on as many cores
        plans = pool.map(lambda flow: earlier.get(keys[flow.name]) or _plan(flow), graph.flows)
        current = dict(zip(keys.values(), plans, strict=True))
    if current.keys() - earlier.keys():
        write_atomically(path, stored_json.dump(_VERSION, current))
    return {name: QueryPlan(**current[key]) for name, key in keys.items()}


def _plan(flow: ResolvedFlow) -> dict[str, Any]:
    return asdict(QueryPlan(flow.lineage(), flow.explain_text()))


def _key(flow: ResolvedFlow, fingerprint: str) -> str:
    code = flow.digest or fingerprint
    columns = "\n".join([str(_VERSION), code, flow.name, *flow.schema.names])
    return hashlib.sha256(columns.encode()).hexdigest()
