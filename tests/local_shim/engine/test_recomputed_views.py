"""An edit makes an update compute the views that depend on it, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from local_shim.graph.names import TableName
from local_shim.storage import Storage
from tests.pipeline_folder import Pipeline

SOURCE = """
import dlt
import helper
from pyspark.sql import functions as F

@dlt.table
def left_rows():
    return spark.sql("SELECT * FROM VALUES (1, 'a'), (2, 'b') AS t(id, text)")

@dlt.table
def right_rows():
    return spark.sql("SELECT 1 AS id, 'c' AS text")

@dlt.table
def plain():
    return dlt.read("left_rows").select("id")

@dlt.table
def joined():
    return helper.joined(dlt.read("left_rows"), dlt.read("right_rows"))

@dlt.view
@dlt.expect_or_drop("text", "text != 'z'")
def some_rows():
    return dlt.read("left_rows")

@dlt.table
@dlt.expect("id", "id > 0")
def of_view():
    return dlt.read("some_rows")

@dlt.table
def of_key():
    return dlt.read("left_rows").withColumn("word", F.lit(spark.conf.get("shop.word")))

@dlt.table
def of_function():
    twice = F.udf(lambda n: helper.twice(n), "int")
    return dlt.read("left_rows").select(twice("id").alias("id"))

@dlt.table
def with_setting():
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return dlt.read("left_rows").select("text")
"""
HELPER = """
def joined(one, other):
    return one.join(other, "id", "left").select(one["text"])

def twice(n):
    return 2 * n
"""
FUNCTION = "of_function"  # its plan does not show what runs, so all code counts
ALL = {"left_rows", "right_rows", "plain", "joined", "of_view", "of_key", "with_setting", FUNCTION}


@pytest.fixture
def shop(pipeline: Pipeline) -> Pipeline:
    """The pipeline after its first update."""
    pipeline.conf = {"shop.word": "one"}
    pipeline.write(SOURCE)
    pipeline.write(HELPER, "helper.py")
    assert _computed(pipeline) == ALL
    return pipeline


def _computed(pipeline: Pipeline, **selection: Any) -> set[str]:
    """The views that an update computes."""
    assert pipeline.update(**selection) == 0, pipeline.errors()
    running = [event for event in pipeline.progress() if event.details["status"] == "RUNNING"]
    return {event.origin["flow_name"].split(".")[-1] for event in running}


def _edit(pipeline: Pipeline, old: str, new: str) -> None:
    for file, text in (("pipeline.py", SOURCE), ("helper.py", HELPER)):
        pipeline.write(text.replace(old, new), file)


def test_an_edit_recomputes_what_depends_on_it(shop: Pipeline) -> None:
    assert _computed(shop) == set()
    edits = [
        ('.select("id")\n', '.select("id", "text")\n', {"plain"}),
        ("return one.join(other", "return other.join(one", {"joined"}),
        ('dlt.read("right_rows"))', 'dlt.read("left_rows"))', {"joined"}),
        ("text != 'z'", "text != 'a'", {"of_view"}),
        ('"id > 0"', '"id > 1"', {"of_view"}),
        ("@dlt.table\ndef plain", '@dlt.table(comment="ids")\ndef plain', {"plain"}),
        ("2 * n", "3 * n", set()),
        ('timeZone", "UTC"', 'timeZone", "Asia/Tokyo"', {"with_setting"}),
        ("import dlt\n", "import dlt  # no change\n", set()),
    ]
    for old, new, expected in edits:
        _edit(shop, old, new)
        assert _computed(shop) == expected | {FUNCTION}, new
        _edit(shop, old, old)
        assert _computed(shop) == expected | {FUNCTION}, old
    assert sorted(shop.rows(FUNCTION)) == [(2,), (4,)]


def test_a_full_refresh_recomputes_unchanged_views(shop: Pipeline) -> None:
    (plain,) = shop.plan(full_refresh=("plain",)).effects
    assert (plain.kind.value, plain.reason) == ("computed again", "a full refresh was requested")
    assert _computed(shop, full_refresh=("plain",)) == {"plain"}
    assert _computed(shop) == set()
    # the machine stopped before the view was computed; it keeps its rows until it is
    Storage(shop.folder / "storage", "test").begin_reset(TableName("main", "default", "plain"))
    assert _computed(shop, refresh=("joined",)) == set()
    assert sorted(shop.rows("plain")) == [(1,), (2,)]
    assert _computed(shop) == {"plain"}


def test_a_setting_of_the_pipeline_recomputes_what_reads_it(shop: Pipeline) -> None:
    shop.conf = {"shop.word": "two"}
    assert _computed(shop) == {"of_key", FUNCTION}
    shop.conf = {**shop.conf, "spark.sql.session.timeZone": "Asia/Tokyo"}
    assert _computed(shop) == ALL
