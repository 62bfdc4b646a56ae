"""The `filter` of the list of events: conditions joined by AND."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_shim.workspace.api_error import wrong_value

_TEXT_FIELDS = ("level", "event_type", "update_id", "id")
_CONDITION = re.compile(
    r"\s*(?P<field>\w+)\s*"
    r"(?:(?P<operator>>=|<=|=|>|<)\s*'(?P<value>[^']*)'"
    r"|in\s*\((?P<values>\s*'[^']*'(?:\s*,\s*'[^']*')*\s*)\))",
    re.IGNORECASE,
)
_AND = re.compile(r"\s+and\b", re.IGNORECASE)
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True)
class Condition:
    """One comparison of a field of an event."""

    field: str
    comparison: str
    values: tuple[Any, ...]  # several for `in`

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether the event meets the condition."""
        if self.field == "timestamp":
            actual: Any = instant(event["timestamp"])
        elif self.field == "update_id":
            actual = event["origin"].get("update_id")
        else:
            actual = event.get(self.field)
        compare = _COMPARISONS[self.comparison]
        return any(compare(actual, value) for value in self.values)


def read_filter(text: str) -> list[Condition]:
    """The conditions of a filter; an empty text has none.

    Raises ApiError that quotes the word which cannot be read.
    """
    conditions = []
    rest = text
    while rest.strip():
        match = _CONDITION.match(rest)
        if match is None:
            raise _unreadable(rest)
        conditions.append(_condition(match))
        rest = rest[match.end() :]
        joined = _AND.match(rest)
        if rest.strip() and (joined is None or not rest[joined.end() :].strip()):
            raise _unreadable(rest)
        rest = rest[joined.end() :] if joined else rest
    return conditions


def instant(text: str) -> datetime:
    """An ISO 8601 time, in UTC if it names no zone; raises ValueError."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _condition(match: re.Match[str]) -> Condition:
    field = match["field"].lower()
    comparison = match["operator"] or "="
    values: tuple[Any, ...] = tuple(re.findall("'([^']*)'", match["values"] or match[0]))
    if field == "timestamp" and match["operator"]:
        try:
            return Condition(field, comparison, (instant(values[0]),))
        except ValueError:
            raise wrong_value(f"filter: '{values[0]}' is no time in ISO 8601.") from None
    if field not in _TEXT_FIELDS or comparison != "=":
        raise _unreadable(match[0])
    return Condition(field, comparison, values)


def _unreadable(text: str) -> Exception:
    return wrong_value(
        f"filter: '{text.split()[0]}' in '{text.strip()}' cannot be read. Allowed are"
        f" {', '.join(_TEXT_FIELDS)} with = '…' or IN ('…', '…'), and timestamp with"
        " =, <, <=, >, >= and a time; conditions are joined by AND."
    )
