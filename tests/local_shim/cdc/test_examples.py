"""Each page of `examples/`: before, changes, after."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from local_shim.cdc.apply import Batch, CdcTarget, apply_batch, apply_snapshots
from local_shim.declaring.cdc_arguments import auto_cdc_flow, snapshot_flow
from tests.local_shim.cdc.example_tables import Example, Step, examples
from tests.local_shim.cdc.shapes import HERE, SPACE, target_in, target_rows


def _parameters() -> list[Any]:
    return [pytest.param(e, id=e.name, marks=pytest.mark.dlt(*e.items)) for e in examples()]


@pytest.mark.parametrize("example", _parameters())
def test_example(spark: SparkSession, tmp_path: Path, example: Example) -> None:
    target = target_in(tmp_path)
    for number, step in enumerate(example.steps):
        if step.heading.startswith("Changes"):
            flow = auto_cdc_flow(
                target="t", source="s", where=HERE, namespace=SPACE, **example.arguments
            )
            apply_batch(_frame(spark, step), Batch("app", number), flow, target)
        elif step.heading.startswith("Snapshot"):
            _snapshot(_frame(spark, step), int(step.heading.split()[1]), example, target)
        else:
            _compare(target_rows(spark, target), step)


def _snapshot(frame: DataFrame, version: int, example: Example, target: CdcTarget) -> None:
    def next_one(last: int | None) -> tuple[DataFrame, int] | None:
        return None if last is not None and last >= version else (frame, version)

    flow = snapshot_flow(
        target="t", source=next_one, where=HERE, namespace=SPACE, **example.arguments
    )
    apply_snapshots(flow, target, None, datetime(2026, 1, 1, tzinfo=UTC))


def _frame(spark: SparkSession, step: Step) -> DataFrame:
    names = [column.split(" ", 1)[0] for column in step.columns]
    kinds = [column.split(" ", 1)[1] for column in step.columns]
    text = ", ".join(f"{name} string" for name in names)
    columns = [
        F.from_json(name, kind, {}).alias(name)
        if kind.startswith(("struct", "array"))
        else F.col(name).cast(kind).alias(name)
        for name, kind in zip(names, kinds, strict=True)
    ]
    return spark.createDataFrame(list(step.rows), text).select(*columns)


def _compare(rows: list[Row], step: Step) -> None:
    actual = sorted(tuple(_text(value) for value in row) for row in rows)
    expected = sorted(tuple(_plain(cell) for cell in row) for row in step.rows)
    assert rows[0].__fields__ == list(step.columns)
    assert actual == expected


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, Row):
        return json.dumps(value.asDict(recursive=True), default=str)
    return str(value)


def _plain(cell: str | None) -> str:
    if cell is None:
        return "null"
    return json.dumps(json.loads(cell)) if cell.startswith("{") else cell
