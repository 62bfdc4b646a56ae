"""`plan` says what an update would do to the stored tables."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from local_shim.graph.plan import EffectKind, Plan
from tests.pipeline_folder import Pipeline

SOURCE = """
import dlt
from pyspark.sql import functions as F

@dlt.table(partition_cols=["day"])
def raw():
    return (spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
            .schema("id INT, day STRING, n INT").load(spark.conf.get("landing")))

dlt.create_streaming_table("current_rows")
dlt.create_auto_cdc_flow(target="current_rows", source="raw", keys=["id"], sequence_by="n")

@dlt.table
def total():
    return spark.read.table("current_rows").agg(F.sum("n").alias("total"))

@dlt.table
def clock():
    return spark.read.table("current_rows").select(F.current_timestamp().alias("now"))
"""


@pytest.fixture(scope="module")
def updated(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Pipeline:
    """A pipeline whose first update has run; tests only plan the next one."""
    pipeline = Pipeline(tmp_path_factory.mktemp("effects"), spark)
    folder = pipeline.folder / "landing"
    folder.mkdir()
    (folder / "1.json").write_text('{"id": 1, "day": "a", "n": 1}\n')
    pipeline.conf["landing"] = str(folder)
    pipeline.write(SOURCE)
    assert pipeline.update() == 0
    return pipeline


@pytest.fixture
def stored(updated: Pipeline) -> Pipeline:
    """The same pipeline with the source that its update had."""
    updated.write(SOURCE)
    return updated


def effects(plan: Plan) -> set[tuple[str, EffectKind, str]]:
    return {(each.table.table, each.kind, each.reason) for each in plan.effects}


CLOCK = (
    "clock",
    EffectKind.RECOMPUTED,
    "its query may give other rows each time (clock, random numbers, plain files)",
)


def test_nothing_happens_to_tables_that_are_up_to_date(stored: Pipeline) -> None:
    assert effects(stored.plan()) == {CLOCK}


def test_the_first_update_creates_all_tables(pipeline: Pipeline) -> None:
    (pipeline.folder / "landing").mkdir()
    pipeline.conf["landing"] = str(pipeline.folder / "landing")
    pipeline.write(SOURCE)
    plan = pipeline.plan()
    assert {(each.table.table, each.kind) for each in plan.effects} == {
        (name, EffectKind.CREATED) for name in ("raw", "current_rows", "total", "clock")
    }
    assert not (pipeline.folder / "storage").exists()


def test_an_edited_query_computes_its_view_again(stored: Pipeline) -> None:
    stored.write(SOURCE.replace('F.sum("n")', 'F.max("n")'))
    reason = "its query, its code or the configuration has changed"
    assert effects(stored.plan()) == {("total", EffectKind.RECOMPUTED, reason), CLOCK}


def test_a_change_that_loses_history_names_the_full_refresh(stored: Pipeline) -> None:
    stored.write(
        SOURCE.replace('keys=["id"]', 'keys=["id", "day"]').replace('["day"])', '["n"])', 1)
    )
    reasons = {
        each.table.table: each.reason
        for each in stored.plan().effects
        if each.kind is EffectKind.FULL_REFRESH_NEEDED
    }
    assert reasons["raw"] == "its partition columns change from (day) to (n)"
    assert "the keys changed from ['id'] to ['day', 'id']" in reasons["current_rows"]


@pytest.mark.dlt(113)
def test_a_removed_table_and_a_renamed_flow_are_told(stored: Pipeline) -> None:
    without_total = SOURCE[: SOURCE.index("@dlt.table\ndef total")]
    stored.write(without_total.replace('sequence_by="n"', 'sequence_by="n", name="other"'))
    plan_effects = {(each.table.table, each.kind) for each in stored.plan().effects}
    assert plan_effects == {
        ("total", EffectKind.UNCHANGED),
        ("clock", EffectKind.UNCHANGED),
        ("current_rows", EffectKind.READ_AGAIN),
        ("current_rows", EffectKind.UNCHANGED),
    }


def test_a_full_refresh_tells_what_is_lost(stored: Pipeline) -> None:
    plan = stored.plan(full_refresh=("current_rows",))
    reason = "its rows and history go; what its sources no longer have is lost"
    assert ("current_rows", EffectKind.EMPTIED, reason) in effects(plan)
