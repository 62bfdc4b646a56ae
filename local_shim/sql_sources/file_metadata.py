"""Lets a query use the hidden column `_metadata` of files that it reads by a table function.

Spark hides the metadata column of a temporary view. So the view has it as an ordinary column of
another name, which the SELECT that reads the view uses instead and leaves out of its stars.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from local_shim.sql_sources.grammar.tokens import Token
from local_shim.sql_text import Edit

COLUMN = "_metadata"
RENAMED = "__dlt_metadata"
_SET_OPERATIONS = ("UNION", "INTERSECT", "EXCEPT", "MINUS")


def metadata_edits(every: Sequence[Token], start: int, stop: int) -> list[Edit]:
    """The edits for a call between two places; none if its SELECT does not use `_metadata`."""
    first = next(i for i, token in enumerate(every) if token.start >= start)
    behind = next((i for i, token in enumerate(every) if token.start >= stop), len(every))
    select = _select_before(every, first)
    if select is None:
        return []
    scope = range(select, _end_of_select(every, behind))
    names = [every[i] for i in scope if every[i].text.lower() == COLUMN]
    if not names:
        return []
    renames = [Edit(token.start, token.stop, RENAMED) for token in names]
    return [*renames, *_without_column(every, select, first)]


def _select_before(every: Sequence[Token], index: int) -> int | None:
    depth = 0
    for i in range(index - 1, -1, -1):
        depth += every[i].is_word(")") - every[i].is_word("(")
        if depth < 0:
            return None
        if depth == 0 and every[i].is_word("SELECT"):
            return i
    return None


def _end_of_select(every: Sequence[Token], index: int) -> int:
    depth = 0
    for i in range(index, len(every)):
        depth += every[i].is_word("(") - every[i].is_word(")")
        if depth < 0 or (depth == 0 and any(map(every[i].is_word, _SET_OPERATIONS))):
            return i
    return len(every)


def _without_column(every: Sequence[Token], select: int, stop: int) -> Iterator[Edit]:
    """Leaves the renamed column out of each unqualified star of a select list."""
    depth = 0
    for i in range(select + 1, stop):
        depth += every[i].is_word("(") - every[i].is_word(")")
        before = every[i - 1]
        starts = any(map(before.is_word, ("SELECT", "DISTINCT", ",")))
        if depth == 0 and every[i].is_word("*") and starts:
            excludes = every[i + 1].is_word("EXCEPT") and every[i + 2].is_word("(")
            if excludes:
                inside = every[i + 2].stop
                yield Edit(inside, inside, f"{RENAMED}, ")
            else:
                yield Edit(every[i].stop, every[i].stop, f" EXCEPT ({RENAMED})")
