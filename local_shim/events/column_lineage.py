"""The column lineage of a pipeline's flows, computed again only where it may have changed.

Reading it from plans costs some milliseconds a flow. Code and column names decide it, so it is
kept in the storage between updates; the file may be deleted at any time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from local_shim import stored_json
from local_shim.durable_files import read_text, write_atomically
from local_shim.storage import Storage

if TYPE_CHECKING:  # these names are for readers; importing them would load Spark
    from local_shim.graph.graph import Graph, Lineage, ResolvedFlow

_VERSION = 1


def column_lineage(storage: Storage, graph: Graph, fingerprint: str) -> Mapping[str, Lineage]:
    """The lineage of each flow by its name; `fingerprint` stands for the code."""
    path = storage.lineage()
    text = read_text(path)
    earlier = stored_json.load(text, _VERSION, path) if text else {}
    keys = {flow.name: _key(flow, fingerprint) for flow in graph.flows}
    current = {
        keys[flow.name]: earlier.get(keys[flow.name]) or flow.lineage() for flow in graph.flows
    }
    if current.keys() - earlier.keys():
        write_atomically(path, stored_json.dump(_VERSION, current))
    return {name: current[key] for name, key in keys.items()}


def _key(flow: ResolvedFlow, fingerprint: str) -> str:
    columns = "\n".join([fingerprint, flow.name, *flow.schema.names])
    return hashlib.sha256(columns.encode()).hexdigest()
