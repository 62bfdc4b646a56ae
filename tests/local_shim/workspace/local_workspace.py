"""A server in this process for a bundle with one pipeline, and journals for it to show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from databricks.sdk import WorkspaceClient

from local_shim.errors import ShimError
from local_shim.events.event import EventType, UpdateState
from local_shim.events.log import EventLog
from local_shim.events.runner import this_runner
from local_shim.pipeline_spec.load import from_bundle
from local_shim.storage import Storage
from local_shim.workspace.pipelines import Pipelines
from local_shim.workspace.server import WorkspaceServer
from local_shim.workspace.updates.update_queue import UpdateQueue

BUNDLE = """\
bundle: {name: insurance}
resources:
  pipelines:
    insurance:
      name: insurance-prod
      schema: claims
      libraries: [{glob: {include: src/**}}]
  jobs:
    refresh:
      name: insurance-refresh
      tasks:
        - task_key: update
          pipeline_task: {pipeline_id: "${resources.pipelines.insurance.id}"}
"""
TOKEN = "local"


@dataclass(frozen=True)
class LocalWorkspace:
    """A bundle, its storage, and the server that answers for them."""

    folder: Path
    server: WorkspaceServer
    url: str

    @property
    def pipelines(self) -> Pipelines:
        return self.server.workspace.pipelines

    @property
    def client(self) -> WorkspaceClient:
        return WorkspaceClient(host=self.url, token=TOKEN)

    @property
    def storage(self) -> Path:
        return self.folder / "storage"

    @property
    def variables(self) -> dict[str, str]:
        """The environment that leads databricks-sdk here."""
        return {
            "DATABRICKS_HOST": self.url,
            "DATABRICKS_TOKEN": TOKEN,
            "DATABRICKS_CONFIG_FILE": str(self.folder / "none"),
        }

    def write(self, source: str) -> None:
        """Replaces the only source file."""
        (self.folder / "src" / "tables.py").write_text(source)

    def get(self, path: str, **query: Any) -> Mapping[str, Any]:
        """The document at a path of the API, as it arrives."""
        document = self.client.api_client.do("GET", f"/api/2.0/{path}", query=query)
        assert isinstance(document, dict)
        return document

    def journal(self, update_id: str, *states: str, pipeline: str = "insurance", **of: Any) -> Path:
        """Writes the journal of an update that passed these states; `of` are its details."""
        path = Storage(self.storage, pipeline).journal(update_id)
        origin = {"pipeline_id": pipeline, "update_id": update_id}
        log = EventLog(path, origin, ())
        creation = {"cause": "USER_ACTION", "runner": this_runner(), **of}
        log.write(EventType.CREATE_UPDATE, "made", creation)
        for state in states:
            error = ShimError("NO_SOURCES", "nothing to do.") if state == "FAILED" else None
            log.update(UpdateState(state), error=error)
        log.close()
        return path


@contextmanager
def local_workspace(folder: Path, grace: float = 10.0) -> Iterator[LocalWorkspace]:
    """Serves a new bundle in `folder`; a stopped update has `grace` seconds to end."""
    (folder / "src").mkdir()
    (folder / "src" / "tables.py").touch()
    (folder / "databricks.yml").write_text(BUNDLE)
    pipelines = Pipelines(
        folder / "storage",
        "insurance",
        lambda: from_bundle(folder),
        root=folder,
        queue=UpdateQueue(grace),
    )
    with WorkspaceServer(pipelines, TOKEN) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield LocalWorkspace(folder, server, server.url)
        finally:
            server.shutdown()
            thread.join()
            pipelines.queue.close()
