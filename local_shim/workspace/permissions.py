"""Access control lists of pipelines and jobs, stored so that a deployment can be tested.

[choice] They are returned and never enforced: every client with the server's token may do all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local_shim import durable_files
from local_shim.workspace.api_error import check_fields, wrong_value

# Levels of each kind of object, as databricks-sdk spells them.
LEVELS: Mapping[str, Sequence[str]] = {
    "pipelines": ("CAN_MANAGE", "CAN_RUN", "CAN_VIEW", "IS_OWNER"),
    "jobs": ("CAN_MANAGE", "CAN_MANAGE_RUN", "CAN_VIEW", "IS_OWNER"),
}
_PRINCIPALS = ("user_name", "group_name", "service_principal_name")
_TYPES: Mapping[str, type] = dict.fromkeys((*_PRINCIPALS, "permission_level"), str)
Entry = Mapping[str, str]


@dataclass(frozen=True)
class Permissions:
    """The lists of all objects in a storage."""

    storage: Path

    def document(self, kind: str, object_id: str) -> dict[str, Any]:
        """The list of an object, as the API gives it: each principal with its levels."""
        entries = [
            {
                **{name: entry[name] for name in _PRINCIPALS if name in entry},
                "all_permissions": [
                    {"permission_level": entry["permission_level"], "inherited": False}
                ],
            }
            for entry in self._entries(kind, object_id)
        ]
        return {
            "object_id": f"/{kind}/{object_id}",
            "object_type": kind,
            "access_control_list": entries,
        }

    def replace(self, kind: str, object_id: str, entries: Sequence[Entry]) -> None:
        """Replaces the list; raises ApiError for an entry that is not valid."""
        for entry in entries:
            _check(kind, entry)
        durable_files.write_atomically(self._file(kind, object_id), json.dumps(list(entries)))

    def update(self, kind: str, object_id: str, entries: Sequence[Entry]) -> None:
        """Gives these principals these levels, and leaves the others as they are."""
        by_principal = {_principal(each): each for each in self._entries(kind, object_id)}
        by_principal |= {_principal(each): each for each in entries}
        self.replace(kind, object_id, list(by_principal.values()))

    def _entries(self, kind: str, object_id: str) -> list[Entry]:
        text = durable_files.read_text(self._file(kind, object_id))
        entries: list[Entry] = json.loads(text or "[]")
        return entries

    def _file(self, kind: str, object_id: str) -> Path:
        return self.storage / "system" / "permissions" / kind / f"{quote(object_id, safe='')}.json"


def _principal(entry: Entry) -> tuple[str | None, ...]:
    return tuple(entry.get(name) for name in _PRINCIPALS)


def _check(kind: str, entry: Entry) -> None:
    check_fields("an access control list", entry, _TYPES)
    if sum(name in entry for name in _PRINCIPALS) != 1:
        raise wrong_value(f"An entry names one of {', '.join(_PRINCIPALS)}.")
    if entry.get("permission_level") not in LEVELS[kind]:
        raise wrong_value(
            f"permission_level of {kind} is one of {', '.join(LEVELS[kind])},"
            f" not '{entry.get('permission_level')}'."
        )
