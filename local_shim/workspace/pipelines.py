"""The pipelines of a workspace: served from files, created by clients, or known from journals."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import unquote

from local_shim.durable_files import names
from local_shim.graph.plan import RefreshSelection
from local_shim.pipeline_spec.pipeline import PipelineSpec
from local_shim.storage import Storage
from local_shim.update.request import Request
from local_shim.workspace.api_error import ApiError, check_fields, missing
from local_shim.workspace.created_pipelines import CreatedPipelines, Settings, check_settings
from local_shim.workspace.description import Description, settings_of
from local_shim.workspace.updates.accepted_update import AcceptedUpdate
from local_shim.workspace.updates.history import UpdateHistory, UpdateSummary
from local_shim.workspace.updates.update_queue import UpdateQueue

# What a client may send with an update; `development` has no effect here.
_START_FIELDS: Mapping[str, type] = {
    **dict.fromkeys(("full_refresh", "validate_only", "development"), bool),
    **dict.fromkeys(("refresh_selection", "full_refresh_selection"), list),
    **dict.fromkeys(("refresh_selection_by_path", "full_refresh_selection_by_path"), list),
    **dict.fromkeys(("reset_checkpoint_selection", "replace_where_overrides"), list),
    "parameters": dict,
    "cause": str,
}


@dataclass(frozen=True)
class Pipelines:
    """The pipelines of `storage`. `read_spec` reads the served one, anew for each update.

    [choice] The id of a pipeline is its key in the storage, so that updates of the command line
    and of the server share checkpoints and are listed together.
    """

    storage: Path
    served_id: str
    read_spec: Callable[[], PipelineSpec]
    paths: Mapping[str, str] = field(default_factory=dict)
    root: Path = field(default_factory=Path.cwd)  # the code of created pipelines is below it
    queue: UpdateQueue = field(default_factory=UpdateQueue)
    _start_lock: Lock = field(default_factory=Lock)

    @property
    def created(self) -> CreatedPipelines:
        """The pipelines that clients created."""
        return CreatedPipelines(self.storage, self.root)

    def described(self) -> dict[str, Description]:
        """All pipelines by id, in order: the served one, those created, those that only ran."""
        spec, created = self.read_spec(), self.created
        described = {each: Description(each, each) for each in self._that_ran()}
        for each in created.ids():
            settings = created.settings(each)
            read = partial(created.spec, each)
            name = settings["name"]
            described[each] = Description(each, name, settings, created.modified(each), read)
        served = Description(spec.key, spec.name, settings_of(spec), read=lambda: spec)
        return dict(sorted({**described, spec.key: served}.items()))

    def describe(self, pipeline_id: str) -> Description:
        """One pipeline; raises ApiError if it is unknown."""
        self.check_exists(pipeline_id)
        return self.described()[pipeline_id]

    def check_exists(self, pipeline_id: str) -> None:
        """Raises ApiError for an unknown pipeline; needs no readable description."""
        if pipeline_id not in (self.served_id, *self.created.ids(), *self._that_ran()):
            raise missing(f"The specified pipeline {pipeline_id} was not found.")

    def _that_ran(self) -> list[str]:
        return [unquote(name) for name in names(self.storage / "system" / "journal")]

    def create(self, settings: Settings) -> str:
        """Keeps a new pipeline and gives its id; raises ApiError for wrong settings."""
        self._check(settings, "")
        return self.created.create(settings)

    def replace(self, pipeline_id: str, settings: Settings, expected: int | None) -> None:
        """Replaces all settings, if they were last modified when the client expects it."""
        description = self._changeable(pipeline_id)
        self._check(settings, pipeline_id)
        if expected not in (None, description.modified):
            raise ApiError(
                409, "RESOURCE_CONFLICT", f"Pipeline {pipeline_id} was modified after it was read."
            )
        self.created.replace(pipeline_id, settings)

    def delete(self, pipeline_id: str, *, cascade: bool) -> None:
        """Forgets a created pipeline; with `cascade` its tables are deleted, too."""
        self._changeable(pipeline_id)
        self._refuse_while_active(pipeline_id)
        storage = Storage(self.storage, pipeline_id)
        with storage.update_lock():
            if cascade:
                storage.delete_pipeline()
        self.created.delete(pipeline_id)

    def _refuse_while_active(self, pipeline_id: str) -> None:
        active = self.active(pipeline_id)
        if active:
            raise ApiError(
                409,
                "UPDATE_ALREADY_RUNNING",
                f"Update {active.update_id} of {pipeline_id} is {active.state}; it was left alone.",
            )

    def _changeable(self, pipeline_id: str) -> Description:
        description = self.describe(pipeline_id)
        if not description.modified:
            raise ApiError(
                400, "INVALID_STATE", f"Pipeline {pipeline_id} was not created by a client."
            )
        return description

    def _check(self, settings: Settings, pipeline_id: str) -> None:
        check_settings(settings)
        others = [each for each in self.described().values() if each.pipeline_id != pipeline_id]
        name_exists = settings["name"] in [each.name for each in others]
        if name_exists and not settings.get("allow_duplicate_names"):
            name = settings["name"]
            raise ApiError(409, "RESOURCE_CONFLICT", f"Another pipeline is named '{name}'.")

    def history(self, pipeline_id: str) -> UpdateHistory:
        """The journals of a pipeline."""
        return UpdateHistory(Storage(self.storage, pipeline_id))

    def updates(self, pipeline_id: str) -> list[UpdateSummary]:
        """The updates of a pipeline, newest first, with those that still wait."""
        waiting = self.queue.waiting(
            pipeline_id
        )  # read first: a waiting update may get its journal now
        stored = self.history(pipeline_id).updates()
        ids = {each.update_id for each in stored}
        return [*(each for each in waiting if each.update_id not in ids), *stored]

    def active(self, pipeline_id: str) -> UpdateSummary | None:
        """The update that has not ended, if there is one."""
        return next((each for each in self.updates(pipeline_id) if not each.ended), None)

    def start(self, pipeline_id: str, body: Mapping[str, Any]) -> str:
        """Accepts an update and gives its id; raises ApiError while another one is active."""
        description = self.describe(pipeline_id)
        if "rewind_spec" in body:
            raise ApiError(501, "NOT_IMPLEMENTED", "A rewind of tables is not supported here.")
        check_fields("an update", body, _START_FIELDS)
        if description.read is None:
            raise ApiError(
                400,
                "INVALID_STATE",
                f"This server cannot run pipeline {pipeline_id}: it only has past updates of it.",
            )
        request = self._request(description.read(), body)
        with self._start_lock:
            self._refuse_while_active(pipeline_id)
            self.queue.submit(AcceptedUpdate(request, bool(body.get("validate_only"))))
        return request.update_id

    def _request(self, spec: PipelineSpec, body: Mapping[str, Any]) -> Request:
        parameters = {**spec.parameters, **(body.get("parameters") or {})}
        return Request(
            replace(spec, parameters=parameters),
            self.storage,
            _selection(body),
            self.paths,
            cause=body.get("cause") or "API_CALL",
            update_id=str(uuid.uuid4()),
        )

    def stop(self, pipeline_id: str) -> None:
        """Stops the active update, also one that another process runs; nothing if there is none."""
        active = self.active(pipeline_id)
        if active and not self.queue.stop(active.update_id) and active.pid:
            with suppress(ProcessLookupError):
                os.kill(active.pid, signal.SIGINT)


def _selection(body: Mapping[str, Any]) -> RefreshSelection:
    predicates = {
        each["flow_name"]: each["predicate_override"]
        for each in body.get("replace_where_overrides") or ()
    }
    return RefreshSelection(
        tuple(body.get("refresh_selection") or ()),
        tuple(body.get("full_refresh_selection") or ()),
        bool(body.get("full_refresh")),
        tuple(body.get("reset_checkpoint_selection") or ()),
        predicates,
        tuple(body.get("refresh_selection_by_path") or ()),
        tuple(body.get("full_refresh_selection_by_path") or ()),
    )
