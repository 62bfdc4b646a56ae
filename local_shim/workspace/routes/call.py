"""One request, and the parts of the workspace that answer it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_shim.workspace.jobs.created_jobs import CreatedJobs
from local_shim.workspace.jobs.job_runs import JobRuns
from local_shim.workspace.paging import Query
from local_shim.workspace.permissions import Permissions
from local_shim.workspace.pipelines import Pipelines

Document = dict[str, Any]


@dataclass(frozen=True)
class Workspace:
    """What a server serves: pipelines, and jobs that run them."""

    pipelines: Pipelines
    runs: JobRuns

    @property
    def jobs(self) -> CreatedJobs:
        """The jobs that clients created."""
        return CreatedJobs(self.pipelines.storage)

    @property
    def permissions(self) -> Permissions:
        """The access control lists that clients set."""
        return Permissions(self.pipelines.storage)


@dataclass(frozen=True)
class Call:
    """One request: the names in its path, its query and its JSON."""

    workspace: Workspace
    names: tuple[str, ...] = ()
    query: Query = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pipelines(self) -> Pipelines:
        """The pipelines of the workspace."""
        return self.workspace.pipelines


Route = tuple[
    str, str, Callable[[Call], Document]
]  # method, pattern of the path, function that answers
