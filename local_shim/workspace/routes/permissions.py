"""The routes of permissions; see the choice in `permissions`."""

from __future__ import annotations

from local_shim.workspace.api_error import missing
from local_shim.workspace.permissions import LEVELS
from local_shim.workspace.routes.call import Call, Document, Route


def _check_exists(call: Call) -> tuple[str, str]:
    """Kind and id of the object; raises ApiError if it does not exist."""
    kind, object_id = call.names
    if kind not in LEVELS:
        raise missing(f"There are permissions of {', '.join(LEVELS)}, not of '{kind}'.")
    if kind == "pipelines":
        call.pipelines.check_exists(object_id)
    else:
        call.workspace.jobs.settings(object_id)
    return kind, object_id


def _get(call: Call) -> Document:
    return call.workspace.permissions.document(*_check_exists(call))


def _set(call: Call) -> Document:
    kind, object_id = _check_exists(call)
    entries = call.body.get("access_control_list") or []
    call.workspace.permissions.replace(kind, object_id, entries)
    return call.workspace.permissions.document(kind, object_id)


def _update(call: Call) -> Document:
    kind, object_id = _check_exists(call)
    entries = call.body.get("access_control_list") or []
    call.workspace.permissions.update(kind, object_id, entries)
    return call.workspace.permissions.document(kind, object_id)


def _levels(call: Call) -> Document:
    kind, _ = _check_exists(call)
    return {"permission_levels": [{"permission_level": level} for level in LEVELS[kind]]}


_OBJECT = r"/api/2\.0/permissions/([^/]+)/([^/]+)"
ROUTES: tuple[Route, ...] = (
    ("GET", _OBJECT, _get),
    ("PUT", _OBJECT, _set),
    ("PATCH", _OBJECT, _update),
    ("GET", f"{_OBJECT}/permissionLevels", _levels),
)
