"""AUTO CDC through both front doors: whole updates of a pipeline folder."""

from __future__ import annotations

from typing import Any

import pytest

from local_shim.errors import ShimError
from tests.pipeline_folder import Pipeline

COLUMNS = "id int, v string, op string, seq bigint"
DOORS = ("import dlt", "from pyspark import pipelines as dlt")
PIPELINE = """
from pyspark.sql.functions import col, expr, lit

CDC = dict(source="events", keys=["id"], sequence_by="seq", apply_as_deletes="op = 'D'",
           except_column_list=["op", "seq"])

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

dlt.create_streaming_table("shared")
dlt.create_auto_cdc_flow(target="shared", source="opening", keys=["id"], sequence_by=lit(0),
                         flow_name="hydrate", once=True)
dlt.create_auto_cdc_flow(target="shared", name="stream", **CDC)

CALLS = []

def next_snapshot(last):
    if last == 2:
        return None
    version = 1 if last is None else last + 1
    return spark.read.table("opening").where(f"id <= {version}"), version

dlt.create_streaming_table("snapshots")
dlt.create_auto_cdc_from_snapshot_flow(target="snapshots", source=next_snapshot, keys=["id"],
                                       stored_as_scd_type=2)
"""


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
        if str(event.origin["flow_name"]).split(".")[-1] == flow:
            for name, value in (event.details.get("metrics") or {}).items():
                total[name] = total.get(name, 0) + value
    return total


@pytest.mark.dlt(5, 14, 25, 35, 39, 41, 42, 43, 44, 45, 72, 73)
@pytest.mark.parametrize("door", DOORS)
def test_updates_through_a_door(pipeline: Pipeline, door: str) -> None:
    pipeline.write(door + PIPELINE)
    lay(pipeline, "opening", [(n, "opening") for n in (1, 2, 3)], "id int, v string", "append")
    feed(pipeline, (1, "a", "I", 10), (1, "b", "U", 20), (2, "a", "I", 10))
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("modern") == pipeline.rows("older") == [(1, "b"), (2, "a")]
    assert pipeline.rows("history") == [(1, "a", 10, 20), (1, "b", 20, None), (2, "a", 10, None)]
    assert pipeline.rows("shared") == [(1, "b"), (2, "a"), (3, "opening")]
    assert pipeline.rows("snapshots") == [(1, "opening", 1, None), (2, "opening", 2, None)]
    counted = metrics(pipeline, "modern")
    assert counted["num_upserted_rows"] == 2
    assert counted["num_deleted_rows"] == 0
    assert "num_output_rows" not in counted
    assert not {"num_upserted_rows", "num_output_rows"} & set(metrics(pipeline, "snapshots"))

    feed(pipeline, (1, "a", "I", 10), (2, None, "D", 30))
    lay(pipeline, "opening", [(4, "later")], "id int, v string", "append")
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("modern") == pipeline.rows("older") == [(1, "b")]
    assert pipeline.rows("history")[-1] == (2, "a", 10, 30)
    assert pipeline.rows("shared") == [(1, "b"), (3, "opening")]
    assert metrics(pipeline, "modern")["num_deleted_rows"] == 1

    lay(pipeline, "events", [(2, "late", "U", 25)], COLUMNS, "overwrite")
    assert pipeline.update(full_refresh=("modern", "shared")) == 0, pipeline.errors()
    assert pipeline.rows("modern") == [(2, "late")]
    assert pipeline.rows("shared") == [(1, "opening"), (2, "late"), (3, "opening"), (4, "later")]


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


@pytest.mark.dlt(36, 37, 40, 79)
@pytest.mark.parametrize("condition", WRONG)
def test_what_cannot_be_is_refused_before_any_write(pipeline: Pipeline, condition: str) -> None:
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
@pytest.mark.parametrize("door", DOORS)
def test_a_table_property_or_the_configuration_sets_the_manner(
    pipeline: Pipeline, door: str
) -> None:
    pipeline.conf = {
        "pipelines.cdc.allowNullSequences": "true",
        "pipelines.cdc.failOnNullKeys": "true",
    }
    feed(pipeline, (1, "a", "I", 10), (1, None, "D", 20), (2, "b", "I", None))
    pipeline.write(
        door
        + """
CDC = dict(source="events", keys=["id"], sequence_by="seq", apply_as_deletes="op = 'D'",
           except_column_list=["op", "seq"])
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
    told = pipeline.errors()
    assert any("Flow 'strict': 1 change rows have NULL in a key column" in each for each in told)
    assert pipeline.rows("t") == [(2, "b"), (None, "nobody")]
    assert pipeline.rows("history") == [(1, "a", 10, 20)]
    pipeline.conf = {**pipeline.conf, "pipelines.cdc.failOnNullKeys": "false"}
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("strict") == [(2, "b"), (None, "nobody")]
    expected = [(1, "a", 10, 15), (1, "a", None, 20), (None, "nobody", 1, None)]
    assert pipeline.rows("history") == expected
