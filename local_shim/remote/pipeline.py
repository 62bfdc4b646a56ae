"""A deployed pipeline: found by its name, started, followed, stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local_shim.errors import UsageError
from local_shim.remote.connection import workspace_errors
from local_shim.remote.deployed_name import the_only_one

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.pipelines import GetPipelineResponse

    from local_shim.graph.plan import RefreshSelection

ENDED = ("COMPLETED", "FAILED", "CANCELED")
_PAGE = 250  # events a request
_PAUSE = 2.0  # seconds between two checks of a running update

Event = Mapping[str, Any]


@dataclass(frozen=True)
class DeployedPipeline:
    """One pipeline of a workspace."""

    workspace: WorkspaceClient
    pipeline_id: str
    name: str

    def start(self, selection: RefreshSelection, validate_only: bool) -> str:
        """Starts an update and gives its id."""
        from databricks.sdk.service.pipelines import ReplaceWhereOverride

        predicates = [
            ReplaceWhereOverride(flow_name=flow, predicate_override=predicate)
            for flow, predicate in selection.replace_where_overrides.items()
        ]
        with workspace_errors():
            response = self.workspace.pipelines.start_update(
                self.pipeline_id,
                full_refresh=selection.full_refresh_all or None,
                full_refresh_selection=list(selection.full_refresh) or None,
                refresh_selection=list(selection.refresh) or None,
                reset_checkpoint_selection=list(selection.reset_checkpoints) or None,
                replace_where_overrides=predicates or None,
                validate_only=validate_only or None,
            )
        return response.update_id or ""

    def follow(self, update_id: str, show: Callable[[Event], None], pause: float = _PAUSE) -> str:
        """Shows each event of an update once, until it ends; gives the state in which it ended."""
        event_ids: set[str] = set()
        newest = ""
        while True:
            # Read before the events, so that they hold all that happened before the end.
            state = self.state_of(update_id)
            has_ended = state in ENDED
            for event in self.events(update_id, since="" if has_ended else newest):
                if event["id"] not in event_ids:
                    event_ids.add(event["id"])
                    newest = max(newest, event["timestamp"])
                    show(event)
            if has_ended:
                return state
            time.sleep(pause)

    def state_of(self, update_id: str) -> str:
        """The state of an update, as the API spells it."""
        with workspace_errors():
            update = self.workspace.pipelines.get_update(self.pipeline_id, update_id).update
        return update.state.value if update and update.state else "QUEUED"

    def events(self, update_id: str, since: str = "") -> Iterator[Event]:
        """The events of an update, oldest first, with the `details` that the SDK's class drops.

        With `since`, a timestamp of an event, only those that are not older.
        """
        condition = f"update_id = '{update_id}'"
        if since:
            condition += f" AND timestamp >= '{since}'"
        path = f"/api/2.0/pipelines/{self.pipeline_id}/events"
        query: dict[str, Any] = {
            "filter": condition,
            "order_by": "timestamp asc",
            "max_results": _PAGE,
        }
        while True:
            with workspace_errors():
                page = self.workspace.api_client.do("GET", path, query=query)
            assert isinstance(page, dict)
            yield from page.get("events", ())
            if not page.get("next_page_token"):
                return
            query = {**query, "page_token": page["next_page_token"]}

    def status(self) -> GetPipelineResponse:
        """The state of the pipeline in the workspace, with its latest updates."""
        with workspace_errors():
            return self.workspace.pipelines.get(self.pipeline_id)

    def latest_update(self) -> str:
        """The id of the newest update; raises UsageError if there was none."""
        updates = self.status().latest_updates
        if not updates or not updates[0].update_id:
            raise UsageError("NO_UPDATE", f"'{self.name}' has not run yet.", hint="remote run")
        return updates[0].update_id

    def stop(self) -> None:
        """Stops the active update; does nothing if there is none."""
        with workspace_errors():
            self.workspace.pipelines.stop(self.pipeline_id)


def find(workspace: WorkspaceClient, name: str) -> DeployedPipeline:
    """The pipeline of this name, also behind the prefix that a development target puts before it.

    Raises UsageError if there is none or more than one.
    """
    with workspace_errors():
        pipelines = list(workspace.pipelines.list_pipelines(filter=f"name LIKE '%{name}'"))
    names = {each.pipeline_id or "": each.name or "" for each in pipelines}
    pipeline_id = the_only_one("pipeline", name, names)
    return DeployedPipeline(workspace, pipeline_id, names[pipeline_id])
