"""Names and values as Spark SQL text."""

from __future__ import annotations

from collections.abc import Iterable


def literal(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def name(text: str) -> str:
    """A quoted column name."""
    return "`" + text.replace("`", "``") + "`"


def among(expression: str, texts: Iterable[str]) -> str:
    """Whether the expression is one of the texts; false for no texts."""
    listed = ", ".join(literal(text) for text in texts)
    return f"{expression} IN ({listed})" if listed else "false"
