"""The flows whose targets are compared with the oracle, and how one comparison is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession

from local_shim.cdc.apply import Batch, CdcTarget, apply_batch
from local_shim.cdc.target_table.target import CdcOptions
from local_shim.declaring.cdc_arguments import auto_cdc_flow
from local_shim.graph.elements import AutoCdcFlow, SourceLocation
from local_shim.graph.names import Namespace, TableName
from tests.local_shim.cdc.histories import COLUMNS, SCHEMA, STRUCTS, Shape, batches
from tests.local_shim.cdc.oracle import Event, Version, row_of

HERE = SourceLocation("tests/local_shim/cdc/shapes.py", 1)
SPACE = Namespace("main", "default")
_A_AND_S = {"track_history_column_list": ["a", "s"]}
_BITEMPORAL = {"stored_as_scd_type": "bitemporal", "system_sequence_by": "known"}

SHAPES = (
    Shape("scd1", null_keys=True),
    Shape("scd1 truncates", {"apply_as_truncates": "op = 'T'"}, truncates=True),
    Shape("scd1 ignoring nulls", {"ignore_null_updates": True}, ignoring=COLUMNS),
    Shape(
        "scd1 ignoring some nulls, truncates",
        {
            "ignore_null_updates_except_column_list": ["b"],
            "apply_as_truncates": "op = 'T'",
        },
        truncates=True,
        ignoring=("a", "s"),
    ),
    Shape("scd1 listed columns", {"columns_to_update": "cols"}, listing=True),
    Shape("scd2", {"stored_as_scd_type": 2}, null_keys=True),
    Shape("scd2 tracked", {"stored_as_scd_type": 2, **_A_AND_S}, tracked=("a", "s")),
    Shape(
        "scd2 by struct",
        {"stored_as_scd_type": "2", "track_history_except_column_list": ["s"]},
        tracked=("a", "b"),
        struct_sequence=True,
    ),
    Shape(
        "scd2 ignoring nulls",
        {"stored_as_scd_type": 2, "ignore_null_updates": True, **_A_AND_S},
        ignoring=COLUMNS,
        tracked=("a", "s"),
    ),
    Shape(
        "scd2 listed columns",
        {"stored_as_scd_type": 2, "columns_to_update": "cols"},
        listing=True,
    ),
    Shape(
        "scd1 without sequences, truncates",
        {"apply_as_truncates": "op = 'T'"},
        truncates=True,
        null_sequences=True,
    ),
    Shape(
        "scd1 without sequences, ignoring nulls",
        {"ignore_null_updates": True},
        ignoring=COLUMNS,
        null_sequences=True,
    ),
    Shape("scd2 remainders", {"stored_as_scd_type": 2}, remainders=True),
    Shape(
        "scd2 remainders, tracked, listed columns",
        {"stored_as_scd_type": 2, "columns_to_update": "cols", **_A_AND_S},
        listing=True,
        tracked=("a", "s"),
        remainders=True,
    ),
    Shape("bitemporal", _BITEMPORAL),
    Shape("bitemporal tracked", {**_BITEMPORAL, **_A_AND_S}, tracked=("a", "s")),
)


def flow_of(shape: Shape, **more: Any) -> AutoCdcFlow:
    sequence = "struct(seq, minor)" if shape.struct_sequence else "seq"
    arguments = {
        "target": "t",
        "source": "s",
        "keys": ["seed", "id"],
        "sequence_by": sequence,
        "apply_as_deletes": "op = 'D'",
        "except_column_list": ["op", "seq", "minor", "known", "cols"],
        **shape.arguments,
        **more,
    }
    return auto_cdc_flow(where=HERE, namespace=SPACE, **arguments)


def target_in(folder: Path) -> CdcTarget:
    return CdcTarget(folder / "table", folder / "state", TableName("main", "d", "t"))


def cdc_options(shape: Shape) -> CdcOptions:
    return CdcOptions(null_sequences=shape.null_sequences, remainders=shape.remainders)


def frame(spark: SparkSession, rows: Iterable[tuple[Any, ...]]) -> DataFrame:
    return spark.createDataFrame(list(rows), SCHEMA)


def compare(
    spark: SparkSession, folder: Path, shape: Shape, seeds: Iterable[int], count: int
) -> list[str]:
    """Differences between target and oracle after all batches, each with its seed."""
    seed_list = list(seeds)
    target, flow = replace(target_in(folder), options=cdc_options(shape)), flow_of(shape)
    all_batches = batches(seed_list, shape, count)
    for number, rows in enumerate(all_batches):
        apply_batch(frame(spark, rows), Batch("app", number), flow, target)
    events = [shape.event(row) for rows in all_batches for row in rows]
    return differences(shape, events, target_rows(spark, target))


def target_rows(spark: SparkSession, target: CdcTarget) -> list[Row]:
    return spark.read.format("delta").load(str(target.table)).collect()


def differences(shape: Shape, events: list[Event], rows: list[Row]) -> list[str]:
    expected, actual = _expected(shape, events), _actual(rows)
    different = []
    for key in sorted(set(expected) | set(actual), key=repr):
        if expected.get(key, []) != actual.get(key, []):
            events_of_key = [e for e in events if e.key == key or e.kind == "truncate"]
            listed = "\n    ".join(str(e) for e in sorted(events_of_key, key=lambda e: repr(e.seq)))
            different.append(
                f"{shape.name}, seed {key[0]}, key {key[1]}:\n    {listed}\n"
                f"  expected {expected.get(key, [])}\n  found    {actual.get(key, [])}"
            )
    return different


def _expected(shape: Shape, events: list[Event]) -> dict[Any, list[str]]:
    oracle = shape.oracle()
    rows: dict[Any, list[tuple[Any, ...]]]
    if shape.storage == "1":
        rows = {key: [_values(row)] for key, row in oracle.scd1(events).items()}
    elif shape.storage == "2":
        rows = {
            key: [(*_version(v),) for v in versions]
            for key, versions in oracle.scd2(events).items()
        }
    else:
        rows = {
            key: [(*_version(v), since, until) for v, since, until in beliefs]
            for key, beliefs in oracle.bitemporal(events).items()
        }
    return {key: sorted(map(repr, some)) for key, some in rows.items() if some}


def _actual(rows: list[Row]) -> dict[Any, list[str]]:
    by_key: dict[Any, list[str]] = {}
    for row in rows:
        named = row.asDict(recursive=True)
        key = (named.pop("seed"), named.pop("id"))
        columns = _values({name: named.pop(name) for name in COLUMNS})
        intervals = tuple(tuple(v.values()) if isinstance(v, dict) else v for v in named.values())
        by_key.setdefault(key, []).append(repr((*columns, *intervals)))
    return {key: sorted(some) for key, some in by_key.items()}


def _version(version: Version) -> tuple[Any, ...]:
    return (*_values(row_of(dict(version.cells), STRUCTS)), version.start, version.end)


def _values(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in COLUMNS)


def open_rows(rows: list[Row]) -> list[str]:
    """The open rows of an SCD2 target without their intervals: what SCD1 holds."""
    current = [row.asDict(recursive=True) for row in rows if row["__END_AT"] is None]
    return sorted(repr([row[name] for name in ("seed", "id", *COLUMNS)]) for row in current)
