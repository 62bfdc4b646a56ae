"""Explains one key: all its events in the order of their sequence, and what each of them did."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from local_shim.cdc.explain.replay import ChangeEvent, Effect, HistoryRow, replay
from local_shim.cdc.fold.change_rows import DELETE, TRUNCATE, UPSERT, events_of, payload, scalar
from local_shim.cdc.fold.leaf_columns import leaves_of
from local_shim.cdc.target_table.columns import TargetColumns, columns_of
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
        key = ", ".join(f"{name}={value}" for name, value in self.key.items())
        if not self.events:
            return f"{key}: no change of this key was ever seen."
        lines = [f"{key}: {len(self.events)} changes in the order of their sequence", ""]
        columns = ("sequence", "change", "row", "effect")
        lines.append(text_table(columns, [_line(effect) for effect in self.events]))
        lines += ["", "rows left:" if self.rows else "no row is left"]
        return "\n".join([*lines, *(f"  {_rendered_row(row)}" for row in self.rows)])


@dataclass(frozen=True)
class Tie:
    """Different changes of one key with the same sequence."""

    key: str
    sequence: str
    changes: int


def explain(
    changes: DataFrame, flow: AutoCdcFlow, key: Mapping[str, Any], *, remainders: bool = False
) -> Explanation:
    """What each change of one key in a flow's source did; the source is read in batch.

    `key` maps each key column to its value. The order of the frame counts as the order of arrival.
    `remainders`: late deletes leave rows without a start, as `CdcOptions` has it for SCD type 2.
    Raises UsageError if the columns are not the flow's keys.
    """
    columns = columns_of(flow, changes)
    _check_key(key, flow, columns)
    events = _change_events(_events_of_key(changes, flow, columns, key), columns)
    if flow.scd_type is ScdType.BITEMPORAL:
        effects, rows = _replay_beliefs(events, columns.tracked)
    else:
        is_scd2 = flow.scd_type is ScdType.TWO
        tracked = columns.tracked if is_scd2 else None
        effects, rows = replay(events, tracked, remainders=remainders and is_scd2)
    return Explanation(dict(key), tuple(effects), tuple(rows))


def ties(changes: DataFrame, flow: AutoCdcFlow) -> list[Tie]:
    """All ties in a flow's source, read in batch; the most frequent keys first."""
    columns = columns_of(flow, changes)
    events = events_of(changes, flow, columns).where(F.col("kind") != TRUNCATE)
    by = ["key", "seq", *(["sys"] if "sys" in events.columns else [])]
    what = F.when(F.col("kind") == DELETE, DELETE).otherwise(
        payload(F.col("row"), F.col("supplied"))
    )
    rows = (
        events.groupBy(*by)
        .agg(F.count_distinct(what).alias("changes"))
        .where("changes > 1")
        .select(F.to_json("key").alias("key"), scalar(F.col("seq")).alias("seq"), "changes")
        .orderBy(F.desc("changes"), "key", "seq")
    )
    return [Tie(row["key"], _value(row["seq"]), row["changes"]) for row in rows.collect()]


def rendered_ties(all_ties: Sequence[Tie]) -> str:
    """The ties as text for a terminal."""
    if not all_ties:
        return "no ties: every key has one change per sequence"
    lines = [(tie.key, tie.sequence, str(tie.changes)) for tie in all_ties]
    count = "1 tie" if len(all_ties) == 1 else f"{len(all_ties)} ties"
    return f"{count}\n\n" + text_table(("key", "sequence", "changes"), lines)


def _check_key(key: Mapping[str, Any], flow: AutoCdcFlow, columns: TargetColumns) -> None:
    unknown = {name.lower() for name in key} ^ {name.lower() for name in columns.keys}
    if unknown:
        raise UsageError(
            "EXPLAIN_KEY",
            f"'{flow.name}' has the keys {', '.join(columns.keys)}; give a value for each of them "
            f"and for nothing else ({', '.join(sorted(unknown))}).",
            hint=close_match(min(unknown), columns.keys),
        )


def _events_of_key(
    changes: DataFrame, flow: AutoCdcFlow, columns: TargetColumns, key: Mapping[str, Any]
) -> DataFrame:
    """The events of one key and all truncates, numbered by their arrival."""
    values = {name.lower(): value for name, value in key.items()}
    same_key = F.lit(True)
    for name in columns.keys:
        value = F.lit(values[name.lower()]).cast(columns.selected[name].dataType)
        same_key = same_key & F.col("key")[name].eqNullSafe(value)
    events = events_of(changes, flow, columns)
    numbered = events.withColumn("arrival", F.monotonically_increasing_id())
    return numbered.where((F.col("kind") == TRUNCATE) | same_key)


def _change_events(events: DataFrame, columns: TargetColumns) -> list[ChangeEvent]:
    is_bitemporal = "sys" in events.columns
    system = F.col("sys") if is_bitemporal else F.lit(0)
    everything = Window.partitionBy(F.lit(0))
    ranked = events.select(
        F.dense_rank().over(everything.orderBy("seq")).alias("rank"),
        F.dense_rank().over(everything.orderBy(system)).alias("system_rank"),
        "arrival",
        scalar(F.col("seq")).alias("seq"),
        (scalar(system) if is_bitemporal else F.lit(None).cast("string")).alias("system"),
        "kind",
        payload(F.col("row"), F.col("supplied")).alias("payload"),
        "supplied",
        F.to_json("row", {"ignoreNullFields": "false"}).alias("row"),
    )
    leaves = tuple(leaf.name for leaf in leaves_of(columns))
    return [
        ChangeEvent(
            rank=row["rank"],
            arrival=row["arrival"],
            sequence=_value(row["seq"]),
            kind=row["kind"],
            row=json.loads(row["row"]),
            payload=row["payload"] or "",
            supplied=None if row["supplied"] is None else tuple(row["supplied"]),
            leaves=leaves,
            system_rank=row["system_rank"],
            system=_value(row["system"]) if is_bitemporal else None,
        )
        for row in ranked.collect()
    ]


def _replay_beliefs(
    events: list[ChangeEvent], tracked: Sequence[str]
) -> tuple[list[Effect], list[HistoryRow]]:
    """Per system time the rows believed then; an event has the effect of when it became known."""
    effects: list[Effect] = []
    beliefs: list[HistoryRow] = []
    for rank in sorted({event.system_rank for event in events}):
        system = next(event.system for event in events if event.system_rank == rank)
        step, rows = replay(_known_at(events, rank), tracked)
        effects += [effect for effect in step if effect.event.system_rank == rank]
        beliefs = _next_beliefs(beliefs, rows, system)
    return effects, beliefs


def _known_at(events: list[ChangeEvent], system_rank: int) -> list[ChangeEvent]:
    """The events known by a system time, without those that a later known one corrects."""
    by_then = [event for event in events if event.system_rank <= system_rank]
    latest: dict[int, int] = {}
    for event in by_then:
        latest[event.rank] = max(event.system_rank, latest.get(event.rank, 0))
    return [event for event in by_then if event.system_rank == latest[event.rank]]


def _next_beliefs(
    beliefs: list[HistoryRow], rows: list[HistoryRow], system: str | None
) -> list[HistoryRow]:
    """Ends the open beliefs that are no longer among the rows, and adds those that are new."""

    def identity(belief: HistoryRow) -> tuple[Any, ...]:
        return belief.row, belief.start, belief.end

    current = [identity(row) for row in rows]
    continued = [
        belief
        if belief.system_end is not None or identity(belief) in current
        else replace(belief, system_end=system)
        for belief in beliefs
    ]
    open_beliefs = [identity(belief) for belief in continued if belief.system_end is None]
    added = [row for row in rows if identity(row) not in open_beliefs]
    return [*continued, *(HistoryRow(row.row, row.start, row.end, system) for row in added)]


def _line(effect: Effect) -> tuple[str, ...]:
    event = effect.event
    row = json.dumps(event.row, ensure_ascii=False) if event.kind == UPSERT else ""
    system = "" if event.system is None else f" known {event.system}"
    return f"{event.sequence}{system}", event.kind, row, effect.description


def _rendered_row(row: HistoryRow) -> str:
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
