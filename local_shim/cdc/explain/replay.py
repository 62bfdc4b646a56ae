"""One key's story, told event by event: plain Python over the few events of a key.

Rows are dictionaries as JSON gives them; sequences are compared by their rank, which Spark found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from local_shim.cdc.fold.change_rows import DELETE, TRUNCATE

Row = dict[str, Any]


@dataclass(frozen=True)
class ChangeEvent:
    """A change row of one key, as it came."""

    rank: int  # place of its sequence among those of the key
    arrival: int
    sequence: str
    kind: str
    row: Row
    payload: str  # what the greatest of is taken among equals
    supplied: tuple[str, ...] | None = None
    cells: tuple[str, ...] = ()  # all that an upsert could supply
    system_rank: int = 0
    system: str | None = None


@dataclass(frozen=True)
class Effect:
    """A change row and what it did."""

    happening: ChangeEvent
    effect: str


@dataclass(frozen=True)
class HistoryRow:
    """A row that the events leave in the target."""

    row: Row
    start: str | None = None
    end: str | None = None
    system_start: str | None = None
    system_end: str | None = None


def tell(
    happenings: Sequence[ChangeEvent], tracked: Sequence[str] | None, *, remainders: bool = False
) -> tuple[list[Effect], list[HistoryRow]]:
    """The effect of each event, in sequence order, and the rows left.

    `tracked` are the columns whose change makes a version; None means SCD type 1. With
    `remainders` a delete that follows a delete leaves a row without a start.
    """
    void = max((h.rank for h in happenings if h.kind == TRUNCATE), default=-1)
    told: list[Effect] = []
    versions: list[HistoryRow] = []
    current = last = None
    for group in _by_rank(happenings):
        winner, others = _winner(group)
        if winner is None:
            told += [Effect(h, "truncated everything older") for h in group]
            continue
        if winner.rank < void:
            told += [Effect(h, "void: older than a truncate") for h in group if h.kind != TRUNCATE]
            told += [Effect(h, "truncated everything older") for h in group if h.kind == TRUNCATE]
            continue
        effect, after = _step(winner, current, tracked)
        late = _late(winner, happenings)
        if tracked is None and late:
            effect = "ignored as late: a newer change had come before"
        if remainders and current is None and after is None and last is not None:
            effect = "left a remainder: the last row, without a start"
            versions.append(HistoryRow(last, end=winner.sequence))
        _enter(versions, winner, after, opens=effect in (_INSERTED, _OPENED))
        told.append(Effect(winner, effect + (_LATE if late and tracked is not None else "")))
        told += [Effect(h, _beaten(h, winner)) for h in others]
        current, last = after, after or last
    if tracked is None:
        return told, [] if current is None else [HistoryRow(current)]
    return told, versions


_INSERTED, _OPENED, _UPDATED = "inserted", "closed the version before, opened one", "updated"
_LATE = ", late"


def _step(happening: ChangeEvent, current: Row | None, tracked: Sequence[str] | None) -> Any:
    if happening.kind == DELETE:
        if current is None:
            return "remembered: a delete of an absent key", None
        return ("deleted" if tracked is None else "closed the open version"), None
    after = merged(current, happening)
    if current is None:
        return _INSERTED, after
    if tracked is None:
        return _UPDATED, after
    if all(current.get(name) == after.get(name) for name in tracked):
        return "updated in place: no tracked column changed", after
    return _OPENED, after


def merged(current: Row | None, happening: ChangeEvent) -> Row:
    """The row after an upsert: cells that it does not supply keep their value."""
    if happening.supplied is None:
        return happening.row
    named = {name.rstrip("?").split(".")[0] for name in happening.cells}
    blank = {n: None if n in named else v for n, v in happening.row.items()}
    result: Row = json.loads(json.dumps(blank if current is None else current))
    for name in sorted(
        happening.supplied, key=lambda each: (each.count("."), not each.endswith("?"))
    ):
        _copy(name, happening.row, result)
    return result


def _copy(name: str, source: Any, goal: Any) -> None:
    *path, leaf = name.rstrip("?").split(".")
    for field in path:
        source, goal = source[field], goal[field]
    if not name.endswith("?"):
        goal[leaf] = source[leaf]
    elif source[leaf] is None:
        goal[leaf] = None
    elif goal[leaf] is None:
        goal[leaf] = dict.fromkeys(source[leaf])


def _enter(versions: list[HistoryRow], winner: ChangeEvent, after: Row | None, opens: bool) -> None:
    open_one = versions and versions[-1].end is None
    if open_one and (after is None or opens):
        last = versions.pop()
        versions.append(HistoryRow(last.row, last.start, winner.sequence))
    if after is None:
        return
    if opens or not open_one:
        versions.append(HistoryRow(after, winner.sequence))
    else:
        versions.append(HistoryRow(after, versions.pop().start))


def _winner(group: Sequence[ChangeEvent]) -> tuple[ChangeEvent | None, list[ChangeEvent]]:
    mine = [h for h in group if h.kind != TRUNCATE]
    if not mine:
        return None, []
    best = max(mine, key=lambda h: (h.kind == DELETE, h.payload, -h.arrival))
    return best, [h for h in mine if h is not best]


def _beaten(happening: ChangeEvent, winner: ChangeEvent) -> str:
    same = happening.kind == winner.kind and (
        happening.kind == DELETE or happening.payload == winner.payload
    )
    if same:
        return "repeated"
    return "tie lost: a delete has this sequence" if winner.kind == DELETE else "tie lost"


def _late(winner: ChangeEvent, happenings: Sequence[ChangeEvent]) -> bool:
    return any(
        h.rank > winner.rank and h.arrival < winner.arrival and h.kind != TRUNCATE
        for h in happenings
    )


def _by_rank(happenings: Sequence[ChangeEvent]) -> Iterator[list[ChangeEvent]]:
    for rank in sorted({h.rank for h in happenings}):
        yield sorted((h for h in happenings if h.rank == rank), key=lambda h: h.arrival)
