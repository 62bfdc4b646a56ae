"""Any order, any split into batches, any repetition: the target equals the oracle's.

A failure names its seed; `make fuzz` looks at thousands of them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.local_shim.cdc.shapes import SHAPES, Shape, compare, held, open_rows, target_in

SEEDS = range(int(os.environ.get("CDC_FIRST_SEED", "0")), int(os.environ.get("CDC_SEEDS", "300")))


@pytest.mark.dlt(24, 29, 32, 33, 56, 57, 62, 64, 153, 155)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_target_depends_on_the_set_of_events_alone(
    spark: SparkSession, tmp_path: Path, shape: Shape
) -> None:
    told = compare(spark, tmp_path, shape, SEEDS, count=3)
    assert not told, f"{len(told)} keys differ, the first:\n" + "\n".join(told[:3])


@pytest.mark.dlt(64)
def test_scd1_rows_are_the_open_rows_of_scd2(spark: SparkSession, tmp_path: Path) -> None:
    pairs = (("scd1", "scd2"), ("scd1 ignoring nulls", "scd2 ignoring nulls"))
    named = {shape.name: shape for shape in SHAPES}
    for one, two in pairs:
        # The same histories: a seed's history depends on the shape's name.
        first = Shape(one, named[one].arguments, ignoring=named[one].ignoring)
        second = Shape(one, named[two].arguments, ignoring=named[one].ignoring)
        compare(spark, tmp_path / one, first, SEEDS, count=1)
        compare(spark, tmp_path / two, second, SEEDS, count=2)
        current = held(spark, target_in(tmp_path / one))
        history = held(spark, target_in(tmp_path / two))
        assert open_rows([_as_open(row) for row in current]) == open_rows(history)


def _as_open(row: object) -> object:
    from pyspark.sql import Row

    return Row(**{**row.asDict(), "__END_AT": None})  # type: ignore[attr-defined]
