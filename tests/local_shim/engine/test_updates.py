"""What an update does: refresh, full refresh, selection, failure, and nothing when all is done."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from local_shim.errors import ShimError, UpdateActive, UsageError
from local_shim.events.event import Event, UpdateState
from local_shim.graph.names import TableName
from local_shim.graph.plan import EffectKind
from local_shim.run import Update, plan_only, run
from local_shim.storage import Storage, delta_version
from tests.pipeline_folder import Pipeline

Write = Callable[[str, str], Path]

LINE = """
import dlt
from pyspark.sql import functions as F

@dlt.table(table_properties={"quality": "bronze"}, comment="as it came")
def bronze():
    return (spark.readStream.format("cloudFiles").option("cloudFiles.format", "csv")
            .option("header", "true").load(spark.conf.get("landing")))

@dlt.view
def valid():
    return spark.readStream.table("bronze").where("id <> 'x'")

@dlt.table(private=True)
def silver():
    return spark.readStream.table("valid").selectExpr("CAST(id AS INT) AS id")

@dlt.table
def gold():
    return spark.read.table("silver").agg(F.sum("id").alias("total"))
"""


@pytest.fixture
def line(pipeline: Pipeline, write_rows: Write) -> Pipeline:
    """bronze (files) → view → silver → gold, with one file that holds two good rows."""
    pipeline.conf["landing"] = str(pipeline.folder / "landing")
    pipeline.write(LINE)
    write_rows("1.csv", "id\n1\nx\n2\n")
    return pipeline


@dataclass(frozen=True)
class ThreeUpdates:
    """One file, a second file, nothing new: the events and rows of each update of LINE."""

    pipeline: Pipeline
    events: tuple[list[Event], ...]
    gold: tuple[list[tuple[Any, ...]], ...]
    versions: tuple[dict[str, int], ...]

    def folder(self, table: str) -> Path:
        return self.pipeline.folder / "storage" / "tables" / "main" / "default" / table


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> ThreeUpdates:
    pipeline = Pipeline(tmp_path_factory.mktemp("line"), spark)
    landing = pipeline.folder / "landing"
    landing.mkdir()
    pipeline.conf["landing"] = str(landing)
    pipeline.write(LINE)
    events, gold, versions = [], [], []
    for name, text in (("1.csv", "id\n1\nx\n2\n"), ("2.csv", "id\n4\n"), ("", "")):
        if name:
            (landing / name).write_text(text)
        assert pipeline.update() == 0, pipeline.errors()
        events.append(pipeline.events)
        gold.append(pipeline.rows("gold"))
        tables = pipeline.folder / "storage" / "tables" / "main" / "default"
        versions.append({path.name: delta_version(path) for path in tables.iterdir()})
    return ThreeUpdates(pipeline, tuple(events), tuple(gold), tuple(versions))


def states(events: list[Event]) -> list[str]:
    return [e.details["state"] for e in events if e.event_type == "update_progress"]


@pytest.mark.dlt(96, 135)
def test_an_update_reads_what_is_new_and_the_view_follows(three: ThreeUpdates) -> None:
    assert three.gold == ([(3,)], [(7,)], [(7,)])


@pytest.mark.dlt(105)
def test_the_states_of_an_update_come_in_order(three: ThreeUpdates) -> None:
    assert states(three.events[0]) == [
        "QUEUED", "CREATED", "INITIALIZING", "SETTING_UP_TABLES", "RUNNING", "COMPLETED",
    ]  # fmt: skip


@pytest.mark.dlt(115)
def test_an_update_without_new_data_writes_nothing(three: ThreeUpdates) -> None:
    assert three.versions[2] == three.versions[1]
    techniques = [
        event.details["technique_information"][0]["maintenance_type"]
        for event in three.events[2]
        if event.event_type == "planning_information"
    ]
    assert techniques == ["MAINTENANCE_TYPE_NO_OP"]


def test_planning_information_says_why_a_view_is_computed(three: ThreeUpdates) -> None:
    plans = [
        event.details
        for events in three.events
        for event in events
        if event.event_type == "planning_information"
    ]
    before, after = three.versions[0]["silver"], three.versions[1]["silver"]
    assert [plan["reason"] for plan in plans] == [
        "computed for the first time",
        f"changed since it was computed: silver (version {before} to {after})",
        None,
    ]
    unused = plans[1]["technique_information"][1]
    assert (unused["maintenance_type"], unused["is_applicable"]) == (
        "MAINTENANCE_TYPE_NO_OP",
        False,
    )


def by_flow(events: list[Event], event_type: str) -> dict[str, list[Event]]:
    """Events of one type by the table that their flow writes to."""
    tables: dict[str, list[Event]] = {}
    for event in events:
        if event.event_type == event_type:
            tables.setdefault(event.origin["dataset_name"].split(".")[-1], []).append(event)
    return tables


def test_each_listing_of_auto_loader_is_an_event(three: ThreeUpdates) -> None:
    listings = [by_flow(events, "operation_progress")["bronze"] for events in three.events]
    details = [event.details for events in listings for event in events]
    counts = [each["auto_loader_details"]["num_files_listed"] for each in details]
    assert counts == [1, 2, 2]
    assert {each["status"] for each in details} == {"COMPLETED"}
    assert all(each["duration_ms"] >= 0 for each in details)


def test_a_stream_reports_its_backlog_when_it_starts(three: ThreeUpdates) -> None:
    backlogs = [
        {
            table: (metrics["backlog_files"], metrics["backlog_bytes"])
            for table, progress in by_flow(events, "flow_progress").items()
            for metrics in (event.details.get("metrics", {}) for event in progress)
            if "backlog_files" in metrics
        }
        for events in three.events
    ]
    assert [each.get("bronze") for each in backlogs] == [(1, 9), (1, 5), None]
    files, size = backlogs[1]["silver"]
    added = [path.stat().st_size for path in three.folder("bronze").glob("*.parquet")]
    assert files == 1 and size in added


def test_each_micro_batch_is_an_event(three: ThreeUpdates) -> None:
    batches = [
        {
            table: [event.origin["batch_id"] for event in progress]
            for table, progress in by_flow(events, "stream_progress").items()
        }
        for events in three.events
    ]
    assert batches == [
        {"bronze": [0], "silver": [0]},
        {"bronze": [1], "silver": [1]},
        {},
    ]
    (event, *_) = by_flow(three.events[0], "stream_progress")["bronze"]
    progress = json.loads(event.details["progress_json"])
    assert progress["batchId"] == 0 and progress["sources"]
    assert "numInputRows" not in json.dumps(progress)  # as on Databricks


@pytest.mark.dlt(122)
def test_every_event_of_a_running_flow_has_its_id(three: ThreeUpdates) -> None:
    types = (
        "flow_definition", "flow_progress", "planning_information", "operation_progress",
        "stream_progress",
    )  # fmt: skip
    ids: dict[str, set[str]] = {}
    for event in (each for events in three.events for each in events):
        if event.event_type in types:
            ids.setdefault(event.origin["flow_name"], set()).add(event.origin["flow_id"])
    assert len(ids) == 4 and all(len(each) == 1 for each in ids.values())


@pytest.mark.dlt(100)
def test_a_view_leaves_no_table(three: ThreeUpdates) -> None:
    assert set(three.versions[2]) == {"bronze", "silver", "gold"}


@pytest.mark.dlt(21)
def test_a_private_table_is_not_published(three: ThreeUpdates) -> None:
    records = Storage(three.pipeline.folder / "storage", "test").records()
    published = {record.name for record in records if not record.private}
    assert published == {"main.default.bronze", "main.default.gold"}


@pytest.mark.dlt(139)
def test_properties_and_comment_are_on_the_delta_table(three: ThreeUpdates) -> None:
    path = three.folder("bronze")
    details = three.pipeline.spark.sql(f"DESCRIBE DETAIL delta.`{path}`").first()
    assert details and details.properties["quality"] == "bronze"
    assert details.description == "as it came"


@pytest.mark.dlt(117)
def test_an_update_writes_the_documented_events_in_time_order(three: ThreeUpdates) -> None:
    for events in three.events:
        assert {event.event_type for event in events} >= {
            "create_update", "user_action", "flow_definition", "dataset_definition",
        }  # fmt: skip
        assert [e.timestamp for e in events] == sorted(e.timestamp for e in events)
        assert len({event.id for event in events}) == len(events)


@pytest.mark.dlt(120)
def test_flow_definitions_are_the_edges_of_the_graph(three: ThreeUpdates) -> None:
    inputs = {
        e.details["output_dataset"]: e.details["input_datasets"]
        for e in three.events[0]
        if e.event_type == "flow_definition"
    }
    assert inputs["main.default.gold"] == ["main.default.silver"]
    assert inputs["main.default.silver"] == ["main.default.valid"]
    assert inputs["main.default.valid"] == ["main.default.bronze"]
    assert inputs["main.default.bronze"] == []


def test_flow_definitions_explain_their_queries(three: ThreeUpdates) -> None:
    texts = [
        {e.details["output_dataset"]: e.details["explain_text"] for e in events}
        for events in (
            [e for e in update if e.event_type == "flow_definition"] for update in three.events
        )
    ]
    assert "Relation main.default.valid" in texts[0]["main.default.silver"]
    assert texts[0] == texts[1] == texts[2]


@pytest.mark.dlt(106)
def test_a_refresh_runs_the_named_tables_only(line: Pipeline) -> None:
    assert line.update() == 0
    assert line.update(refresh=("gold",)) == 0
    assert line.status("bronze") == line.status("silver") == "EXCLUDED"


@pytest.mark.dlt(105, 107, 122)
def test_a_full_refresh_reads_from_the_start_and_renews_the_flow_id(line: Pipeline) -> None:
    assert line.update() == 0
    first = flow_ids(line)
    assert line.update(full_refresh=("bronze",)) == 0
    assert "RESETTING" in states(line.events)
    assert line.status("silver") == "EXCLUDED"
    assert len(line.rows("bronze")) == 3
    assert flow_ids(line)["main.default.bronze"] != first["main.default.bronze"]
    assert flow_ids(line)["main.default.gold"] == first["main.default.gold"]
    definitions = [each for each in line.events if each.event_type == "flow_definition"]
    assert {each.origin["flow_name"]: each.origin["flow_id"] for each in definitions} == {
        **flow_ids(line),
        "main.default.valid": definitions[1].origin["flow_id"],  # a view has no progress
    }


@pytest.mark.dlt(108)
def test_a_reset_checkpoint_reads_again_and_keeps_the_rows(line: Pipeline) -> None:
    assert line.update() == 0
    with pytest.raises(UsageError, match="fully qualified"):
        line.update(reset_checkpoints=("silver",))
    assert line.update(reset_checkpoints=("main.default.silver",)) == 0
    assert line.rows("silver") == [(1,), (1,), (2,), (2,)]


def flow_ids(pipeline: Pipeline) -> dict[str, str]:
    return {e.origin["flow_name"]: e.origin["flow_id"] for e in pipeline.progress()}


@pytest.mark.dlt(109)
def test_a_protected_table_is_not_reset(line: Pipeline) -> None:
    line.write(LINE.replace('{"quality": "bronze"}', '{"pipelines.reset.allowed": "false"}'))
    with pytest.raises(UsageError, match="RESET_NOT_ALLOWED"):
        line.plan(full_refresh=("bronze",))
    plan = line.plan(full_refresh_all=True)
    assert [dataset.name.table for dataset in plan.reset_tables] == ["silver"]
    assert "main.default.bronze" in plan.warnings[0]


@pytest.mark.dlt(110, 121)
def test_descendants_of_a_failed_flow_are_skipped_and_others_complete(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt
        @dlt.table
        def broken():
            return spark.sql("SELECT CAST(concat('1', id) || 'x' AS INT) AS n FROM range(3)")
        @dlt.table
        def child():
            return spark.read.table("broken")
        @dlt.table
        def other():
            return spark.range(3)
        """
    )
    assert pipeline.update() == 1
    assert pipeline.status("broken") == "FAILED"
    assert pipeline.status("child") == "SKIPPED"
    assert pipeline.status("other") == "COMPLETED"
    statuses = [
        e.details["status"]
        for e in pipeline.progress()
        if e.origin["flow_name"] == "main.default.broken"
    ]
    assert statuses.count("RUNNING") == 1  # a bad cast is the same the second time: not retried
    assert "CAST_INVALID_INPUT" in pipeline.errors()[0]
    assert "--conf spark.sql.ansi.enabled=false" in pipeline.errors()[0]
    assert "pipeline.py:3" in pipeline.errors()[0]
    assert states(pipeline.events)[-1] == "FAILED"


FLAKY = """
from pathlib import Path
from pyspark import pipelines as dp

@dp.foreach_batch_sink
def far_away(batch, number):
    calls = Path(spark.conf.get("calls"))
    calls.write_text(calls.read_text() + "x")
    if len(calls.read_text()) <= int(spark.conf.get("failures")):
        raise ConnectionError("nobody answers")

@dp.append_flow(target="far_away")
def send():
    return spark.readStream.format("delta").load(spark.conf.get("source"))
"""


@pytest.mark.dlt(111)
@pytest.mark.parametrize(("failures", "attempts", "code"), [(2, 3, 0), (9, 3, 1), (9, 2, 1)])
def test_an_error_that_may_pass_is_retried_and_the_attempts_are_counted(
    pipeline: Pipeline, failures: int, attempts: int, code: int
) -> None:
    calls = pipeline.folder / "calls"
    calls.touch()
    source = str(pipeline.folder / "source_table")
    pipeline.spark.range(1).write.format("delta").save(source)
    pipeline.conf = {"calls": str(calls), "failures": str(failures), "source": source}
    if attempts != 3:  # the default: two retries
        pipeline.conf["pipelines.maxFlowRetryAttempts"] = str(attempts - 1)
    pipeline.write(FLAKY)
    assert pipeline.update() == code
    assert len(calls.read_text()) == attempts
    messages = [f"nobody answers (attempt {n})" for n in range(1, 1 + min(failures, attempts))]
    ended = [messages[-1]] if code else []  # the update itself ends with the cause, too
    error_texts = [text for error in pipeline.errors() for text in messages if text in error]
    assert error_texts == messages + ended


@pytest.mark.dlt(113, 116)
def test_a_removed_table_keeps_its_rows_and_a_table_keeps_its_kind(pipeline: Pipeline) -> None:
    both = """
        import dlt
        @dlt.table
        def kept():
            return spark.range(2)
        @dlt.table
        def removed():
            return spark.range(3)
        """
    pipeline.write(both)
    assert pipeline.update() == 0, pipeline.errors()
    pipeline.write(both.split("@dlt.table\n        def removed")[0])
    assert pipeline.update() == 0, pipeline.errors()
    assert len(pipeline.rows("removed")) == 3
    pipeline.write(both.replace("spark.range(2)", "spark.readStream.format('rate').load()"))
    with pytest.raises(ShimError, match="CANNOT_CHANGE_DATASET_TYPE"):
        pipeline.update()


@pytest.mark.dlt(114)
def test_a_second_update_is_refused_while_one_runs(line: Pipeline) -> None:
    with (
        Storage(line.folder / "storage", "test").update_lock(),
        pytest.raises(UpdateActive, match="is running"),
    ):
        line.update()


def test_a_full_refresh_that_was_cut_off_is_finished_by_the_next_update(line: Pipeline) -> None:
    assert line.update() == 0
    storage = Storage(line.folder / "storage", "test")
    bronze = line.plan().graph.tables()[0].name
    # the machine stopped after the checkpoint was renewed and before the table was emptied
    storage.begin_reset(bronze)
    storage.forget_flow(bronze, str(bronze))
    assert line.update(refresh=("bronze",)) == 0
    assert len(line.rows("bronze")) == 3


def test_clustering_survives_updates_and_full_refreshes(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt
        dlt.create_streaming_table("source")
        @dlt.append_flow(target="source", once=True)
        def rows():
            return spark.range(3).selectExpr("id", "id % 2 = 0 AS even")
        declared = {"comment": "by id", "table_properties": {"quality": "silver"}}
        @dlt.table(cluster_by=["id"], **declared)
        def view():
            return spark.read.table("source")
        @dlt.table(cluster_by=["id"], **declared)
        def stream():
            return spark.readStream.table("source")
        """
    )
    for options in ({}, {"full_refresh_all": True}, {"full_refresh": ("view", "stream")}):
        assert pipeline.update(**options) == 0
        for table in ("view", "stream"):
            path = pipeline.path(table)
            details = pipeline.spark.sql(f"DESCRIBE DETAIL delta.`{path}`").first()
            assert details and details.clusteringColumns == ["id"]
            assert (details.description, details.properties["quality"]) == ("by id", "silver")
            assert pipeline.rows(table) == [(0, True), (1, False), (2, True)]


def test_flows_of_one_table_come_one_after_the_other(pipeline: Pipeline) -> None:
    """Two commits at once would look for the same version, and one of them would be lost."""
    pipeline.write(
        """
        import dlt
        dlt.create_streaming_table("source")
        @dlt.append_flow(target="source", once=True)
        def rows():
            return spark.range(5)
        for table in ("a", "b"):
            dlt.create_streaming_table(table, schema="id BIGINT, flow INT")
            for number in range(3):
                @dlt.append_flow(target=table, name=f"{table}_{number}")
                def flow(number=number):
                    return spark.readStream.table("source").selectExpr("id", f"{number} AS flow")
        """
    )
    assert pipeline.update() == 0, pipeline.errors()
    events = pipeline.progress()
    for table in ("a", "b"):
        assert pipeline.rows(table) == [(row, flow) for row in range(5) for flow in range(3)]
        statuses = [
            event.details["status"]
            for event in events
            if event.origin["dataset_name"].endswith(f".{table}")
            and event.details["status"] in ("RUNNING", "COMPLETED")
        ]
        # A running flow has an event for each report of its progress.
        assert [status for status, _ in groupby(statuses)] == ["RUNNING", "COMPLETED"] * 3


def test_a_batch_that_was_in_before_a_crash_is_not_taken_in_again(line: Pipeline) -> None:
    """The table has the rows, but the stream did not live to note that its batch is done."""
    assert line.update() == 0
    before = {name: line.rows(name) for name in ("bronze", "silver")}
    commits = list((line.folder / "storage" / "checkpoints").glob("*/*/*/0/commits/0"))
    assert len(commits) == len(before)
    for commit in commits:
        commit.unlink()
    assert line.update() == 0
    assert all(commit.exists() for commit in commits)
    assert {name: line.rows(name) for name in before} == before


def test_a_selection_of_an_unknown_table_names_the_nearest(line: Pipeline) -> None:
    with pytest.raises(UsageError, match="did you mean 'silver'"):
        line.plan(refresh=("silverr",))


# Options of a table, and the condition and the text of the error that they give.
WRONG_OPTIONS = (
    ("cluster_by=['good']", "DELTA_CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED", "good"),
    ("cluster_by=['absent']", "UNSUPPORTED_FEATURE", "absent"),
    (
        "table_properties={'delta.nonsense': '1'}",
        "DELTA_UNKNOWN_CONFIGURATION",
        "delta.nonsense",
    ),
    (
        "table_properties={'delta.appendOnly': 'maybe'}",
        "INVALID_TABLE_PROPERTY",
        "'delta.appendOnly' = 'maybe'",
    ),
    (
        "table_properties={'delta.logRetentionDuration': 'long'}",
        "DELTA_INVALID_INTERVAL",
        "'delta.logRetentionDuration' = 'long'",
    ),
)
WRONG_TABLE = """
@dlt.table({option})
def {name}():
    frame = spark.{read}.format("delta").load(spark.conf.get("numbers"))
    return frame.selectExpr("id", "id > 1 AS good")
@dlt.table
def reader_of_{name}():
    return spark.read.table("{name}")
"""
SIBLING = """
import dlt
@dlt.table
def sibling():
    return spark.readStream.format("delta").load(spark.conf.get("numbers"))
"""


@pytest.mark.dlt(140)
def test_a_table_that_cannot_be_created_fails_its_own_flow(pipeline: Pipeline) -> None:
    pipeline.conf["numbers"] = str(pipeline.folder / "numbers")
    pipeline.spark.range(3).write.format("delta").save(pipeline.conf["numbers"])
    wrong = {
        f"{read.lower()}_{number}": (read, *expected)
        for read in ("read", "readStream")
        for number, expected in enumerate(WRONG_OPTIONS)
    }
    source, lines = SIBLING, {}
    for name, (read, option, *_) in wrong.items():
        lines[name] = source.count("\n") + 2  # of its function
        source += WRONG_TABLE.format(name=name, read=read, option=option)
    pipeline.write(source)
    assert pipeline.update() == 1
    assert pipeline.status("sibling") == "COMPLETED"
    assert pipeline.table("sibling").count() == 3
    for name, (_, _, condition, text) in wrong.items():
        assert pipeline.status(name) == "FAILED"
        assert pipeline.status(f"reader_of_{name}") == "SKIPPED"
        error = pipeline.flow(name).error
        assert f"[{condition}" in error and text in error
        assert f"pipeline.py:{lines[name]}" in error


LAYOUTS = """
import dlt
for read in ("read", "readStream"):
    for option in ("cluster_by", "partition_cols"):
        @dlt.table(name=f"{read}_{option}", **{option: ["ID"]})
        def t(read=read):
            return getattr(spark, read).format("delta").load(spark.conf.get("numbers"))
"""


def test_layouts_name_columns_in_any_case(pipeline: Pipeline) -> None:
    pipeline.conf["numbers"] = str(pipeline.folder / "numbers")
    pipeline.write(LAYOUTS)
    for _ in range(3):
        rows = pipeline.spark.range(3).selectExpr("id", "id AS n")
        rows.write.format("delta").mode("append").save(pipeline.conf["numbers"])
        assert pipeline.update() == 0, pipeline.errors()
        effects = {effect.kind for effect in pipeline.plan().effects}
        assert EffectKind.FULL_REFRESH_NEEDED not in effects
    for read in ("read", "readStream"):
        for option in ("cluster_by", "partition_cols"):
            table = f"delta.`{pipeline.path(f'{read}_{option}')}`"
            (detail,) = pipeline.spark.sql(f"DESCRIBE DETAIL {table}").collect()
            columns = detail.clusteringColumns + detail.partitionColumns
            assert [name.lower() for name in columns] == ["id"]
            history = pipeline.spark.sql(f"DESCRIBE HISTORY {table}").collect()
            # overwriting an empty clustered table by its path loses the clustering once
            assert [row.operation for row in history].count("CLUSTER BY") <= 1


def test_a_bundle_that_is_continuous_on_databricks_is_triggered_here_with_a_warning(
    pipeline: Pipeline,
) -> None:
    pipeline.write("import dlt\n@dlt.table\ndef t():\n    return spark.range(1)")
    request = pipeline.request()
    request = replace(request, spec=replace(request.spec, continuous=True))
    (warning,) = plan_only(request).warnings
    assert "Run it with --continuous" in warning


def test_a_stream_without_new_data_is_idle_and_completed(line: Pipeline) -> None:
    assert line.update() == 0
    first = [each.details["status"] for each in line.progress()]
    assert line.update() == 0
    second = [
        each.details["status"]
        for each in line.progress()
        if each.origin["flow_name"] == "main.default.bronze"
    ]
    assert "IDLE" not in first
    assert second == ["QUEUED", "STARTING", "RUNNING", "IDLE", "COMPLETED"]


STOPPABLE = """
from pathlib import Path
import dlt
from pyspark.sql import functions as F

gate = Path(spark.conf.get("gate"))

@F.udf("string")
def endless(number):
    import time
    (gate / "running").write_text("now")
    while True:
        time.sleep(0.01)

@dlt.table
def slow():
    return spark.range(1).select(endless("id").alias("text"))

@dlt.table
def after():
    return spark.read.table("slow")
"""


def test_an_update_is_stopped_from_another_thread(pipeline: Pipeline) -> None:
    """The running flow is cancelled, no other starts, and the next update is not hindered."""
    os.mkfifo(pipeline.folder / "running")
    pipeline.conf["gate"] = str(pipeline.folder)
    pipeline.write(STOPPABLE)
    running = os.open(pipeline.folder / "running", os.O_RDONLY | os.O_NONBLOCK)
    request = replace(pipeline.request(), listeners=(pipeline.events.append,))
    update = Update(request)
    with ThreadPoolExecutor(1) as aside:
        result = aside.submit(update.run)
        assert select.select([running], [], [], 60)[0]
        update.stop()
        assert result.result().state is UpdateState.CANCELED
    os.close(running)
    assert result.result().exit_code == 1
    assert result.result().update_id == update.id == pipeline.events[0].origin["update_id"]
    assert pipeline.status("slow") == "STOPPED"
    assert pipeline.status("after") in ("STOPPED", "SKIPPED")
    assert states(pipeline.events)[-2:] == ["STOPPING", "CANCELED"]
    pipeline.write("import dlt\n@dlt.table\ndef slow():\n    return spark.range(1)")
    assert pipeline.update() == 0, pipeline.errors()


def test_flows_that_others_wait_for_start_first(pipeline: Pipeline) -> None:
    """A line of flows that began last would be left when all else has ended."""
    alone = "".join(f"dlt.table(one, name='alone_{number}')\n" for number in range(6))
    pipeline.write(
        f"""import dlt
def one():
    return spark.range(1)
{alone}
dlt.table(one, name="first")
dlt.table(lambda: spark.read.table("first"), name="second")
dlt.table(lambda: spark.read.table("second"), name="third")
"""
    )
    assert pipeline.update() == 0
    started = [
        event.origin["flow_name"].split(".")[-1]
        for event in pipeline.progress()
        if event.details["status"] == "STARTING"
    ]
    assert started.index("first") < 3
    assert started.index("second") < started.index("alone_5")


@pytest.mark.parametrize("folder", ["offsets", "commits", "state"])
def test_a_stream_starts_where_a_kill_left_a_part_of_its_first_file(
    pipeline: Pipeline, folder: str
) -> None:
    numbers = pipeline.conf["numbers"] = str(pipeline.folder / "numbers")
    pipeline.spark.range(3).write.format("delta").save(numbers)
    pipeline.write(SIBLING)
    name = TableName("main", "default", "sibling")
    checkpoint = Storage(pipeline.folder / "storage", "test").checkpoint(name, str(name))
    (checkpoint / folder).mkdir(parents=True)
    (checkpoint / folder / ".0.454384fd.tmp").touch()
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.table("sibling").count() == 3


@pytest.mark.slow
def test_the_storage_may_have_any_name(pipeline: Pipeline) -> None:
    """Also one that Spark would read as a pattern, or as a name with escapes."""
    storage = pipeline.folder / "my [1] *%20#ö"
    events = pipeline.folder / "events"
    pipeline.conf["events"] = str(events)
    pipeline.write(
        """
        import dlt

        @dlt.table
        def bronze():
            return spark.readStream.format("delta").load(spark.conf.get("events"))

        dlt.create_streaming_table("current")
        dlt.apply_changes(target="current", source="bronze", keys=["id"], sequence_by="seq",
                          apply_as_deletes="gone", except_column_list=["gone"])

        @dlt.table
        def gold():
            return spark.read.table("current").selectExpr("max(seq) AS newest")
        """
    )
    for rows in ("(1, 5, true), (2, 3, false)", "(1, 4, false), (3, 6, false)"):
        frame = pipeline.spark.sql(f"SELECT * FROM VALUES {rows} AS e(id, seq, gone)")
        frame.write.format("delta").mode("append").save(str(events))
        assert run(replace(pipeline.request(), storage=storage)).exit_code == 0
    tables = storage / "tables" / "main" / "default"
    current = pipeline.spark.read.format("delta").load(str(tables / "current")).collect()
    assert sorted((row.id, row.seq) for row in current) == [(2, 3), (3, 6)]
    log = Storage(storage, "test").events_table()
    kinds = pipeline.spark.read.format("delta").load(str(log)).select("event_type").distinct()
    assert "update_progress" in {row.event_type for row in kinds.collect()}
