"""Flows that replace rows, flows in a declared order, and managed tables."""

from __future__ import annotations

import pytest

from local_shim.errors import ShimError
from tests.pipeline_folder import Pipeline

RANGE = """
import dlt
from pyspark.sql import functions as F

@dlt.table(replace_where=F.col("day") >= "2026-01-02")
def days():
    return spark.read.json(spark.conf.get("source")).select("day", "amount")
"""


def _source(pipeline: Pipeline, *lines: str) -> None:
    path = pipeline.folder / "source.json"
    path.write_text("\n".join(lines))
    pipeline.conf["source"] = str(path)


def _arrive(pipeline: Pipeline, name: str, *lines: str) -> None:
    folder = pipeline.folder / "landing"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join(lines) + "\n")
    pipeline.conf["landing"] = str(folder)


@pytest.fixture
def days(pipeline: Pipeline) -> Pipeline:
    """A table of days of which an update replaces those from 2 January on."""
    pipeline.write(RANGE)
    _source(
        pipeline,
        '{"day": "2026-01-01", "amount": 1}',
        '{"day": "2026-01-02", "amount": 2}',
        '{"day": "2026-01-03", "amount": 3}',
    )
    return pipeline


@pytest.mark.dlt(170)
def test_the_rows_of_a_range_are_replaced_and_all_others_stay(days: Pipeline) -> None:
    assert days.update() == 0
    days.spark.createDataFrame([("2025-12-31", 9)], "day STRING, amount BIGINT").write.format(
        "delta"
    ).mode("append").save(str(days.path("days")))
    _source(days, '{"day": "2026-01-01", "amount": 7}', '{"day": "2026-01-03", "amount": 30}')
    before = days.table("days").count()
    assert days.update() == 0
    assert before == 3
    # 1 January is outside of the range; 2 January is gone at the source
    assert days.rows("days") == [("2025-12-31", 9), ("2026-01-03", 30)]


@pytest.mark.dlt(171)
def test_a_full_refresh_leaves_only_the_range(days: Pipeline) -> None:
    days.update(replace_where_overrides={"main.default.days": "day >= '2026-01-01'"})
    assert [row[0] for row in days.rows("days")] == ["2026-01-01", "2026-01-02", "2026-01-03"]
    days.update(full_refresh=("days",))
    assert [row[0] for row in days.rows("days")] == ["2026-01-02", "2026-01-03"]


@pytest.mark.dlt(171)
def test_an_override_replaces_the_predicate_in_one_update(days: Pipeline) -> None:
    days.update(replace_where_overrides={"main.default.days": "day = '2026-01-01'"})
    assert days.rows("days") == [("2026-01-01", 1)]
    days.update()
    assert days.table("days").count() == 3


def test_an_override_of_another_flow_is_refused(days: Pipeline) -> None:
    days.write(RANGE + "\n@dlt.table\ndef other():\n    return spark.range(1)\n")
    with pytest.raises(ShimError, match="is no REPLACE WHERE flow"):
        days.update(replace_where_overrides={"main.default.other": "id = 1"})


@pytest.mark.parametrize(
    ("source", "condition"),
    [
        ('@dlt.table(replace_where="nothing > 1")', "UNRESOLVED_COLUMN"),
        ('@dlt.table(replace_where="id >")', "PARSE_SYNTAX_ERROR"),
        ('@dlt.table(replace_where="id > 1", sequence_by="id")', "CANNOT_SET_TOGETHER"),
        ('@dlt.table(replace_using=["id"])', "REPLACE_USING_WITHOUT_SEQUENCE_BY"),
        ('@dlt.table(replace_using=["id", "ID"], sequence_by="id")', "DUPLICATE_COLUMN"),
        ('@dlt.table(replace_using=[], sequence_by="id")', "REPLACE_USING_WITHOUT_KEYS"),
        (
            '@dlt.table(replace_using=["id"], sequence_by="id")',
            "BATCH_RELATION_FOR_REPLACE_USING_FLOW",
        ),
    ],
)
@pytest.mark.dlt(174)
def test_a_wrong_replacement_is_an_error_of_the_definition(
    pipeline: Pipeline, source: str, condition: str
) -> None:
    pipeline.write(f"import dlt\n\n{source}\ndef t():\n    return spark.range(3)\n")
    with pytest.raises(ShimError, match=condition):
        pipeline.plan()


@pytest.mark.dlt(172)
def test_a_second_flow_and_an_expectation_are_refused_beside_replace_where(
    days: Pipeline,
) -> None:
    days.write(
        RANGE.replace("@dlt.table", '@dlt.expect("positive", "amount > 0")\n@dlt.table')
        + """
@dlt.append_flow(target="days", once=True)
def more():
    return spark.createDataFrame([("2026-01-01", 1)], "day STRING, amount BIGINT")
"""
    )
    with pytest.raises(ShimError) as error:
        days.plan()
    assert "REPLACE_FLOW_NOT_ALONE" in str(error.value)
    assert "EXPECTATION_ON_REPLACE_WHERE_TARGET" in str(error.value)


USING = """
import dlt

dlt.create_streaming_table("events"{rules})

@dlt.replace_flow(target="events", replace_using=["region"], sequence_by="seq")
def newest():
    return (spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
            .schema("region INT, device STRING, event STRING, seq INT")
            .load(spark.conf.get("landing")))
"""


def _event(region: int | None, device: str, event: str, seq: int | None) -> str:
    values = {"region": region, "device": device, "event": event, "seq": seq}
    return str(values).replace("'", '"').replace("None", "null")


@pytest.fixture
def events(pipeline: Pipeline) -> Pipeline:
    """The stored rows of the example of REPLACE USING."""
    pipeline.write(USING.format(rules=""))
    _arrive(
        pipeline,
        "1.json",
        _event(1, "iOS", "click", 1),
        _event(1, "Android", "conv", 1),
        _event(2, "iOS", "click", 1),
        _event(2, "desktop", "click", 1),
    )
    assert pipeline.update() == 0
    return pipeline


@pytest.mark.dlt(173)
def test_the_newest_rows_of_a_key_replace_all_its_rows(events: Pipeline) -> None:
    _arrive(
        events,
        "2.json",
        _event(1, "iOS", "click", 2),
        _event(1, "Android", "conv", 2),
        _event(1, "desktop", "click", 2),
        _event(3, "iOS", "click", 1),
        _event(3, "desktop", "click", 2),
    )
    assert events.update() == 0
    assert events.rows("events") == [
        (1, "Android", "conv", 2),
        (1, "desktop", "click", 2),
        (1, "iOS", "click", 2),
        (2, "desktop", "click", 1),
        (2, "iOS", "click", 1),
        (3, "desktop", "click", 2),
    ]


@pytest.mark.dlt(173)
def test_a_lower_sequence_is_ignored_and_an_equal_one_is_appended(events: Pipeline) -> None:
    _arrive(events, "2.json", _event(1, "late", "x", 0), _event(2, "same", "x", 1))
    events.update()
    assert [row[1] for row in events.rows("events") if row[0] == 1] == ["Android", "iOS"]
    assert [row[1] for row in events.rows("events") if row[0] == 2] == ["desktop", "iOS", "same"]


@pytest.mark.dlt(173)
def test_a_null_key_replaces_a_null_key(events: Pipeline) -> None:
    _arrive(events, "2.json", _event(None, "a", "x", 1))
    events.update()
    _arrive(events, "3.json", _event(None, "b", "x", 2))
    events.update()
    assert [row for row in events.rows("events") if row[0] is None] == [(None, "b", "x", 2)]


def test_a_null_sequence_fails_the_flow_and_changes_nothing(events: Pipeline) -> None:
    rows = events.rows("events")
    _arrive(events, "2.json", _event(1, "a", "x", None))
    assert events.update() == 1
    assert "REPLACE_USING_NULL_SEQUENCE" in events.errors()[0]
    assert events.rows("events") == rows


@pytest.mark.dlt(174)
def test_a_dropped_row_replaces_nothing_and_sets_no_sequence(pipeline: Pipeline) -> None:
    rules = ", expect_all_or_drop={'known': \"device <> 'bad'\"}"
    pipeline.write(USING.format(rules=rules))
    _arrive(pipeline, "1.json", _event(1, "good", "a", 1))
    pipeline.update()
    _arrive(pipeline, "2.json", _event(1, "bad", "b", 9))
    pipeline.update()
    assert pipeline.rows("events") == [(1, "good", "a", 1)]
    counts = {"dropped_records": 1, "expectations": {"known": [0, 1]}}
    assert pipeline.quality("newest") == counts
    _arrive(pipeline, "3.json", _event(1, "good", "c", 5))
    pipeline.update()
    assert pipeline.rows("events") == [(1, "good", "c", 5)]


def test_a_repeated_batch_changes_nothing(events: Pipeline) -> None:
    """As after a crash between the commit of a batch and the note of its end."""
    _arrive(events, "2.json", _event(2, "same", "x", 1))
    events.update()
    rows = events.rows("events")
    for note in (events.folder / "storage" / "checkpoints").rglob("commits/1"):
        note.unlink()
    assert events.update() == 0
    assert events.rows("events") == rows


ORDER = """
import dlt

dlt.create_streaming_table("t")

@dlt.table
def source():
    return (spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
            .schema("id INT").load(spark.conf.get("landing")))

@dlt.append_flow(target="t", depends_on="backfill")
def live():
    return spark.readStream.table("source")

@dlt.append_flow(target="t", once=True)
def backfill():
    return spark.range(1).selectExpr("{old} AS id")
"""


@pytest.mark.dlt(175)
def test_a_flow_starts_after_those_that_it_depends_on(pipeline: Pipeline) -> None:
    pipeline.write(ORDER.format(old="CAST(0 AS INT)"))
    _arrive(pipeline, "1.json", '{"id": 1}')
    assert pipeline.update() == 0
    states = [(event.origin["flow_name"], event.details["status"]) for event in pipeline.progress()]
    completed = states.index(("main.default.backfill", "COMPLETED"))
    assert completed < states.index(("main.default.live", "STARTING"))
    _arrive(pipeline, "2.json", '{"id": 2}')
    assert pipeline.update() == 0  # a once flow that ran before counts as completed
    assert pipeline.rows("t") == [(0,), (1,), (2,)]


@pytest.mark.dlt(175)
def test_a_flow_is_skipped_when_one_that_it_depends_on_fails(pipeline: Pipeline) -> None:
    pipeline.write(ORDER.format(old="CAST(1 / (id * 0) AS INT)"))
    _arrive(pipeline, "1.json", '{"id": 1}')
    assert pipeline.update() == 1
    assert pipeline.status("live") == "SKIPPED"


@pytest.mark.dlt(175)
@pytest.mark.parametrize(
    ("need", "condition"),
    [("backfil", "DEPENDS_ON_UNKNOWN_FLOW"), ("live", "CIRCULAR_FLOW_DEPENDENCY")],
)
def test_an_unknown_flow_and_a_circle_are_refused(
    pipeline: Pipeline, need: str, condition: str
) -> None:
    _arrive(pipeline, "1.json", '{"id": 1}')
    pipeline.write(ORDER.format(old="1").replace("once=True", f'once=True, depends_on=["{need}"]'))
    with pytest.raises(ShimError, match=condition):
        pipeline.plan()


MANAGED = """
import dlt

dlt.create_table("t", expect_all_or_drop={"known": "id > 0"})

@dlt.append_flow(target="t", once=True)
def old():
    return spark.range(2).selectExpr("CAST(id AS INT) AS id")

@dlt.append_flow(target="t")
def new():
    return (spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
            .schema("id INT").load(spark.conf.get("landing")))
"""


@pytest.mark.dlt(176)
def test_two_append_flows_fill_a_managed_table(pipeline: Pipeline) -> None:
    pipeline.write(MANAGED)
    _arrive(pipeline, "1.json", '{"id": 5}')
    assert pipeline.update() == 0
    _arrive(pipeline, "2.json", '{"id": 6}')
    assert pipeline.update() == 0
    assert pipeline.rows("t") == [(1,), (5,), (6,)]


@pytest.mark.dlt(176)
def test_auto_cdc_cannot_write_to_a_managed_table(pipeline: Pipeline) -> None:
    _arrive(pipeline, "1.json", '{"id": 5}')
    pipeline.write(
        MANAGED.replace('target="t")\ndef new', 'target="u")\ndef new')
        + "dlt.create_streaming_table('u')\n"
        "dlt.apply_changes(target='t', source='u', keys=['id'], sequence_by='id')\n"
    )
    with pytest.raises(ShimError, match="MANAGED_TABLE_DOES_NOT_SUPPORT_CDC"):
        pipeline.plan()


@pytest.mark.dlt(176)
def test_a_streaming_table_cannot_become_a_managed_table(pipeline: Pipeline) -> None:
    _arrive(pipeline, "1.json", '{"id": 5}')
    pipeline.write(MANAGED.replace("create_table", "create_streaming_table"))
    pipeline.update()
    pipeline.write(MANAGED)
    with pytest.raises(ShimError, match="CANNOT_SWITCH_STREAMING_TABLE_TO_MANAGED_TABLE"):
        pipeline.update()


@pytest.mark.dlt(176)
def test_create_table_as_a_decorator_is_the_old_name_of_table(pipeline: Pipeline) -> None:
    pipeline.write(
        "import dlt\n\n@dlt.create_table(name='t')\ndef f():\n    return spark.range(2)\n"
    )
    assert pipeline.update() == 0
    assert pipeline.table("t").count() == 2
    assert [e.message for e in pipeline.events if e.event_type == "deprecation"]


WIDENING = """
import dlt

@dlt.table(table_properties={{"delta.enableTypeWidening": "true"}})
def t():
    return (spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
            .schema("id BIGINT").load(spark.conf.get("landing"))
            .selectExpr("CAST(id AS {kind}) AS id"))
"""


@pytest.mark.dlt(178)
def test_a_streaming_table_is_widened_and_keeps_its_rows(pipeline: Pipeline) -> None:
    pipeline.write(WIDENING.format(kind="INT"))
    _arrive(pipeline, "1.json", '{"id": 1}')
    pipeline.update()
    pipeline.write(WIDENING.format(kind="BIGINT"))
    _arrive(pipeline, "2.json", '{"id": 2}')
    assert pipeline.update() == 0
    assert pipeline.table("t").schema.simpleString() == "struct<id:bigint>"
    assert pipeline.rows("t") == [(1,), (2,)]


@pytest.mark.dlt(178)
@pytest.mark.parametrize(("old", "new"), [("BIGINT", "INT"), ("INT", "STRING")])
def test_a_type_that_is_not_wider_needs_a_full_refresh(
    pipeline: Pipeline, old: str, new: str
) -> None:
    pipeline.write(WIDENING.format(kind=old))
    _arrive(pipeline, "1.json", '{"id": 1}')
    pipeline.update()
    pipeline.write(WIDENING.format(kind=new))
    with pytest.raises(ShimError, match=r"--full-refresh main\.default\.t"):
        pipeline.plan()
    assert pipeline.update(full_refresh=("t",)) == 0
    assert pipeline.table("t").schema["id"].dataType.simpleString() == new.lower()
