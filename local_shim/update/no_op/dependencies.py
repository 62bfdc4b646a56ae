"""What a complete update depended on, stored so that the next one can see that nothing changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from local_shim import stored_json
from local_shim.durable_files import read_text, write_atomically
from local_shim.graph.names import TableName
from local_shim.storage import Storage
from local_shim.update.definition import Definition

_VERSION = 2


@dataclass(frozen=True)
class FlowDependencies:
    """What decides whether a flow has anything to do.

    A materialized view has a `digest` of its query. A stream has its `source`, the folder of a
    Delta table or, with the `options` of the user, that of an Auto Loader stream. A flow with
    neither is a once flow that ran.
    """

    name: str
    table: str
    digest: str = ""
    source: str = ""
    options: Mapping[str, str] | None = None

    @property
    def target(self) -> TableName:
        """The table that the flow writes to."""
        return TableName(*self.table.split(".", 2))


@dataclass(frozen=True)
class Dependencies:
    """What a complete update depended on.

    `tables` are the versions of its own tables at its end, by their folders. Its journal, by
    `update_id`, has the definitions of datasets and flows.
    """

    update_id: str
    definition: Definition
    tables: Mapping[str, int] = field(default_factory=dict)
    flows: tuple[FlowDependencies, ...] = ()


def write_dependencies(storage: Storage, dependencies: Dependencies) -> None:
    """Stores them for the next update."""
    write_atomically(storage.dependencies(), stored_json.dump(_VERSION, asdict(dependencies)))


def read_dependencies(storage: Storage) -> Dependencies | None:
    """Those of the last update, if it was complete and its flows can be checked without Spark."""
    text = read_text(storage.dependencies())
    if text is None or json.loads(text).get("version") != _VERSION:
        return None
    values = stored_json.known_fields(Dependencies, json.loads(text))
    flows = tuple(FlowDependencies(**flow) for flow in values.pop("flows"))
    definition = Definition(**values.pop("definition"))
    return Dependencies(**values, definition=definition, flows=flows)
