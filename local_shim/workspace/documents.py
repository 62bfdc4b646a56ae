"""The JSON documents of users, pipelines and updates, with the field names of databricks-sdk."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from typing import Any

from local_shim.workspace.description import Description
from local_shim.workspace.event_filter import instant
from local_shim.workspace.updates.history import UpdateSummary

Document = dict[str, Any]

_LATEST = 5  # updates in the document of a pipeline
_BESIDE_SPEC = ("run_as", "parameters")
_PIPELINE_STATES = {"RUNNING": "RUNNING", "STOPPING": "STOPPING", "RESETTING": "RESETTING"}


def user() -> Document:
    """The only user: the one of this machine."""
    name = _user_name()
    return {
        "id": "1",
        "userName": name,
        "displayName": getpass.getuser(),
        "active": True,
        "emails": [{"value": name, "primary": True}],
        "groups": [],
    }


def status(description: Description, updates: Sequence[UpdateSummary]) -> Document:
    """A pipeline in a list; `updates` are newest first.

    The state is never IDLE while an update is accepted and has not ended: clients wait for it.
    """
    latest = updates[0] if updates else None
    idle = latest is None or latest.ended
    failed = latest is not None and latest.state == "FAILED"
    state = "IDLE" if idle or latest is None else _PIPELINE_STATES.get(latest.state, "STARTING")
    return {
        "pipeline_id": description.pipeline_id,
        "name": description.name,
        "state": state,
        "health": "UNHEALTHY" if failed else "HEALTHY",
        "creator_user_name": _user_name(),
        "run_as_user_name": _user_name(),
        "latest_updates": [
            {"update_id": each.update_id, "state": each.state, "creation_time": each.created}
            for each in updates[:_LATEST]
        ],
    }


def pipeline(description: Description, updates: Sequence[UpdateSummary]) -> Document:
    """One pipeline; after a failed update with its error as `cause`."""
    document = status(description, updates)
    if document["health"] == "UNHEALTHY":
        document["cause"] = updates[0].error.splitlines()[0] if updates[0].error else ""
    settings = description.settings
    beside = {name: settings[name] for name in _BESIDE_SPEC if name in settings}
    return {
        **document,
        **beside,
        **({"spec": spec(description)} if settings else {}),
        "last_modified": description.modified,
        "effective_publishing_mode": "DEFAULT_PUBLISHING_MODE",
    }


def spec(description: Description) -> Document:
    """The settings of a pipeline, without those that the API returns beside its `spec`."""
    spec_settings = {k: v for k, v in description.settings.items() if k not in _BESIDE_SPEC}
    return {"id": description.pipeline_id, **spec_settings}


def update(pipeline_id: str, summary: UpdateSummary) -> Document:
    """One update."""
    fields = ("full_refresh", "refresh_selection", "full_refresh_selection", "validate_only")
    return {
        "pipeline_id": pipeline_id,
        "update_id": summary.update_id,
        "state": summary.state,
        "cause": summary.cause,
        "creation_time": int(instant(summary.created).timestamp() * 1000),
        "mode": "CONTINUOUS" if summary.request.get("continuous") else "DEFAULT",
        "parameters": summary.request.get("parameters", {}),
        **{name: summary.request[name] for name in fields if summary.request.get(name)},
    }


def readable_path(pattern: str) -> str:
    """The pattern of a path for a message, such as /api/2.0/pipelines/{id}."""
    return pattern.replace("\\", "").replace("([^/]+)", "{id}")


def _user_name() -> str:
    return f"{getpass.getuser()}@localhost"
