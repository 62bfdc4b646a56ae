"""What an AUTO CDC target must hold, in slow and plain Python, from the reference alone.

Written from dlt-semantics.md sections 2.1 to 2.8 and 2.14; it shares nothing with the engine.
An event is an upsert, a delete or a truncate with a sequence; its row is split into cells (a
struct has one for its presence and one per field), of which an upsert supplies all or some.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Cells = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """One change: `row` maps columns to values, `supplied` names cells (None = all of them)."""

    key: Any
    seq: Any
    kind: str  # upsert, delete, truncate
    row: Mapping[str, Any]
    supplied: frozenset[str] | None = None
    sys: Any = None


@dataclass(frozen=True)
class Version:
    """A row of history."""

    cells: tuple[tuple[str, Any], ...]
    start: Any
    end: Any


def leaves_of(row: Mapping[str, Any], structs: Mapping[str, tuple[str, ...]]) -> Cells:
    cells: Cells = {}
    for column, value in row.items():
        if column in structs:
            cells[column + "?"] = value is not None
            for field in structs[column]:
                cells[f"{column}.{field}"] = None if value is None else value[field]
        else:
            cells[column] = value
    return cells


def row_of(cells: Mapping[str, Any], structs: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in cells.items():
        column = name.rstrip("?").split(".")[0]
        if column not in structs:
            row[column] = value
        elif name.endswith("?"):
            inner = {field: cells[f"{column}.{field}"] for field in structs[column]}
            row[column] = inner if value else None
    return row


def text(value: Any) -> str:
    """A value as JSON, the order among equals (2.2)."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class Oracle:
    """The rules for one flow's target."""

    columns: tuple[str, ...]  # no keys
    structs: Mapping[str, tuple[str, ...]]
    tracked: tuple[str, ...]
    sparse: bool = False
    remainders: bool = False

    def scd1(self, events: Iterable[Event]) -> dict[Any, dict[str, Any]]:
        """Key to row: the newest event of each key after the last truncate (2.3, 2.7)."""
        everything = list(events)
        truncates = [event.seq for event in everything if event.kind == "truncate"]
        lives = [e for e in everything if e.kind != "truncate"]
        if truncates:
            lives = [e for e in lives if not e.seq < max(truncates)]
        rows = {}
        for key, key_events in _by(lives, lambda e: e.key).items():
            current: Cells | None = None
            for _, deleted, cells in self.steps(key_events):
                current = None if deleted else self.carry(current, cells)
            if current is not None:
                rows[key] = row_of(current, self.structs)
        return rows

    def scd2(self, events: Iterable[Event]) -> dict[Any, list[Version]]:
        """Key to its versions (2.4, 2.5)."""
        events_by_key = _by(events, lambda e: e.key)
        return {key: self.versions(self.steps(group)) for key, group in events_by_key.items()}

    def bitemporal(self, events: Iterable[Event]) -> dict[Any, list[tuple[Version, Any, Any]]]:
        """Key to beliefs: a version, known from, known until (2.14)."""
        beliefs_by_key = {}
        for key, key_events in _by(events, lambda e: e.key).items():
            beliefs: list[tuple[Version, Any, Any]] = []
            for moment in sorted({e.sys for e in key_events}):
                past_events = [e for e in key_events if e.sys <= moment]
                versions = self.versions(self.corrected(past_events))
                beliefs = [
                    (version, since, moment if until is None and version not in versions else until)
                    for version, since, until in beliefs
                ]
                current_versions = [version for version, _, until in beliefs if until is None]
                beliefs += [(v, moment, None) for v in versions if v not in current_versions]
            beliefs_by_key[key] = beliefs
        return beliefs_by_key

    def steps(self, events: Iterable[Event]) -> list[tuple[Any, bool, Cells]]:
        """One step per sequence, in order: delete first, then the greatest (behaviour 33)."""
        steps: list[tuple[Any, bool, Cells]] = []
        for seq, same in sorted(_by(events, lambda e: e.seq).items()):
            upserts = [e for e in same if e.kind == "upsert"]
            if len(upserts) < len(same):
                steps.append((seq, True, {}))
            elif self.sparse:
                steps.append((seq, False, self.merged(upserts)))
            else:
                best = max(upserts, key=lambda e: text(dict(e.row)))
                steps.append((seq, False, self.cells(best)))
        return steps

    def corrected(self, events: Iterable[Event]) -> list[tuple[Any, bool, Cells]]:
        """As `steps`, but of one business time the event known later counts (2.14)."""
        steps = []
        for seq, same in sorted(_by(events, lambda e: e.seq).items()):
            state: tuple[bool, Cells] = (True, {})
            for _, simultaneous in sorted(_by(same, lambda e: e.sys).items()):
                _, deleted, cells = self.steps(simultaneous)[0]
                before = {} if state[0] or not self.sparse else state[1]
                state = (deleted, {} if deleted else {**before, **cells})
            steps.append((seq, *state))
        return steps

    def versions(self, steps: Iterable[tuple[Any, bool, Cells]]) -> list[Version]:
        versions: list[Version] = []
        current: Cells | None = None
        start = None
        last: Cells | None = None
        for seq, deleted, cells in steps:
            if self.remainders and deleted and current is None and last is not None:
                versions.append(Version(tuple(last.items()), None, seq))  # 2.4.7
            after = None if deleted else self.carry(current, cells)
            unchanged = current is not None and after is not None and self.same(current, after)
            if current is not None and not unchanged:
                versions.append(Version(tuple(current.items()), start, seq))
            if after is not None and not unchanged:
                start = seq
            current = after
            last = after or last
        if current is not None:
            versions.append(Version(tuple(current.items()), start, None))
        return versions

    def carry(self, current: Cells | None, cells: Cells) -> Cells:
        blank = leaves_of(dict.fromkeys(self.columns), self.structs)
        return {**blank, **(current or {}), **cells}

    def cells(self, event: Event) -> Cells:
        """What an upsert supplies."""
        cells = leaves_of({c: event.row[c] for c in self.columns}, self.structs)
        if event.supplied is None:
            return cells
        return {name: value for name, value in cells.items() if name in event.supplied}

    def merged(self, upserts: Iterable[Event]) -> Cells:
        best: Cells = {}
        for event in upserts:
            for name, value in self.cells(event).items():
                if name not in best or text({"v": value}) > text({"v": best[name]}):
                    best[name] = value
        return best

    def same(self, one: Cells, other: Cells) -> bool:
        row, other_row = row_of(one, self.structs), row_of(other, self.structs)
        return all(row[column] == other_row[column] for column in self.tracked)


def _by(items: Iterable[Any], of: Any) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for item in items:
        groups.setdefault(of(item), []).append(item)
    return groups
