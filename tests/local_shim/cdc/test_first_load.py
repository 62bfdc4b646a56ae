"""A large first batch: keys with one change are taken as they are, the others are folded."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from local_shim.errors import FlowError
from tests.local_shim.cdc.one_target import Target, flow

pytestmark = pytest.mark.slow

# Spark takes 20 bytes for a text, so that these rows are more than a small batch.
KEYS, TEXTS = 8_000, [f"'' t{number}" for number in range(25)]


def rows(keys: DataFrame, value: str, op: str, seq: int) -> DataFrame:
    values = ("cast(id as int) id", f"{value} v", *TEXTS, f"{op} op", f"{seq}L seq")
    return keys.selectExpr(*values)


def full_load(spark: SparkSession) -> DataFrame:
    """One insert for each key but the last hundred, for which there are deletes."""
    op = f"if(id < {KEYS - 100}, 'I', 'D')"
    return rows(spark.range(KEYS), "concat('v', id)", op, 10)


def repeated(spark: SparkSession, keys: int) -> DataFrame:
    """A later update, an earlier one, the insert again, and a delete for each tenth key."""
    ids = spark.range(keys)
    tenth = "id % 10 = 0"
    return (
        rows(ids, "concat('v', id)", "'I'", 10)
        .union(rows(ids, "'later'", "'U'", 20))
        .union(rows(ids, "'earlier'", "'U'", 5))
        .union(rows(ids, f"if({tenth}, NULL, 'last')", f"if({tenth}, 'D', 'U')", 30))
    )


@pytest.mark.dlt(24, 25)
@pytest.mark.parametrize(("scd_type", "keys"), [(1, 20), (2, 20), (1, 2000)])
def test_one_large_batch_gives_the_rows_of_several_small_ones(
    spark: SparkSession, tmp_path: Path, scd_type: int, keys: int
) -> None:
    declared = flow(stored_as_scd_type=scd_type)
    load, more = full_load(spark), repeated(spark, keys)
    at_once, in_steps = Target(spark, tmp_path / "once"), Target(spark, tmp_path / "steps")
    first = rows(spark.range(KEYS, KEYS + 1), "'first'", "'I'", 10)
    at_once.take(first.union(load).union(more), declared)
    for batch in (first, more, load):
        in_steps.take(batch, declared)
    once, steps = at_once.frame(), in_steps.frame()
    assert once.count() == steps.count() > KEYS - 400
    assert once.exceptAll(steps).isEmpty()
    # A late change shows whether both remember the deletes.
    late = rows(spark.range(KEYS - 1, KEYS + 2), "'late'", "'U'", 9)
    for target in (at_once, in_steps):
        target.take(late, declared)
    assert at_once.frame().exceptAll(in_steps.frame()).isEmpty()


def test_a_change_without_sequence_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    target = Target(spark, tmp_path)
    load = full_load(spark).selectExpr("* EXCEPT (seq)", "if(id = 7, NULL, seq) seq")
    with pytest.raises(FlowError, match="1 change rows have no sequence"):
        target.take(load, flow(stored_as_scd_type=2))
    assert target.frame().isEmpty()
