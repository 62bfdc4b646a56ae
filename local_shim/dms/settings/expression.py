"""Expressions of `add-column` rules: header names, literals and columns joined by `||`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from local_shim.errors import UsageError

HEADERS = (
    "AR_H_CHANGE_SEQ",
    "AR_H_STREAM_POSITION",
    "AR_H_TIMESTAMP",
    "AR_H_COMMIT_TIMESTAMP",
    "AR_H_OPERATION",
    "AR_M_SOURCE_SCHEMA",
    "AR_M_SOURCE_TABLE_NAME",
)
_TERM = re.compile(r"\s*(?:'(?P<literal>(?:[^']|'')*)'|\$(?P<name>[A-Za-z_]\w*))\s*")


@dataclass(frozen=True)
class Literal:
    """A quoted text."""

    text: str


@dataclass(frozen=True)
class ChangeHeader:
    """A fact about the change, by DMS's name without the dollar."""

    name: str


@dataclass(frozen=True)
class ColumnReference:
    """A column of the source row."""

    name: str


Term = Literal | ChangeHeader | ColumnReference


def parse_expression(text: str, where: object) -> tuple[Term, ...]:
    """The terms that `||` joins.

    Raises:
        UsageError: The expression uses anything else (SQLite functions, CASE, arithmetic).
    """
    terms: list[Term] = []
    position = 0
    while True:
        match = _TERM.match(text, position)
        if not match:
            raise _unsupported(text, text[position:].strip() or "nothing", where)
        terms.append(_term(match, text, where))
        position = match.end()
        if position == len(text):
            return tuple(terms)
        if not text.startswith("||", position):
            raise _unsupported(text, text[position:].strip(), where)
        position += 2


def _term(match: re.Match[str], text: str, where: object) -> Term:
    name = match["name"]
    if name is None:
        return Literal(match["literal"].replace("''", "'"))
    if not name.startswith("AR_"):
        return ColumnReference(name)
    if name not in HEADERS:
        raise _unsupported(text, f"${name}", where)
    return ChangeHeader(name)


def _unsupported(text: str, what: str, where: object) -> UsageError:
    return UsageError(
        "DMS_EXPRESSION_NOT_IMITATED",
        f"The expression {text!r} is not imitated: {what}.",
        where=where,
        hint="allowed: 'text', $COLUMN, " + ", ".join(f"${name}" for name in HEADERS) + ", and ||",
    )
