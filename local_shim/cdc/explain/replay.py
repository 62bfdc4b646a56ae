"""Replays the events of one key one by one, in plain Python, and says what each of them did.

It shares no code with the fold on purpose: the fold computes rows, this explains them, and tests
compare both. Rows are dictionaries as JSON gives them; sequences are compared by their rank, which
Spark computes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from local_shim.cdc.fold.change_rows import DELETE, TRUNCATE

Row = dict[str, Any]

_TRUNCATED = "truncated everything older"
_VOID = "void: older than a truncate"
_INSERTED, _OPENED, _UPDATED = "inserted", "closed the version before, opened one", "updated"
_UNTRACKED = "updated in place: no tracked column changed"
_ABSENT = "remembered: a delete of an absent key"
_REMAINDER = "left a remainder: the last row, without a start"
_IGNORED = "ignored as late: a newer change had come before"


@dataclass(frozen=True)
class ChangeEvent:
    """A change row of one key, as it came."""

    rank: int  # place of its sequence among those of the key
    arrival: int
    sequence: str
    kind: str
    row: Row
    payload: str  # the greatest wins among upserts of one sequence
    supplied: tuple[str, ...] | None = None
    leaves: tuple[str, ...] = ()  # all leaf columns that an upsert could supply
    system_rank: int = 0
    system: str | None = None


@dataclass(frozen=True)
class Effect:
    """A change row and what it did."""

    event: ChangeEvent
    description: str


@dataclass(frozen=True)
class HistoryRow:
    """A row that the events leave in the target."""

    row: Row
    start: str | None = None
    end: str | None = None
    system_start: str | None = None
    system_end: str | None = None


def replay(
    events: Sequence[ChangeEvent], tracked: Sequence[str] | None, *, remainders: bool = False
) -> tuple[list[Effect], list[HistoryRow]]:
    """The effect of each event, in the order of the sequence, and the rows left.

    `tracked` are the columns whose change makes a version; None means SCD type 1. With
    `remainders` a delete that follows a delete leaves a row without a start.
    """
    void_below = max((event.rank for event in events if event.kind == TRUNCATE), default=-1)
    run = _Replay(events, tracked, remainders)
    for group in _by_sequence(events):
        winner, beaten = _winner(group)
        if winner is None:
            run.effects += [Effect(event, _TRUNCATED) for event in group]
        elif winner.rank < void_below:
            void = sorted(group, key=lambda event: event.kind == TRUNCATE)
            run.effects += [
                Effect(event, _TRUNCATED if event.kind == TRUNCATE else _VOID) for event in void
            ]
        else:
            run.apply(winner)
            run.effects += [Effect(event, _how_beaten(event, winner)) for event in beaten]
    return run.effects, run.rows


@dataclass
class _Replay:
    """What is left after the events so far."""

    events: Sequence[ChangeEvent]
    tracked: Sequence[str] | None
    remainders: bool
    effects: list[Effect] = field(default_factory=list)
    versions: list[HistoryRow] = field(default_factory=list)
    current: Row | None = None  # the row that is open now
    last: Row | None = None  # the row that was open last

    @property
    def rows(self) -> list[HistoryRow]:
        """The rows left in the target."""
        if self.tracked is not None:
            return self.versions
        return [] if self.current is None else [HistoryRow(self.current)]

    def apply(self, event: ChangeEvent) -> None:
        """Apply the event that counts for its sequence, and note what it did."""
        description, after = _step(event, self.current, self.tracked)
        is_late = _is_late(event, self.events)
        if self.remainders and self.current is None and after is None and self.last is not None:
            description = _REMAINDER
            self.versions.append(HistoryRow(self.last, end=event.sequence))
        self._enter(event, after, opens=description in (_INSERTED, _OPENED))
        if is_late:
            description = _IGNORED if self.tracked is None else f"{description}, late"
        self.effects.append(Effect(event, description))
        self.current, self.last = after, after or self.last

    def _enter(self, event: ChangeEvent, after: Row | None, *, opens: bool) -> None:
        """Close the open version, open one, or replace its row."""
        is_open = bool(self.versions) and self.versions[-1].end is None
        if is_open and (after is None or opens):
            before = self.versions.pop()
            self.versions.append(HistoryRow(before.row, before.start, event.sequence))
        if after is None:
            return
        if opens or not is_open:
            self.versions.append(HistoryRow(after, event.sequence))
        else:
            self.versions.append(HistoryRow(after, self.versions.pop().start))


def merged(current: Row | None, event: ChangeEvent) -> Row:
    """The row after an upsert: leaf columns that it does not supply keep their value."""
    if event.supplied is None:
        return event.row
    columns = {name.rstrip("?").split(".")[0] for name in event.leaves}
    blank = {name: None if name in columns else value for name, value in event.row.items()}
    result: Row = json.loads(json.dumps(blank if current is None else current))
    outer_first = sorted(event.supplied, key=lambda name: (name.count("."), not name.endswith("?")))
    for name in outer_first:
        _copy(name, event.row, result)
    return result


def _step(
    event: ChangeEvent, current: Row | None, tracked: Sequence[str] | None
) -> tuple[str, Row | None]:
    """What an event does to the current row, and the row after it."""
    if event.kind == DELETE:
        if current is None:
            return _ABSENT, None
        return ("deleted" if tracked is None else "closed the open version"), None
    after = merged(current, event)
    if current is None:
        return _INSERTED, after
    if tracked is None:
        return _UPDATED, after
    if all(current.get(name) == after.get(name) for name in tracked):
        return _UNTRACKED, after
    return _OPENED, after


def _copy(name: str, source: Any, goal: Any) -> None:
    """Copy one leaf column, or the presence of a struct (`name?`), between two rows."""
    *path, leaf = name.rstrip("?").split(".")
    for each in path:
        source, goal = source[each], goal[each]
    if not name.endswith("?"):
        goal[leaf] = source[leaf]
    elif source[leaf] is None:
        goal[leaf] = None
    elif goal[leaf] is None:
        goal[leaf] = dict.fromkeys(source[leaf])


def _winner(group: Sequence[ChangeEvent]) -> tuple[ChangeEvent | None, list[ChangeEvent]]:
    """The event that counts for its sequence, and the others; truncates are apart."""
    events = [event for event in group if event.kind != TRUNCATE]
    if not events:
        return None, []
    best = max(events, key=lambda event: (event.kind == DELETE, event.payload, -event.arrival))
    return best, [event for event in events if event is not best]


def _how_beaten(event: ChangeEvent, winner: ChangeEvent) -> str:
    same_payload = event.kind == DELETE or event.payload == winner.payload
    if event.kind == winner.kind and same_payload:
        return "repeated"
    return "tie lost: a delete has this sequence" if winner.kind == DELETE else "tie lost"


def _is_late(winner: ChangeEvent, events: Sequence[ChangeEvent]) -> bool:
    return any(
        event.rank > winner.rank and event.arrival < winner.arrival and event.kind != TRUNCATE
        for event in events
    )


def _by_sequence(events: Sequence[ChangeEvent]) -> Iterator[list[ChangeEvent]]:
    for rank in sorted({event.rank for event in events}):
        yield sorted((e for e in events if e.rank == rank), key=lambda event: event.arrival)
