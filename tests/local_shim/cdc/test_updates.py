"""Whole updates of pipelines with AUTO CDC flows, by `dlt` and by `pyspark.pipelines`."""

from __future__ import annotations

from typing import Any

import pytest

from local_shim.errors import ShimError
from tests.pipeline_folder import Pipeline

pytestmark = pytest.mark.slow
COLUMNS = "id int, v string, op string, seq bigint"
MODULES = ("import dlt", "from pyspark import pipelines as dlt")
CDC = """
from pyspark.sql.functions import col, expr, lit

CDC = dict(source="events", keys=["id"], sequence_by="seq", apply_as_deletes="op = 'D'",
           except_column_list=["op", "seq"])
"""
BY_EITHER_NAME = """
dlt.create_streaming_table("modern", table_properties={"quality": "silver"})
dlt.create_auto_cdc_flow(
    target="modern", source="events", keys=[col("id")], sequence_by=col("seq"),
    apply_as_deletes=expr("op = 'D'"), apply_as_truncates=None, ignore_null_updates=None,
    column_list=None, except_column_list=["op", col("seq")], stored_as_scd_type="1",
    track_history_column_list=None, track_history_except_column_list=None, name=None, once=False)

dlt.create_target_table("older")
dlt.apply_changes(target="older", **CDC)

dlt.create_streaming_table("history")
dlt.create_auto_cdc_flow(target="history", stored_as_scd_type=2, **CDC)
"""
SHARED = """
dlt.create_streaming_table("shared")
dlt.create_auto_cdc_flow(target="shared", source="opening", keys=["id"], sequence_by=lit(0),
                         flow_name="hydrate", once=True)
dlt.create_auto_cdc_flow(target="shared", name="stream", **CDC)
"""
SNAPSHOTS = """
def next_snapshot(last):
    if last == 2:
        return None
    version = 1 if last is None else last + 1
    return spark.read.table("opening").where(f"id <= {version}"), version

dlt.create_streaming_table("snapshots")
dlt.create_auto_cdc_from_snapshot_flow(target="snapshots", source=next_snapshot, keys=["id"],
                                       stored_as_scd_type=2)
"""
OPENING = "id int, v string"


def lay(pipeline: Pipeline, name: str, rows: list[tuple[Any, ...]], schema: str, mode: str) -> None:
    """Rows of a table that somebody else keeps."""
    path = pipeline.folder / "storage" / "tables" / "main" / "default" / name
    frame = pipeline.spark.createDataFrame(rows, schema)
    frame.write.format("delta").mode(mode).save(str(path))


def feed(pipeline: Pipeline, *rows: tuple[Any, ...]) -> None:
    lay(pipeline, "events", list(rows), COLUMNS, "append")


def metrics(pipeline: Pipeline, flow: str) -> dict[str, int]:
    """The metrics of a flow in the last update, added up."""
    total: dict[str, int] = {}
    for event in pipeline.progress():
        name_and_status = str(event.origin["flow_name"]).split(".")[-1], event.details["status"]
        if name_and_status == (flow, "COMPLETED"):  # while it runs, it reports its backlog
            for name, value in (event.details.get("metrics") or {}).items():
                total[name] = total.get(name, 0) + value
    return total


@pytest.mark.dlt(5, 14, 35)
@pytest.mark.parametrize("module", MODULES)
def test_a_flow_does_the_same_by_either_name(pipeline: Pipeline, module: str) -> None:
    pipeline.write(module + CDC + BY_EITHER_NAME)
    feed(pipeline, (1, "a", "I", 10), (1, "b", "U", 20), (2, "a", "I", 10))
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("modern") == pipeline.rows("older") == [(1, "b"), (2, "a")]
    assert pipeline.rows("history") == [(1, "a", 10, 20), (1, "b", 20, None), (2, "a", 10, None)]
    assert pipeline.table("modern").columns == ["id", "v"]


@pytest.mark.dlt(25, 45)
def test_the_next_update_applies_new_changes_and_counts_them(pipeline: Pipeline) -> None:
    pipeline.write("import dlt" + CDC + BY_EITHER_NAME)
    feed(pipeline, (1, "a", "I", 10), (1, "b", "U", 20), (2, "a", "I", 10))
    assert pipeline.update() == 0, pipeline.errors()
    counted = metrics(pipeline, "modern")
    assert (counted["num_upserted_rows"], counted["num_deleted_rows"]) == (2, 0)
    assert "num_output_rows" not in counted
    feed(pipeline, (1, "a", "I", 10), (2, None, "D", 30))
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("modern") == [(1, "b")]
    assert pipeline.rows("history")[-1] == (2, "a", 10, 30)
    assert metrics(pipeline, "modern")["num_deleted_rows"] == 1


@pytest.mark.dlt(39, 41, 42)
def test_a_once_flow_and_a_stream_share_a_target(pipeline: Pipeline) -> None:
    pipeline.write("import dlt" + CDC + SHARED)
    lay(pipeline, "opening", [(n, "opening") for n in (1, 2, 3)], OPENING, "append")
    feed(pipeline, (1, "b", "U", 20), (2, "a", "I", 10))
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("shared") == [(1, "b"), (2, "a"), (3, "opening")]
    lay(pipeline, "opening", [(4, "later")], OPENING, "append")
    feed(pipeline, (2, None, "D", 30))
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("shared") == [(1, "b"), (3, "opening")]


@pytest.mark.dlt(41, 43)
def test_a_full_refresh_forgets_sequences_and_runs_once_flows_again(pipeline: Pipeline) -> None:
    pipeline.write("import dlt" + CDC + SHARED)
    lay(pipeline, "opening", [(n, "opening") for n in (1, 2)], OPENING, "append")
    feed(pipeline, (1, "b", "U", 20), (2, None, "D", 30))
    assert pipeline.update() == 0, pipeline.errors()
    lay(pipeline, "opening", [(3, "later")], OPENING, "append")
    lay(pipeline, "events", [(2, "late", "U", 25)], COLUMNS, "overwrite")
    assert pipeline.update(full_refresh=("shared",)) == 0, pipeline.errors()
    assert pipeline.rows("shared") == [(1, "opening"), (2, "late"), (3, "later")]


@pytest.mark.dlt(159)
def test_the_tombstone_threshold_of_a_table_wins_over_that_of_the_pipeline(
    pipeline: Pipeline,
) -> None:
    pipeline.conf = {"pipelines.cdc.tombstoneGCThresholdInSeconds": "0"}
    pipeline.write(
        "import dlt"
        + CDC
        + """
dlt.create_streaming_table("forgets")
dlt.create_auto_cdc_flow(target="forgets", **CDC)
dlt.create_streaming_table(
    "keeps", table_properties={"pipelines.cdc.tombstoneGCThresholdInSeconds": "172800"})
dlt.create_auto_cdc_flow(target="keeps", **CDC)
"""
    )
    feed(pipeline, (1, None, "D", 20))
    assert pipeline.update() == 0, pipeline.errors()
    feed(pipeline, (1, "late", "U", 15))
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("forgets") == [(1, "late")]
    assert pipeline.rows("keeps") == []


@pytest.mark.dlt(72, 73)
def test_an_update_takes_all_snapshots_that_wait(pipeline: Pipeline) -> None:
    pipeline.write("import dlt" + CDC + SNAPSHOTS)
    lay(pipeline, "opening", [(n, "opening") for n in (1, 2, 3)], OPENING, "append")
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("snapshots") == [(1, "opening", 1, None), (2, "opening", 2, None)]
    assert not {"num_upserted_rows", "num_output_rows"} & set(metrics(pipeline, "snapshots"))


def test_a_source_that_loses_a_column_is_warned_of_and_gives_null(pipeline: Pipeline) -> None:
    feed(pipeline, (1, "a", "I", 10), (2, "a", "I", 10))
    flow = """
        import dlt
        @dlt.view
        def chosen():
            return spark.readStream.table("events").select({columns})
        dlt.create_streaming_table("t")
        dlt.create_auto_cdc_flow(target="t", source="chosen", keys=["id"], sequence_by="seq",
                                 except_column_list=["seq"])
        """
    pipeline.write(flow.replace("{columns}", "'id', 'v', 'seq'"))
    assert pipeline.update() == 0, pipeline.errors()
    pipeline.write(flow.replace("{columns}", "'id', 'seq'"))
    feed(pipeline, (2, "b", "U", 20), (3, "b", "I", 20))
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("t") == [(1, "a"), (2, None), (3, None)]
    assert [each for each in pipeline.warnings() if "does not have v, which" in each]


AFTER_JOINS = """
import dlt

def declare(target, read, kind):
    @dlt.view(name=f"chosen_{target}")
    def chosen():
        events = "strangers" if kind == "left_anti" else "events"
        policies = spark.read.table("policies")
        return getattr(spark, read).table(events).join(policies, "id", kind)

    dlt.create_streaming_table(target, expect_all_or_fail={"v is known": "v IS NOT NULL"})
    dlt.create_auto_cdc_flow(target=target, source=f"chosen_{target}", keys=["id"],
                             sequence_by="seq", once=read == "read",
                             apply_as_deletes="op = 'D'", column_list=["id", "v"])

for read in ("read", "readStream"):
    for kind in ("left_semi", "left_anti", "inner"):
        declare(f"{read.lower()}_{kind}", read, kind)
"""


@pytest.mark.dlt(80)
def test_a_fail_rule_sees_the_upserts_of_its_source_and_no_other_rows(pipeline: Pipeline) -> None:
    lay(pipeline, "policies", [(2,)], "id int", "append")
    # Each join returns the rows of one key; the row of the other key would break the rule.
    returned = {"left_semi": 2, "left_anti": 1, "inner": 2}
    for events, key in (("events", 2), ("strangers", 1)):
        rows = [(key, "a", "I", 10), (key, None, "D", 5), (3 - key, None, "I", 10)]
        lay(pipeline, events, rows, COLUMNS, "append")
    pipeline.write(AFTER_JOINS)
    assert pipeline.update() == 0, pipeline.errors()
    for kind, key in returned.items():
        assert pipeline.rows(f"read_{kind}") == pipeline.rows(f"readstream_{kind}") == [(key, "a")]
    for events, key in (("events", 2), ("strangers", 1)):
        lay(pipeline, events, [(key, None, "U", 20)], COLUMNS, "append")
    assert pipeline.update() == 1
    for kind in returned:
        assert "v is known" in pipeline.view.flows[f"readstream_{kind}"].error


WRONG = {
    "APPEND_FLOW_INTO_AUTO_CDC_TARGET": """
        import dlt
        dlt.create_streaming_table("t")
        dlt.create_auto_cdc_flow(target="t", source="events", keys=["id"], sequence_by="seq")
        @dlt.append_flow(target="t")
        def more():
            return spark.readStream.table("events")
        """,
    "EXPECTATION_ON_SNAPSHOT_TARGET": """
        import dlt
        dlt.create_streaming_table("t", expect_all={"known": "id > 0"})
        dlt.create_auto_cdc_from_snapshot_flow(target="t", source="events", keys=["id"])
        """,
    "AUTOCDC_NON_ORDERABLE_SEQUENCE": """
        import dlt
        dlt.create_streaming_table("t")
        dlt.create_auto_cdc_flow(target="t", source="events", keys=["id"], sequence_by="map(v, id)")
        """,
    "AUTOCDC_COLUMNS_NOT_FOUND": """
        import dlt
        dlt.create_streaming_table("t")
        dlt.create_auto_cdc_flow(target="t", source="events", keys=["id"], sequence_by="seq",
                                 except_column_list=["nope"])
        """,
}


RULES = {
    "APPEND_FLOW_INTO_AUTO_CDC_TARGET": 40,
    "EXPECTATION_ON_SNAPSHOT_TARGET": 79,
    "AUTOCDC_NON_ORDERABLE_SEQUENCE": 36,
    "AUTOCDC_COLUMNS_NOT_FOUND": 37,
}


@pytest.mark.parametrize(
    "condition", [pytest.param(each, marks=pytest.mark.dlt(RULES[each])) for each in WRONG]
)
def test_a_wrong_flow_is_refused_before_any_write(pipeline: Pipeline, condition: str) -> None:
    feed(pipeline, (1, "a", "I", 10))
    pipeline.write(WRONG[condition])
    with pytest.raises(ShimError, match=condition):
        pipeline.update()


@pytest.mark.dlt(29, 34)
def test_a_flow_that_cannot_go_on_fails_and_says_how_to_cure_it(pipeline: Pipeline) -> None:
    declared = """
        import dlt
        dlt.create_streaming_table("t")
        dlt.create_auto_cdc_flow(target="t", source="events", keys=["id"], sequence_by="seq",
                                 stored_as_scd_type={type})
        """
    feed(pipeline, (1, "a", "I", 10))
    pipeline.write(declared.replace("{type}", "1"))
    assert pipeline.update() == 0, pipeline.errors()
    pipeline.write(declared.replace("{type}", "2"))
    assert pipeline.update() == 1
    assert "SCD_TYPE_DRIFT" in " ".join(pipeline.errors())
    pipeline.write(declared.replace("{type}", "1"))
    feed(pipeline, (2, "a", "I", None))
    assert pipeline.update() == 1
    assert "1 change rows have no sequence" in " ".join(pipeline.errors())
    assert pipeline.rows("t", "id") == [(1,)]


@pytest.mark.dlt(29, 30, 62)
def test_a_table_property_or_the_configuration_sets_the_options(pipeline: Pipeline) -> None:
    pipeline.conf = {
        "pipelines.cdc.allowNullSequences": "true",
        "pipelines.cdc.failOnNullKeys": "true",
    }
    feed(pipeline, (1, "a", "I", 10), (1, None, "D", 20), (2, "b", "I", None))
    pipeline.write(
        "import dlt"
        + CDC
        + """
dlt.create_streaming_table("t", table_properties={"pipelines.cdc.failOnNullKeys": "false"})
dlt.create_auto_cdc_flow(target="t", **CDC)
dlt.create_streaming_table("strict")
dlt.create_auto_cdc_flow(target="strict", **CDC)

@dlt.table
def placed():
    return spark.readStream.table("events").where("seq is not null")

dlt.create_streaming_table(
    "history", table_properties={"pipelines.cdc.showLateDeleteRemainders": "true"})
dlt.create_auto_cdc_flow(target="history", stored_as_scd_type=2, **{**CDC, "source": "placed"})
"""
    )
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("t") == pipeline.rows("strict") == [(2, "b")]
    feed(pipeline, (1, None, "D", 15), (None, "nobody", "I", 1))
    assert pipeline.update() == 1
    message = "Flow 'strict': 1 change rows have NULL in a key column"
    assert any(message in error for error in pipeline.errors())
    assert pipeline.rows("t") == [(2, "b"), (None, "nobody")]
    assert pipeline.rows("history") == [(1, "a", 10, 20)]
    pipeline.conf = {**pipeline.conf, "pipelines.cdc.failOnNullKeys": "false"}
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("strict") == [(2, "b"), (None, "nobody")]
    expected = [(1, "a", 10, 15), (1, "a", None, 20), (None, "nobody", 1, None)]
    assert pipeline.rows("history") == expected
