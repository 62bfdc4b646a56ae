"""Random histories: seeded, with every kind of trouble, and shuffled over batches.

Each seed owns a range of keys, so that hundreds of seeds share the Spark jobs of one stream
of batches, and each still is a history of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.local_shim.cdc.oracle import Event, Oracle

SCHEMA = (
    "seed int, id int, a string, b int, s struct<x:int,y:string>, op string, seq bigint, "
    "minor int, known bigint, cols array<string>"
)
COLUMNS = ("a", "b", "s")
STRUCTS = {"s": ("x", "y")}
CELLS = {"a": ("a",), "b": ("b",), "s": ("s?", "s.x", "s.y")}


@dataclass(frozen=True)
class Shape:
    """A flow's arguments, and what its histories look like."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    truncates: bool = False
    ties: bool = True
    null_keys: bool = False
    ignoring: tuple[str, ...] = ()
    listing: bool = False
    tracked: tuple[str, ...] = COLUMNS
    struct_sequence: bool = False
    null_sequences: bool = False
    remainders: bool = False

    @property
    def storage(self) -> str:
        return str(self.arguments.get("stored_as_scd_type", 1))

    def oracle(self) -> Oracle:
        sparse = bool(self.ignoring) or self.listing
        return Oracle(COLUMNS, STRUCTS, self.tracked, sparse, self.remainders)

    def event(self, row: tuple[Any, ...]) -> Event:
        """The event that a source row means to this flow."""
        named = dict(zip(NAMES, row, strict=True))
        kind = {"D": "delete", "T": "truncate"}.get(named["op"], "upsert")
        seq = (named["seq"], named["minor"]) if self.struct_sequence else named["seq"]
        if self.null_sequences:
            seq = (seq is not None, seq or 0)  # NULL is the lowest
        values = {name: named[name] for name in ("seed", "id", *COLUMNS)}
        key = (named["seed"], named["id"])
        return Event(key, seq, kind, values, self.supplied(named), named["known"])

    def supplied(self, named: dict[str, Any]) -> frozenset[str] | None:
        if self.listing:
            if named["cols"] is None:
                return None
            return frozenset(cell for column in named["cols"] for cell in CELLS[column.lower()])
        if not self.ignoring:
            return None
        cells = set()
        for column in COLUMNS:
            value = named[column]
            if column not in self.ignoring:
                cells |= set(CELLS[column])
            elif column == "s" and value is not None:
                cells |= {"s?"} | {f"s.{f}" for f in ("x", "y") if value[f] is not None}
            elif column != "s" and value is not None:
                cells.add(column)
        return frozenset(cells)


NAMES = ("seed", "id", "a", "b", "s", "op", "seq", "minor", "known", "cols")


def history(seed: int, shape: Shape) -> list[tuple[Any, ...]]:
    """The source rows of one seed, in the order they happened."""
    dice = random.Random(f"{shape.name}/{seed}")
    rows = []
    for _ in range(dice.randint(3, 12)):
        rows.append(_row(dice, seed, shape))
    return rows


def batches(seeds: Iterable[int], shape: Shape, count: int) -> list[list[tuple[Any, ...]]]:
    """All seeds' rows, each seed shuffled, some rows repeated, split over `count` batches."""
    divided: list[list[tuple[Any, ...]]] = [[] for _ in range(count)]
    for seed in seeds:
        rows = history(seed, shape)
        dice = random.Random(f"{shape.name}/{seed}/split")
        again = [row for row in rows if dice.random() < 0.15]
        mixed = rows + again
        dice.shuffle(mixed)
        in_order = dice.random() < 0.2
        if in_order:
            mixed.sort(key=lambda row: (row[6] is not None, row[6] or 0, row[7]))
        cuts = sorted(dice.randint(0, len(mixed)) for _ in range(count - 1))
        for batch, (start, end) in zip(divided, _pairs(cuts, len(mixed)), strict=True):
            batch.extend(mixed[start:end])
    return divided


def _row(dice: random.Random, seed: int, shape: Shape) -> tuple[Any, ...]:
    # A truncate rules over the keys of all seeds: let few seeds have one.
    truncates = shape.truncates and seed % 40 == 0
    op = dice.choices("UDT", weights=(8, 3, 1 if truncates else 0))[0]
    identity = dice.choice((1, 1, 2) + ((None,) if shape.null_keys else ()))
    top = 6 if op == "T" else 14
    seq: int | None = dice.randint(0, top) if shape.ties else dice.randint(0, 1_000_000)
    struct = dice.choice((None, {"x": None, "y": None}, {"x": 1, "y": None}, {"x": 2, "y": "r"}))
    if shape.null_sequences and dice.random() < 0.2:
        seq = None
    if op == "T":
        return (None, None, None, None, None, op, seq, 0, 0, None)
    return (
        seed,
        identity,
        dice.choice((None, "p", "q")),
        dice.choice((None, 1, 2, 10)),
        struct,
        op,
        seq,
        dice.randint(0, 2),
        dice.randint(0, 6),
        dice.choice((None, [], ["a"], ["B"], ["a", "s"], ["b", "s"], ["a", "b", "s"])),
    )


def _pairs(cuts: list[int], end: int) -> list[tuple[int, int]]:
    edges = [0, *cuts, end]
    return list(pairwise(edges))
