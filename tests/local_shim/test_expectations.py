"""Expectations: what is kept, left out, fatal, and counted."""

from __future__ import annotations

import pytest

from tests.pipeline_folder import Pipeline

ROWS = """
import dlt
from pyspark.sql import functions as F

def rows():
    return spark.createDataFrame(
        [(1, "a"), (2, None), (3, "c"), (4, "d"), (5, None)], "id INT, name STRING"
    )
"""


@pytest.mark.dlt(80, 81, 82, 83, 84, 88, 91)
def test_every_rule_is_counted_once_on_the_same_rows(pipeline: Pipeline) -> None:
    pipeline.write(
        ROWS
        + """
@dlt.table
@dlt.expect_or_drop("named", "length(name) > 0")
@dlt.expect("small", F.col("id") < 4)
@dlt.expect_or_drop("no fifth", "id <> 5")
@dlt.expect_or_fail("positive", "id > 0")
def t():
    return rows()

@dlt.table
@dlt.expect_all_or_drop({"no fifth": "id <> 5", "named": "length(name) > 0"})
@dlt.expect_all({"small": "id < 4"})
def same_in_another_order():
    return rows()
"""
    )
    assert pipeline.update() == 0
    assert pipeline.rows("t") == [(1, "a"), (3, "c"), (4, "d")]
    # row 5 breaks both drop rules (a NULL result is a violation) and is dropped once
    expected = {
        "dropped_records": 2,
        "expectations": {"named": [3, 2], "small": [3, 2], "no fifth": [4, 1]},
    }
    assert pipeline.quality("t") == expected
    assert pipeline.quality("same_in_another_order") == expected


@pytest.mark.dlt(81, 86, 87)
def test_a_fatal_row_leaves_the_table_and_its_siblings_alone(pipeline: Pipeline) -> None:
    pipeline.write(
        ROWS
        + """
@dlt.table
@dlt.expect_or_fail("named", "name is not null or id < 10")
def strict():
    return rows()

@dlt.table
def sibling():
    return rows()
"""
    )
    assert pipeline.update() == 0
    pipeline.write(
        (pipeline.folder / "source" / "pipeline.py").read_text().replace(" or id < 10", "")
    )
    assert pipeline.update() == 1
    assert pipeline.status("strict") == "FAILED"
    assert pipeline.status("sibling") == "COMPLETED"
    assert len(pipeline.rows("strict")) == 5
    text = pipeline.errors()[0]
    for part in ("EXPECTATION_VIOLATION.VERBOSITY_ALL", "main.default.strict", "'named'"):
        assert part in text
    assert '"id":2' in text or '"id":5' in text
    assert "Missing input data: false" in text


@pytest.mark.dlt(80, 89, 90)
def test_rules_hold_for_streams_for_views_and_for_each_flow_into_a_table(
    pipeline: Pipeline,
) -> None:
    pipeline.write(
        """
        import dlt
        @dlt.table
        def numbers():
            return spark.readStream.format("delta").load(
                spark.conf.get("numbers")).withColumnRenamed("id", "n")

        @dlt.view
        @dlt.expect("even", "n % 2 = 0")
        def judged():
            return spark.readStream.table("numbers")

        dlt.create_streaming_table("both", expect_all_or_drop={"small": "n < 4"})

        @dlt.append_flow(target="both")
        def one():
            return spark.readStream.table("judged")

        @dlt.append_flow(target="both")
        def two():
            return spark.readStream.table("judged").selectExpr("n + 1 AS n")
        """
    )
    path = str(pipeline.folder / "numbers")
    pipeline.spark.range(6).coalesce(1).write.format("delta").save(path)
    pipeline.conf["numbers"] = path
    assert pipeline.update() == 0
    assert pipeline.rows("both") == [(0,), (1,), (1,), (2,), (2,), (3,), (3,)]
    for flow, dropped in (("one", 2), ("two", 3)):
        found = pipeline.quality(flow)
        assert found["expectations"]["even"] == [3, 3]
        assert found["dropped_records"] == dropped
