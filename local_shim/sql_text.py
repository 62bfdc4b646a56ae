"""Names and values as Spark SQL text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """A change of a text: `text` takes the place of what stands from `start` up to `stop`."""

    start: int
    stop: int
    text: str


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits, which must not overlap."""
    for edit in sorted(edits, key=lambda edit: (-edit.start, -edit.stop)):
        text = text[: edit.start] + edit.text + text[edit.stop :]
    return text


def quote(name: str) -> str:
    """The name in backticks: Spark reads it as one name, whatever characters it has."""
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def among(expression: str, texts: Iterable[str]) -> str:
    """Whether the expression is one of the texts; false for no texts."""
    literals = ", ".join(literal(text) for text in texts)
    return f"{expression} IN ({literals})" if literals else "false"
