"""Errors of the REST API: a status, an error code and a message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local_shim.errors import close_match

# databricks-sdk sends a request again for minutes if the message of its error holds one of these.
_RETRIED = (
    "Unexpected error",
    "Please try again later",
    "ClusterNotReadyException",
    "Unknown worker environment",
    "UnknownWorkerEnvironmentException",
    "RPC token bucket limit",
)


class ApiError(Exception):
    """A status, the code by which databricks-sdk chooses its exception, and a message."""

    def __init__(self, status: int, code: str, message: str):
        for phrase in _RETRIED:
            message = message.replace(phrase, phrase.lower())
        super().__init__(message)
        self.status = status
        self.document = {"error_code": code, "message": message}


def wrong_value(message: str) -> ApiError:
    """The request holds a value that is not allowed."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def missing(message: str) -> ApiError:
    """The request names something that does not exist."""
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def check_fields(kind: str, values: Mapping[str, Any], types: Mapping[str, type]) -> None:
    """Raises ApiError for a field without a type in `types`, or with a value of another type."""
    for name, value in values.items():
        if name not in types:
            raise wrong_value(f"'{name}' is no field of {kind} here; {close_match(name, types)}")
        if value is not None and not isinstance(value, types[name]):
            expected = types[name].__name__
            raise wrong_value(f"'{name}' of {kind} is a {expected}, not {json.dumps(value)}.")
