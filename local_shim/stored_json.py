"""JSON documents that a storage keeps between updates; each carries the version of its format.

Documents without a version were written before there was one, and are read as version 1. Fields
that this version does not know are ignored; a document of a newer version is refused, because
ignoring its fields could lose what they say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from local_shim.errors import UsageError

_VERSION = "version"


def dump(version: int, values: Mapping[str, Any]) -> str:
    """The text of a document."""
    return json.dumps({_VERSION: version, **values})


def load(text: str, newest: int, path: Path) -> dict[str, Any]:
    """The values of a document; raises UsageError if it is newer than version `newest`."""
    values: dict[str, Any] = json.loads(text)
    version = values.pop(_VERSION, 1)
    if version > newest:
        raise UsageError(
            "STORAGE_FORMAT_NEWER",
            f"{path} has format {version}; this dlt-local reads formats up to {newest}.",
            where=path,
            hint="use the newer dlt-local that wrote this storage; nothing was changed",
        )
    return values


def known_fields(dataclass: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that are fields of the dataclass."""
    names = {field.name for field in fields(dataclass)}
    return {name: value for name, value in values.items() if name in names}
