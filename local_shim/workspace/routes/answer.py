"""Finds the function that answers a request."""

from __future__ import annotations

import re
from typing import Any

from local_shim.workspace import documents
from local_shim.workspace.api_error import ApiError
from local_shim.workspace.paging import Query
from local_shim.workspace.routes import jobs, permissions, pipelines
from local_shim.workspace.routes.call import Call, Document, Route, Workspace


def answer(workspace: Workspace, method: str, path: str, query: Query, body: Any) -> Document:
    """The document that answers a request; raises ApiError."""
    methods = set()
    for own_method, pattern, function in _ROUTES:
        match = re.fullmatch(pattern, path)
        if match and own_method == method:
            return function(Call(workspace, match.groups(), query, body))
        if match:
            methods.add(own_method)
    if methods:
        allowed = ", ".join(sorted(methods))
        raise ApiError(405, "METHOD_NOT_ALLOWED", f"{path} takes {allowed}, not {method}.")
    served = ", ".join(f"{verb} {documents.readable_path(pattern)}" for verb, pattern, _ in _ROUTES)
    message = f"dlt-local does not serve {method} {path}. It serves {served}."
    raise ApiError(501, "NOT_IMPLEMENTED", message)


def _configuration(call: Call) -> Document:
    return {"workspace_id": "1"}


def _me(call: Call) -> Document:
    return documents.user()


_ROUTES: tuple[Route, ...] = (
    ("GET", r"/\.well-known/databricks-config", _configuration),
    ("GET", r"/api/2\.0/preview/scim/v2/Me", _me),
    *pipelines.ROUTES,
    *permissions.ROUTES,
    *jobs.ROUTES,
)
