"""Why a key looks as it does: every event of it in sequence order, and what each one did."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from local_shim.cdc.explain.replay import ChangeEvent, Effect, HistoryRow, tell
from local_shim.cdc.fold.change_rows import DELETE, TRUNCATE, UPSERT, events_of, scalar
from local_shim.cdc.fold.leaf_columns import cells_of
from local_shim.cdc.target.columns import layout_of
from local_shim.errors import UsageError, close_match
from local_shim.graph.elements import AutoCdcFlow, ScdType
from local_shim.text_table import text_table


@dataclass(frozen=True)
class Explanation:
    """All events of one key, and the rows they leave; `str()` renders it for a terminal."""

    key: Mapping[str, Any]
    events: tuple[Effect, ...]
    rows: tuple[HistoryRow, ...]

    def __str__(self) -> str:
        named = ", ".join(f"{name}={value}" for name, value in self.key.items())
        if not self.events:
            return f"{named}: no change of this key was ever seen."
        rows = []
        for told in self.events:
            seen = told.happening
            shown = json.dumps(seen.row, ensure_ascii=False) if seen.kind == UPSERT else ""
            place = seen.sequence if seen.system is None else f"{seen.sequence} known {seen.system}"
            rows.append((place, seen.kind, shown, told.effect))
        lines = [f"{named}: {len(self.events)} changes in the order of their sequence", ""]
        lines.append(text_table(("sequence", "change", "row", "effect"), rows))
        lines += ["", "rows left:" if self.rows else "no row is left"]
        return "\n".join([*lines, *(f"  {_kept(row)}" for row in self.rows)])


@dataclass(frozen=True)
class Tie:
    """Different changes of one key with the same sequence."""

    key: str
    sequence: str
    changes: int


def explain(
    changes: DataFrame, flow: AutoCdcFlow, key: Mapping[str, Any], *, remainders: bool = False
) -> Explanation:
    """The story of one key in a flow's source, read in batch.

    `key` maps each key column to its value. The order of the frame counts as the order of arrival.
    `remainders`: late deletes leave rows without a start, as `CdcOptions` has it for SCD type 2.
    Raises UsageError if the columns are not the flow's keys.
    """
    layout = layout_of(flow, changes)
    asked = {name.lower(): value for name, value in key.items()}
    unknown = set(asked) ^ {name.lower() for name in layout.keys}
    if unknown:
        raise UsageError(
            "EXPLAIN_KEY",
            f"'{flow.name}' has the keys {', '.join(layout.keys)}; give a value for each of them "
            f"and for nothing else ({', '.join(sorted(unknown))}).",
            hint=close_match(min(unknown), layout.keys),
        )
    numbered = events_of(changes, flow, layout).withColumn(
        "arrival", F.monotonically_increasing_id()
    )
    mine = F.col("kind") == TRUNCATE
    same = F.lit(True)
    for name in layout.keys:
        kind = layout.columns[name].dataType
        same = same & F.col("key")[name].eqNullSafe(F.lit(asked[name.lower()]).cast(kind))
    happened = _happenings(numbered.where(mine | same), tuple(c.name for c in cells_of(layout)))
    tracked = None if flow.scd_type is ScdType.ONE else layout.tracked
    if flow.scd_type is ScdType.BITEMPORAL:
        events, rows = _beliefs(happened, layout.tracked)
    else:
        history = flow.scd_type is ScdType.TWO
        events, rows = tell(happened, tracked, remainders=remainders and history)
    return Explanation(dict(key), tuple(events), tuple(rows))


def ties(changes: DataFrame, flow: AutoCdcFlow) -> list[Tie]:
    """All ties in a flow's source, read in batch; the most frequent keys first."""
    layout = layout_of(flow, changes)
    events = events_of(changes, flow, layout).where(F.col("kind") != TRUNCATE)
    by = ["key", "seq", *(["sys"] if "sys" in events.columns else [])]
    what = F.when(F.col("kind") == DELETE, DELETE).otherwise(F.col("rendered"))
    found = (
        events.groupBy(*by)
        .agg(F.count_distinct(what).alias("changes"))
        .where("changes > 1")
        .select(F.to_json("key").alias("key"), scalar(F.col("seq")).alias("seq"), "changes")
        .orderBy(F.desc("changes"), "key", "seq")
    )
    return [Tie(row["key"], _value(row["seq"]), row["changes"]) for row in found.collect()]


def rendered_ties(found: Sequence[Tie]) -> str:
    """The tie report for a terminal."""
    if not found:
        return "no ties: every key has one change per sequence"
    rows = [(tie.key, tie.sequence, str(tie.changes)) for tie in found]
    count = "1 tie" if len(found) == 1 else f"{len(found)} ties"
    return f"{count}\n\n" + text_table(("key", "sequence", "changes"), rows)


def _happenings(events: DataFrame, cells: tuple[str, ...]) -> list[ChangeEvent]:
    known = "sys" in events.columns
    system = F.col("sys") if known else F.lit(0)
    everything = Window.partitionBy(F.lit(0))
    ranked = events.select(
        F.dense_rank().over(everything.orderBy("seq")).alias("rank"),
        F.dense_rank().over(everything.orderBy(system)).alias("system_rank"),
        "arrival",
        scalar(F.col("seq")).alias("seq"),
        (scalar(system) if known else F.lit(None).cast("string")).alias("system"),
        "kind",
        "rendered",
        "supplied",
        F.to_json("row", {"ignoreNullFields": "false"}).alias("row"),
    )
    return [
        ChangeEvent(
            rank=row["rank"],
            arrival=row["arrival"],
            sequence=_value(row["seq"]),
            kind=row["kind"],
            row=json.loads(row["row"]),
            payload=row["rendered"] or "",
            supplied=None if row["supplied"] is None else tuple(row["supplied"]),
            cells=cells,
            system_rank=row["system_rank"],
            system=_value(row["system"]) if known else None,
        )
        for row in ranked.collect()
    ]


def _beliefs(
    happened: list[ChangeEvent], tracked: Sequence[str]
) -> tuple[list[Effect], list[HistoryRow]]:
    """Per system time the rows believed then; an event's effect is the one when it got known."""
    told: list[Effect] = []
    beliefs: list[HistoryRow] = []
    for rank in sorted({h.system_rank for h in happened}):
        known = _corrected([h for h in happened if h.system_rank <= rank])
        moment = next(h.system for h in happened if h.system_rank == rank)
        events, hold = tell(known, tracked)
        told += [each for each in events if each.happening.system_rank == rank]
        beliefs = [_believed(belief, hold, moment) for belief in beliefs]
        held = [(b.row, b.start, b.end) for b in beliefs if b.system_end is None]
        beliefs += [
            HistoryRow(k.row, k.start, k.end, moment)
            for k in hold
            if (k.row, k.start, k.end) not in held
        ]
    return told, beliefs


def _corrected(known: list[ChangeEvent]) -> list[ChangeEvent]:
    latest: dict[int, int] = {}
    for each in known:
        latest[each.rank] = max(each.system_rank, latest.get(each.rank, 0))
    return [each for each in known if each.system_rank == latest[each.rank]]


def _believed(belief: HistoryRow, hold: list[HistoryRow], moment: str | None) -> HistoryRow:
    still = any((k.row, k.start, k.end) == (belief.row, belief.start, belief.end) for k in hold)
    if still or belief.system_end is not None:
        return belief
    return HistoryRow(belief.row, belief.start, belief.end, belief.system_start, moment)


def _kept(row: HistoryRow) -> str:
    text = json.dumps(row.row, ensure_ascii=False)
    if row.start is not None:
        text += f"  from {row.start} to {row.end or 'now'}"
    elif row.end is not None:
        text += f"  until {row.end}"
    if row.system_start is not None:
        text += f", believed from {row.system_start} to {row.system_end or 'now'}"
    return text


def _value(text: str | None) -> str:
    value = json.loads(text)["seq"] if text else None
    return value if isinstance(value, str) else json.dumps(value)
