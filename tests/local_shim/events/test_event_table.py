"""The event log as a Delta table, and the documented queries on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from local_shim.durable_files import move
from local_shim.events.event import UpdateState
from local_shim.events.log import EventLog
from local_shim.events.table import append_journals
from local_shim.storage import Storage
from tests.pipeline_folder import Pipeline

SOURCE = """
import dlt

@dlt.table
@dlt.expect("small", "id < 2")
def numbers():
    return spark.range(3)

@dlt.table
def total():
    return spark.read.table("numbers").selectExpr("sum(id) AS total")
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Iterator[SparkSession]:
    """A session in which `event_log_raw` is the event log of one update."""
    pipeline = Pipeline(tmp_path_factory.mktemp("log"), spark)
    pipeline.conf["some.key"] = "some value"
    pipeline.write(SOURCE)
    assert pipeline.update() == 0
    path = str(pipeline.folder / "storage" / "system" / "events")
    spark.read.format("delta").load(path).createOrReplaceTempView("event_log_raw")
    yield spark
    spark.catalog.dropTempView("event_log_raw")


@pytest.mark.dlt(118)
def test_details_have_the_event_type_as_their_only_key(log: SparkSession) -> None:
    for row in log.sql("SELECT event_type, details FROM event_log_raw").collect():
        assert list(json.loads(row.details)) == [row.event_type]


@pytest.mark.dlt(119)
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(
            "SELECT get_json_object(details, '$.flow_definition.output_dataset') AS output, "
            "get_json_object(details, '$.flow_definition.input_datasets') AS inputs "
            "FROM event_log_raw WHERE event_type = 'flow_definition' ORDER BY output",
            [("main.default.numbers", "[]"), ("main.default.total", '["main.default.numbers"]')],
            id="lineage",
        ),
        pytest.param(
            "WITH rules AS (SELECT explode(from_json(get_json_object(details, "
            "'$.flow_progress.data_quality.expectations'), 'array<struct<name STRING, "
            "dataset STRING, passed_records INT, failed_records INT>>')) AS rule "
            "FROM event_log_raw WHERE event_type = 'flow_progress') "
            "SELECT rule.dataset, rule.name, sum(rule.passed_records), sum(rule.failed_records) "
            "FROM rules GROUP BY 1, 2",
            [("main.default.numbers", "small", 2, 1)],
            id="quality",
        ),
        pytest.param(
            "SELECT origin.flow_name, max_by(get_json_object(details, "
            "'$.flow_progress.status'), timestamp) FROM event_log_raw "
            "WHERE event_type = 'flow_progress' GROUP BY 1 ORDER BY 1",
            [("main.default.numbers", "COMPLETED"), ("main.default.total", "COMPLETED")],
            id="progress",
        ),
        pytest.param(
            "SELECT get_json_object(details, \"$.create_update.config['some.key']\") "
            "FROM event_log_raw WHERE event_type = 'create_update'",
            [("some value",)],
            id="configuration",
        ),
    ],
)
def test_the_documented_queries_work(
    log: SparkSession, query: str, expected: list[tuple[object, ...]]
) -> None:
    rows: list[Row] = log.sql(query).collect()
    assert [tuple(row) for row in rows] == expected


def test_a_kill_between_commit_and_move_of_a_journal_repeats_no_event(
    tmp_path: Path, spark: SparkSession
) -> None:
    storage = Storage(tmp_path, "shop")
    for update_id in ("a1", "a2"):  # the first makes the table, the second finds it
        _write_journal(storage, update_id)
        append_journals(spark, storage, update_id)
    journal = storage.journal("a2")
    move(journal.parent / "done" / journal.name, journal)
    _write_journal(storage, "a3")
    append_journals(spark, storage, "a3")
    rows = spark.read.format("delta").load(str(storage.events_table()))
    assert sorted(row.update_id for row in rows.select("origin.update_id").collect()) == [
        "a1",
        "a2",
        "a3",
    ]


def test_a_log_of_an_earlier_version_gets_the_new_fields(
    tmp_path: Path, spark: SparkSession
) -> None:
    storage = Storage(tmp_path, "shop")
    earlier = "SELECT 'a' AS id, named_struct('pipeline_id', 'shop') AS origin"
    spark.sql(earlier).write.format("delta").save(str(storage.events_table()))
    _write_journal(storage, "a1")
    append_journals(spark, storage, "a1")
    rows = spark.read.format("delta").load(str(storage.events_table()))
    updates = rows.select("origin.pipeline_id", "origin.update_id", "origin.cluster_id").collect()
    assert sorted(map(tuple, updates), key=repr) == [("shop", "a1", None), ("shop", None, None)]


def _write_journal(storage: Storage, update_id: str) -> None:
    origin = {"pipeline_id": "shop", "update_id": update_id}
    events = EventLog(storage.journal(update_id), origin, ())
    events.update(UpdateState.COMPLETED)
    events.close()
