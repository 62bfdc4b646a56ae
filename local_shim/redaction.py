"""Values that must not be shown: events and messages have `[REDACTED]` in their place."""

from __future__ import annotations

from typing import Any

_hidden: set[str] = set()


def hide(value: str) -> str:
    """The value, which `redacted` removes from now on."""
    if value.strip():
        _hidden.add(value)
    return value


def redacted(value: Any) -> Any:
    """Text, or lists and dicts of text, without hidden values."""
    if not _hidden:
        return value
    if isinstance(value, str):
        for secret in _hidden:
            value = value.replace(secret, "[REDACTED]")
        return value
    if isinstance(value, dict):
        return {redacted(key): redacted(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(each) for each in value]
    return value
