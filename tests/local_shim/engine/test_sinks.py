"""Sinks: what leaves the pipeline, once in every update, and again after a full refresh."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline_folder import Pipeline

SOURCE = """
import dlt

@dlt.append_flow(target="out")
def numbers():
    return (spark.readStream.format("cloudFiles").option("cloudFiles.format", "csv")
            .option("header", "true").load(spark.conf.get("landing")))
"""
BATCHES = """
import json
from pathlib import Path
from pyspark import pipelines as dp

@dp.foreach_batch_sink(name="out")
def told(batch, number):
    rows = sorted(row.id for row in batch.collect())
    known = spark.read.table("known").count()
    with Path(spark.conf.get("log")).open("a") as log:
        print(json.dumps([number, rows, known]), file=log)
"""


@pytest.fixture
def numbers(pipeline: Pipeline, write_rows: Callable[[str, str], Path]) -> Pipeline:
    """A flow of two numbers into the sink `out`, which is not declared yet."""
    pipeline.conf["landing"] = str(pipeline.folder / "landing")
    write_rows("1.csv", "id\n1\n2\n")
    pipeline.write(SOURCE, "flow.py")
    return pipeline


@pytest.mark.dlt(102)
@pytest.mark.parametrize("option", ["path", "tableName"])
def test_a_full_refresh_of_a_flow_into_a_delta_sink_appends_its_rows_again(
    numbers: Pipeline, option: str
) -> None:
    path = numbers.folder / "storage" / "tables" / "main" / "default" / "elsewhere"
    place = {"path": str(path), "tableName": "elsewhere"}[option]
    numbers.write(f"import dlt\ndlt.create_sink('out', 'delta', {{{option!r}: {place!r}}})")
    assert numbers.update() == 0, numbers.errors()
    assert numbers.update() == 0
    assert numbers.rows("elsewhere", "id") == [("1",), ("2",)]
    assert numbers.update(full_refresh_all=True) == 0
    assert numbers.rows("elsewhere", "id") == [("1",), ("1",), ("2",), ("2",)]


@pytest.mark.dlt(103)
def test_a_batch_function_counts_from_nought_at_first_and_after_a_full_refresh(
    numbers: Pipeline, write_rows: Callable[[str, str], Path]
) -> None:
    log = numbers.folder / "log"
    numbers.conf["log"] = str(log)
    table = numbers.folder / "storage" / "tables" / "main" / "default" / "known"
    numbers.spark.range(7).write.format("delta").save(str(table))
    numbers.write(BATCHES)
    assert numbers.update() == 0, numbers.errors()
    write_rows("2.csv", "id\n3\n")
    assert numbers.update() == 0
    assert numbers.update(full_refresh=("out",)) == 0
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    assert calls == [[0, ["1", "2"], 7], [1, ["3"], 7], [0, ["1", "2", "3"], 7]]


@pytest.mark.dlt(102, 103)
def test_a_batch_function_that_fails_is_reported_with_what_it_raised(numbers: Pipeline) -> None:
    numbers.write(
        """
        from pyspark import pipelines as dp

        @dp.foreach_batch_sink
        def out(batch, number):
            raise ValueError("the other side said no")
        """
    )
    assert numbers.update() == 1
    assert "the other side said no" in numbers.errors()[0]
