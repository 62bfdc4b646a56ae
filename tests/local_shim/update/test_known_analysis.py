"""Queries whose code and inputs' columns are known are not analysed before an update runs them.

Each call of a query's function prints its name: once when it is analysed, once when it runs.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from local_shim.storage import Storage
from tests.pipeline_folder import Pipeline

SOURCE = """
import dlt
import helper
from pyspark.sql import functions as F

@dlt.table
@dlt.expect("id", "id > 0")
def files():
    options = {"cloudFiles.format": "json", "cloudFiles.inferColumnTypes": "true"}
    return spark.readStream.format("cloudFiles").options(**options).load(spark.conf.get("landing"))

dlt.create_streaming_table("newest")
dlt.create_auto_cdc_flow("newest", "changes", ["id"], "id")

@dlt.view
def changes():
    print("changes")
    return spark.readStream.table("files")

@dlt.table
def all_columns():
    print("all_columns")
    return dlt.read("newest").withColumn("key", F.lit(spark.conf.get("key")))

@dlt.table
def number():
    print("number")
    return helper.number(spark.sql("SELECT * FROM all_columns"))

@dlt.table
def stream_and_batch():
    print("stream_and_batch")
    rows = spark.createDataFrame([(1, "one"), (2, "two")], "id LONG, word STRING")
    return spark.readStream.table("files").join(rows, "id").select("id", "word")
"""
HELPER = """
from pyspark.sql import functions as F

def number(rows):
    return rows.agg(F.count("*").alias("number"))
"""
QUERIES = ["all_columns", "changes", "number", "stream_and_batch"]


@pytest.fixture
def shop(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> Pipeline:
    """A pipeline that has run once; then a file arrives."""
    (pipeline.folder / "landing").mkdir()
    pipeline.conf = {"landing": str(pipeline.folder / "landing"), "key": "x"}
    pipeline.write(SOURCE)
    pipeline.write(HELPER, "helper.py")
    _add(pipeline, {"id": 1})
    assert pipeline.update() == 0, pipeline.errors()
    assert sorted(capsys.readouterr().out.split()) == sorted(QUERIES * 2)
    _add(pipeline, {"id": 2})
    return pipeline


def _add(pipeline: Pipeline, row: dict[str, Any]) -> None:
    (pipeline.folder / "landing" / f"{row['id']}.json").write_text(json.dumps(row))


def _called(pipeline: Pipeline, capsys: pytest.CaptureFixture[str], **selection: Any) -> list[str]:
    """The functions that an update calls."""
    capsys.readouterr()
    assert pipeline.update(**selection) == 0, pipeline.errors()
    return sorted(capsys.readouterr().out.split())


def _forget(pipeline: Pipeline) -> None:
    Storage(pipeline.folder / "storage", "test").analysis().unlink()


def test_new_rows_need_no_analysis(shop: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    assert _called(shop, capsys) == QUERIES
    assert shop.rows("number", "number") == [(2,)]
    assert shop.rows("all_columns", "id", "key") == [(1, "x"), (2, "x")]
    assert shop.rows("stream_and_batch", "id", "word") == [(1, "one"), (2, "two")]


def test_its_events_are_those_of_an_update_that_analyses(
    shop: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _called(shop, capsys) == QUERIES
    known = list(_definitions(shop))
    _forget(shop)
    assert len(_called(shop, capsys)) > len(QUERIES)
    assert known == list(_definitions(shop))
    assert all(details["schema"] for _, details in known if "schema" in details)


def _definitions(pipeline: Pipeline) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Datasets, flows and warnings."""
    for event in pipeline.events:
        if event.event_type.endswith("definition") or event.level.value == "WARN":
            yield event.message, event.details


def _edit_source(shop: Pipeline) -> None:
    shop.write(SOURCE.replace("two", "three"))


def _edit_module(shop: Pipeline) -> None:
    shop.write(HELPER.replace("count", "max").replace('"*"', '"id"'), "helper.py")


def _change_key(shop: Pipeline) -> None:
    shop.conf["key"] = "y"


def _change_parameter(shop: Pipeline) -> None:
    shop.parameters["day"] = "1"


def _store_a_newer_format(shop: Pipeline) -> None:
    Storage(shop.folder / "storage", "test").analysis().write_text('{"version": 99}')


def _delete_a_module(shop: Pipeline) -> None:
    (shop.folder / "source" / "helper.py").unlink()
    (shop.folder / "source" / "helper").mkdir()
    shop.write(HELPER, "helper/__init__.py")


@pytest.mark.parametrize(
    "change",
    [
        _edit_source,
        _edit_module,
        _change_key,
        _change_parameter,
        _store_a_newer_format,
        _delete_a_module,
        _forget,
    ],
    ids=lambda change: change.__name__.strip("_"),
)
def test_all_queries_are_analysed_when_the_definition_changes(
    shop: Pipeline, capsys: pytest.CaptureFixture[str], change: Callable[[Pipeline], None]
) -> None:
    change(shop)
    assert _called(shop, capsys) == sorted(QUERIES * 2)
    _add(shop, {"id": 3})
    assert _called(shop, capsys) == QUERIES


def test_readers_of_a_table_with_new_columns_are_analysed(
    shop: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    _add(shop, {"id": 3, "color": "red"})
    while shop.update():  # Auto Loader ends a stream that meets a new column
        assert "UNKNOWN_FIELD_EXCEPTION" in str(shop.errors())
    assert shop.rows("all_columns", "id", "color") == [(1, None), (2, None), (3, "red")]
    schema = shop.table("newest").schema
    assert "color" in schema.names
    _add(shop, {"id": 4})
    assert _called(shop, capsys) == QUERIES


def test_a_partial_update_and_a_full_refresh_know_them_too(
    shop: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _called(shop, capsys, refresh=("files",)) == []
    assert _called(shop, capsys, full_refresh=("number",)) == ["number"]
    assert _called(shop, capsys, full_refresh_all=True) == QUERIES
    assert shop.rows("number", "number") == [(2,)]


READER = """
import dlt

def as_view(rows):
    rows.createOrReplaceTempView("rows_of_a_query")
    return spark.table("rows_of_a_query")

def with_setting(rows):
    spark.conf.set("spark.sql.shuffle.partitions", "3")
    return rows

@dlt.table
def number():
    return spark.range(1)

@dlt.table
def reader():
    print("reader")
    return {query}
"""


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ("spark.range(1)", 0),
        ("spark.read.table('number')", 0),
        ("spark.read.table('other')", 1),
        ("spark.read.format('json').load(spark.conf.get('landing'))", 2),  # also computed again
        ("spark.range(2 if spark.catalog.tableExists('other') else 1)", 1),
        ("spark.sql('SELECT * FROM LIVE.number')", 1),
        ("as_view(spark.range(1))", 2),
        ("with_setting(spark.range(1))", 1),
    ],
)
def test_a_query_that_looks_elsewhere_is_analysed_each_time(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str], query: str, calls: int
) -> None:
    pipeline.spark.range(3).write.format("delta").save(str(pipeline.path("other")))
    (pipeline.folder / "landing").mkdir()
    _add(pipeline, {"id": 1})
    pipeline.conf = {"landing": str(pipeline.folder / "landing")}
    pipeline.write(READER.format(query=query))
    assert _called(pipeline, capsys) == ["reader"] * 2
    notes = _notes(pipeline)
    assert _called(pipeline, capsys) == ["reader"] * calls
    assert _notes(pipeline) == notes


def _notes(pipeline: Pipeline) -> list[str]:
    """What the update says about the definitions: old spellings, keys that nothing reads."""
    return [
        event.message
        for event in pipeline.events
        if event.event_type == "deprecation" or event.level.value == "WARN"
    ]


def test_a_flow_that_uses_the_session_lets_all_be_analysed(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    """The view that one query reads may be made by another."""
    pipeline.write(
        """
        import dlt

        @dlt.table
        def first():
            print("first")
            spark.range(1).createOrReplaceTempView("rows_of_a_query")
            return spark.table("rows_of_a_query")

        @dlt.table
        def second():
            print("second")
            return spark.range(1)
        """
    )
    assert _called(pipeline, capsys) == ["first", "first", "second", "second"]
    assert _called(pipeline, capsys) == ["first", "first", "second"]  # the first is run again


def test_modules_of_a_package_that_the_process_has_imported_are_imported_anew(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pipeline.folder / "source"
    (folder / "rates_of_this_test").mkdir(parents=True)
    (folder / "rates_of_this_test" / "__init__.py").touch()
    pipeline.write(
        """
        import dlt
        from rates_of_this_test import rate

        @dlt.table
        def priced():
            print("priced")
            return spark.range(1).selectExpr(f"{rate.RATE} AS rate")
        """
    )
    monkeypatch.syspath_prepend(str(folder))
    package = importlib.import_module("rates_of_this_test")
    for rate in (10, 2):
        pipeline.write(f"RATE = {rate}\n", "rates_of_this_test/rate.py")
        assert _called(pipeline, capsys) == ["priced", "priced"]
        assert pipeline.rows("priced") == [(rate,)]
    assert _called(pipeline, capsys) == []
    assert sys.modules.pop("rates_of_this_test") is package  # the process keeps what it imported
