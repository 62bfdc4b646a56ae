"""One JSON settings document: typed look-ups that say which file and key is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_shim.errors import UsageError, close_match

IMITATED = "imitated"
NO_EFFECT = "no effect on files"


@dataclass(frozen=True)
class Document:
    """The values of one JSON object, and where it stands (for error messages).

    `classes` says of each key that was asked for what the stand-in does with it: docs/dms.md
    lists them.
    """

    values: Mapping[str, Any]
    where: str
    classes: dict[str, str] = field(default_factory=dict)
    parts: dict[str, Document] = field(default_factory=dict)

    def part(self, name: str) -> Document:
        """The object under a key, empty if absent."""
        value = self._get(name, {})
        if not isinstance(value, dict):
            raise self.wrong(name, value, "a JSON object")
        if name not in self.parts:
            self.parts[name] = Document(value, f"{self.where}: {name}")
        return self.parts[name]

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean; the words "true" and "false" are accepted as AWS accepts them."""
        value = self._get(name, default)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if not isinstance(value, bool):
            raise self.wrong(name, value, "true or false")
        return value

    def number(self, name: str, default: int, least: int = 0, most: int = 1 << 40) -> int:
        """A whole number within limits."""
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(name, value, f"a whole number from {least} to {most}")
        return value

    def text(self, name: str, default: str = "") -> str:
        """A string."""
        value = self._get(name, default)
        if not isinstance(value, str):
            raise self.wrong(name, value, "a string")
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """One of some words; case and `_` for `-` do not matter, as in AWS's three spellings."""
        value = self.text(name, default)
        for word in allowed:
            if value.lower().replace("_", "-") == word.lower().replace("_", "-"):
                return word
        raise self.wrong(name, value, " or ".join(allowed))

    def without_effect(self, *names: str) -> None:
        """Keys that change nothing in the files of a real task either: accepted and ignored."""
        self.classes.update(dict.fromkeys(names, NO_EFFECT))

    def describe(self, name: str, text: str) -> None:
        """Say in the list of settings what is done with a key, where one word misleads."""
        self.classes[name] = text

    def not_imitated(self, consequences: Mapping[str, str]) -> tuple[str, ...]:
        """Keys that a real task follows and the stand-in does not; what to report of those set."""
        for name, consequence in consequences.items():
            self.classes[name] = f"not imitated: a real task {consequence}"
        return tuple(
            f"{name} = {json.dumps(self.values[name])} is not imitated: a real task {consequence}"
            for name, consequence in consequences.items()
            if self.values.get(name)
        )

    def only(self, name: str, *allowed: object) -> None:
        """A setting that is understood but imitated for these values alone."""
        value = self._get(name, allowed[0])
        listing = " or ".join(json.dumps(word) for word in allowed)
        self.classes[name] = f"{listing} only; other values are refused"
        if value not in allowed:
            raise UsageError(
                "DMS_SETTING_NOT_IMITATED",
                f"{name} = {json.dumps(value)} is not imitated; only {listing} is.",
                where=self.where,
                hint="a real task would take it; the stand-in must not pretend to",
            )

    def finish(self) -> None:
        """Refuses keys that were not read."""
        unknown = sorted(set(self.values) - set(self.classes))
        if unknown:
            raise UsageError(
                "DMS_SETTING_UNKNOWN",
                f"DMS has no setting {unknown[0]!r} here.",
                where=self.where,
                hint=close_match(unknown[0], self.classes),
            )

    def wrong(self, name: str, value: object, allowed: str) -> UsageError:
        """The error for a value of the wrong kind."""
        return UsageError(
            "DMS_SETTING_INVALID",
            f"{name} = {json.dumps(value, default=str)} must be {allowed}.",
            where=self.where,
        )

    def _get(self, name: str, default: Any) -> Any:
        self.classes.setdefault(name, IMITATED)
        value = self.values.get(name)
        return default if value is None else value


def read_document(path: Path) -> Document:
    """The JSON object in a file.

    Raises:
        UsageError: The file is missing or is not a JSON object.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            "DMS_TASK_FILE_MISSING",
            f"{path.name} is missing.",
            where=path.parent,
            hint="a task folder holds table-mappings.json, task-settings.json, s3-settings.json",
        ) from None
    except (ValueError, OSError) as error:
        raise UsageError("DMS_TASK_FILE_INVALID", f"{error}", where=path) from None
    if not isinstance(values, dict):
        raise UsageError("DMS_TASK_FILE_INVALID", "The file must hold one object.", where=path)
    return Document(values, str(path))
