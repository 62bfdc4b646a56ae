"""Any order, any split into batches, any repetition: the target equals the oracle's.

A failure names its seed; `make fuzz` looks at thousands of them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from pyspark.sql import Row, SparkSession

from tests.local_shim.cdc.histories import Shape
from tests.local_shim.cdc.shapes import SHAPES, compare, open_rows, target_in, target_rows

pytestmark = pytest.mark.slow
SEEDS = range(int(os.environ.get("CDC_FIRST_SEED", "0")), int(os.environ.get("CDC_SEEDS", "300")))


# The behaviour items that the histories of a shape test beside item 24.
ITEMS = {
    "scd1": (32, 33),
    "scd1 ignoring nulls": (56, 57),
    "scd1 ignoring some nulls, truncates": (56, 57),
    "scd1 listed columns": (56, 57),
    "scd1 without sequences, truncates": (29,),
    "scd1 without sequences, ignoring nulls": (29,),
    "scd2": (32, 33),
    "scd2 ignoring nulls": (56, 57),
    "scd2 listed columns": (56, 57),
    "scd2 remainders": (62,),
    "scd2 remainders, tracked, listed columns": (62,),
    "bitemporal": (153, 155),
    "bitemporal tracked": (153, 155),
}


def _parameter(shape: Shape) -> ParameterSet:
    items = pytest.mark.dlt(24, *ITEMS.get(shape.name, ()))
    return pytest.param(shape, id=shape.name, marks=items)


@pytest.mark.parametrize("shape", [_parameter(shape) for shape in SHAPES])
def test_a_target_depends_on_the_set_of_events_alone(
    spark: SparkSession, tmp_path: Path, shape: Shape
) -> None:
    different = compare(spark, tmp_path, shape, SEEDS, count=3)
    assert not different, f"{len(different)} keys differ, the first:\n" + "\n".join(different[:3])


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
        current = target_rows(spark, target_in(tmp_path / one))
        history = target_rows(spark, target_in(tmp_path / two))
        assert open_rows([_as_open(row) for row in current]) == open_rows(history)


def _as_open(row: Row) -> Row:
    return Row(**{**row.asDict(), "__END_AT": None})
