"""What is asked of an update, on the command line or in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os.path import abspath
from pathlib import Path

from local_shim.events.log import Listener
from local_shim.graph.plan import RefreshSelection
from local_shim.pipeline_spec.pipeline import PipelineSpec
from local_shim.reading.path_map import PathMap
from local_shim.storage import Storage


@dataclass(frozen=True)
class Request:
    """What the user asked for, on the command line or in Python."""

    spec: PipelineSpec
    storage: Path
    selection: RefreshSelection = field(default_factory=RefreshSelection)
    paths: Mapping[str, str] = field(default_factory=dict)
    listeners: Sequence[Listener] = ()
    continuous: bool = False
    seconds: float | None = None  # how long a continuous update goes on; None: until stopped
    cause: str = "USER_ACTION"  # as Databricks' `UpdateInfoCause` spells it
    update_id: str = ""  # a new one, if it is empty

    def opened_storage(self) -> Storage:
        """The storage as the pipeline sees it."""
        return Storage(self.storage, self.spec.key)

    def path_map(self) -> PathMap:
        """`paths` with absolute folders of this machine."""
        return PathMap({k: abspath(v.removeprefix("file:")) for k, v in self.paths.items()})

    def start_parameters(self) -> dict[str, object]:
        """The request with the field names of Databricks' `StartUpdate`."""
        return {
            **self.selection.start_parameters(),
            "parameters": dict(self.spec.parameters),
            "continuous": self.continuous,
            "cause": self.cause,
        }
