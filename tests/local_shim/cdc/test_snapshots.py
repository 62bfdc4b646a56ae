"""Snapshots: which versions a flow takes, in which order, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from pyspark.sql import DataFrame, SparkSession

from local_shim.cdc.apply import Batch, CdcTarget, apply_batch, apply_snapshots
from local_shim.cdc.target_table.sharing import sharing_errors
from local_shim.declaring.cdc_arguments import auto_cdc_flow, snapshot_flow
from local_shim.errors import FlowError
from local_shim.graph.elements import AutoCdcFlow, SnapshotFlow
from tests.local_shim.cdc.shapes import HERE, SPACE, target_in, target_rows

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def flow(source: Any, **arguments: Any) -> SnapshotFlow:
    settings = {"target": "t", "keys": ["id"], **arguments}
    return snapshot_flow(source=source, where=HERE, namespace=SPACE, **settings)


def frame(spark: SparkSession, rows: list[tuple[Any, ...]]) -> DataFrame:
    return spark.createDataFrame(rows, "id int, v string")


def versions(
    spark: SparkSession, snapshots: dict[Any, Any], calls: list[Any]
) -> Callable[[Any], Any]:
    """A version function over `snapshots` that notes what it was called with."""

    def next_snapshot(last: Any) -> Any:
        calls.append(last)
        waiting = [v for v in snapshots if last is None or v > last]
        return (frame(spark, snapshots[min(waiting)]), min(waiting)) if waiting else None

    return next_snapshot


def rows(spark: SparkSession, target: CdcTarget) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in target_rows(spark, target))


@pytest.mark.dlt(72, 73, 74)
def test_all_waiting_versions_are_taken_in_one_update(spark: SparkSession, tmp_path: Path) -> None:
    target = target_in(tmp_path)
    calls: list[Any] = []
    snapshots: dict[Any, Any] = {1: [(1, "a"), (2, "b")], 2: [(1, "a"), (2, "b")]}
    declared = flow(versions(spark, snapshots, calls), stored_as_scd_type=2)
    apply_snapshots(declared, target, None, NOON)
    assert calls == [None, 1, 2]
    assert rows(spark, target) == [(1, "a", 1, None), (2, "b", 1, None)]
    snapshots[3] = [(1, "c")]
    result = apply_snapshots(declared, target, None, NOON)
    assert calls[3:] == [2, 3]
    assert (result.upserted, result.deleted) == (3, 0)
    assert rows(spark, target) == [(1, "a", 1, 3), (1, "c", 3, None), (2, "b", 1, 3)]


@pytest.mark.dlt(160)
def test_a_once_flow_is_idle_after_its_first_commit(spark: SparkSession, tmp_path: Path) -> None:
    target = target_in(tmp_path)
    calls: list[Any] = []
    snapshots: dict[Any, Any] = {1: [(1, "a")], 2: [(1, "b")]}
    once = flow(versions(spark, snapshots, calls), stored_as_scd_type=2, once=True)
    assert apply_snapshots(once, target, None, NOON).upserted == 3
    assert calls == [None, 1, 2]
    snapshots[3] = []
    assert apply_snapshots(once, target, None, NOON).upserted == 0
    assert calls == [None, 1, 2]


@pytest.mark.dlt(76, 161)
@pytest.mark.parametrize(
    ("returned", "condition"),
    [
        (lambda df: (df, 5), "OUT_OF_ORDER_SNAPSHOT_VERSION"),
        (lambda df: (df, 4), "OUT_OF_ORDER_SNAPSHOT_VERSION"),
        (lambda df: (df, None), "INVALID_TUPLE_NULL_SNAPSHOT_VERSION"),
        (lambda df: (df, "6"), "SNAPSHOT_VERSION_TYPE_CHANGED"),
        (lambda df: (df, {}), "SNAPSHOT_VERSION_NOT_SORTABLE"),
        (lambda df: df, "INVALID_RETURN_VALUE"),
    ],
)
def test_wrong_answers_of_a_version_function(
    spark: SparkSession, tmp_path: Path, returned: Any, condition: str
) -> None:
    target = target_in(tmp_path)
    snapshot = frame(spark, [(1, "a")])
    answers = iter([(snapshot, 5), returned(snapshot)])
    with pytest.raises(FlowError, match=condition):
        apply_snapshots(flow(lambda last: next(answers)), target, None, NOON)
    assert rows(spark, target) == [(1, "a")]
    skipping = apply_snapshots(
        flow(lambda last: (snapshot, 3)), target, None, NOON, skip_out_of_order=True
    )
    assert skipping.upserted == 0


@pytest.mark.dlt(78, 161)
def test_the_first_snapshot_must_be_there_and_keys_must_be_unique(
    spark: SparkSession, tmp_path: Path
) -> None:
    target = target_in(tmp_path)
    with pytest.raises(FlowError, match="FIRST_SNAPSHOT_EMPTY"):
        apply_snapshots(flow(lambda last: None), target, None, NOON)
    twice = frame(spark, [(1, "a"), (1, "b"), (2, "c")])
    with pytest.raises(FlowError, match=r'2 rows of the key {"id":1}'):
        apply_snapshots(flow("s"), target, lambda: twice, NOON)
    assert rows(spark, target) == []


@pytest.mark.dlt(71, 75, 77)
def test_a_named_source_is_one_snapshot_of_the_updates_time(
    spark: SparkSession, tmp_path: Path
) -> None:
    target, named = target_in(tmp_path), flow("s", stored_as_scd_type=2)
    night = NOON - timedelta(hours=12)
    apply_snapshots(named, target, lambda: frame(spark, [(1, "a1"), (2, "a2")]), night)
    apply_snapshots(named, target, lambda: frame(spark, [(2, "b2"), (3, "a3")]), NOON)
    midnight, noon = (t.replace(tzinfo=None) for t in (night, NOON))
    assert rows(spark, target) == [
        (1, "a1", midnight, noon),
        (2, "a2", midnight, noon),
        (2, "b2", noon, None),
        (3, "a3", noon, None),
    ]


@pytest.mark.parametrize("scd_type", [1, 2])
def test_a_column_that_snapshots_lose_stays_and_is_null_in_new_rows(
    spark: SparkSession, tmp_path: Path, scd_type: int
) -> None:
    target, named = target_in(tmp_path), flow("s", stored_as_scd_type=scd_type)
    night = NOON - timedelta(hours=12)
    apply_snapshots(named, target, lambda: frame(spark, [(1, "a"), (2, "b")]), night)
    narrow = spark.createDataFrame([(1,), (3,)], "id int")
    (warning,) = apply_snapshots(named, target, lambda: narrow, NOON).warnings
    assert "does not have v, which" in warning
    midnight, noon = (t.replace(tzinfo=None) for t in (night, NOON))
    closed = {(1, "a", midnight, noon), (2, "b", midnight, noon)}
    history = closed | {(1, None, noon, None), (3, None, noon, None)}
    expected = {1: {(1, None), (3, None)}, 2: history}[scd_type]
    assert {tuple(row) for row in target_rows(spark, target)} == expected


def change_flow(**arguments: Any) -> AutoCdcFlow:
    settings = {
        "target": "t",
        "source": "s",
        "keys": ["id"],
        "sequence_by": "seq",
        "name": "changes",
        "apply_as_deletes": "op = 'D'",
        "column_list": ["id", "v"],
        **arguments,
    }
    return auto_cdc_flow(where=HERE, namespace=SPACE, **settings)


@pytest.mark.dlt(162)
@pytest.mark.parametrize("snapshot_first", [True, False])
def test_snapshots_and_changes_share_an_scd1_target(
    spark: SparkSession, tmp_path: Path, snapshot_first: bool
) -> None:
    target = target_in(tmp_path)
    first = [(1, "a2", "U", 110), (3, "c", "U", 90), (2, None, "D", 120), (4, "d", "U", 130)]
    second = [(5, "e0", "U", 150), (6, "f", "U", 210), (1, "a4", "U", 190)]

    def snapshot(version: int, content: list[tuple[Any, ...]]) -> None:
        next_version = versions(spark, {version: content}, [])
        apply_snapshots(flow(next_version), target, None, NOON)

    def changes(version: int, events: list[tuple[Any, ...]]) -> None:
        batch = spark.createDataFrame(events, "id int, v string, op string, seq bigint")
        apply_batch(batch, Batch("app", version), change_flow(), target)

    for number, (version, content, events, expected) in enumerate(
        [
            (100, [(1, "a"), (2, "b")], first, [(1, "a2"), (4, "d")]),
            (200, [(1, "a3"), (5, "e")], second, [(1, "a3"), (5, "e"), (6, "f")]),
        ]
    ):
        if snapshot_first:
            snapshot(version, content)
        changes(number, cast(list[tuple[Any, ...]], events))
        if not snapshot_first:
            snapshot(version, content)
        assert rows(spark, target) == expected


@pytest.mark.dlt(163)
def test_flows_that_may_not_share_a_target(spark: SparkSession) -> None:
    def conditions(*flows: AutoCdcFlow | SnapshotFlow, **more: bool) -> str:
        rules = {"continuous": False, "expectations": False, **more}
        return " ".join(error.condition for error in sharing_errors(flows, **rules))

    snapshots, changes = flow("s"), change_flow()
    two = {"stored_as_scd_type": 2}
    assert (
        conditions(snapshots, changes)
        == conditions(changes, change_flow(name="b"))
        == conditions(snapshots)
        == ""
    )
    assert "REQUIRES_SCD1" in conditions(flow("s", **two), change_flow(**two))
    assert "KEYS_MISMATCH" in conditions(snapshots, change_flow(keys=["v"]))
    assert "IGNORE_NULL_UNSUPPORTED" in conditions(snapshots, change_flow(ignore_null_updates=True))
    assert "EXPECTATIONS_NOT_SUPPORTED" in conditions(snapshots, changes, expectations=True)
    assert "CONTINUOUS_NOT_SUPPORTED" in conditions(snapshots, changes, continuous=True)
    assert "MULTIPLE_SNAPSHOT_FLOWS" in conditions(snapshots, flow("z"))
