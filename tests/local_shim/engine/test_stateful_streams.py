"""Streams that keep state: aggregation, deduplication and joins, over three updates each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from local_shim.errors import ShimError
from tests.pipeline_folder import Pipeline

WriteRows = Callable[[str, str], Path]

SOURCE = """
import dlt
from pyspark.sql import functions as F

def rows(folder):
    return (spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
            .schema("id INT, at TIMESTAMP, n INT").load(f"{spark.conf.get('landing')}/{folder}"))

"""
COUNTS = """
@dlt.table
def counts():
    return rows("a").groupBy("id").agg(F.sum("n").alias("n"))
"""


class Stream:
    """A pipeline and the files that arrive for it."""

    def __init__(self, pipeline: Pipeline, write_rows: WriteRows):
        self.pipeline = pipeline
        self._write_rows = write_rows
        self._files = 0
        pipeline.conf["landing"] = str(pipeline.folder / "landing")

    def arrive(self, folder: str, *rows: tuple[int, str, int]) -> None:
        """A file with rows of an id, a time of 1 January and a number."""
        self._files += 1
        lines = [f'{{"id": {id_}, "at": "2026-01-01T{at}:00Z", "n": {n}}}\n' for id_, at, n in rows]
        self._write_rows(f"{folder}/{self._files}.json", "".join(lines))

    def rows_after_update(self, table: str, *columns: str) -> list[tuple[object, ...]]:
        assert self.pipeline.update() == 0, self.pipeline.errors()
        return self.pipeline.rows(table, *columns)


@pytest.fixture
def stream(pipeline: Pipeline, write_rows: WriteRows) -> Stream:
    return Stream(pipeline, write_rows)


def test_an_aggregation_without_a_watermark_replaces_its_rows(stream: Stream) -> None:
    stream.pipeline.write(SOURCE + COUNTS)
    stream.arrive("a", (1, "10:00", 1), (2, "10:00", 1))
    assert stream.rows_after_update("counts") == [(1, 1), (2, 1)]
    stream.arrive("a", (1, "10:01", 5), (3, "10:01", 1))
    assert stream.rows_after_update("counts") == [(1, 6), (2, 1), (3, 1)]
    stream.arrive("a", (3, "10:02", 1))
    assert stream.rows_after_update("counts") == [(1, 6), (2, 1), (3, 2)]
    definitions = [e for e in stream.pipeline.events if e.event_type == "flow_definition"]
    assert ['"flow_type": "COMPLETE"' in event.as_json() for event in definitions] == [True]


def test_a_stream_from_a_table_in_complete_mode_fails_when_its_rows_are_replaced(
    stream: Stream,
) -> None:
    reader = '@dlt.table\ndef reader():\n    return spark.readStream.table("counts")\n'
    stream.pipeline.write(SOURCE + COUNTS + reader)
    stream.arrive("a", (1, "10:00", 1))
    assert stream.rows_after_update("reader") == [(1, 1)]
    stream.arrive("a", (1, "10:01", 1))
    assert stream.pipeline.update() == 1
    assert stream.pipeline.status("counts") == "COMPLETED"
    assert "is to be read in batch" in stream.pipeline.errors()[0]


def test_readers_see_the_rows_of_one_update_or_the_next(stream: Stream) -> None:
    """Each commit removes all old rows and adds all new ones."""
    stream.pipeline.write(SOURCE + COUNTS)
    for minute in range(3):
        stream.arrive("a", (1, f"10:0{minute}", 1), (2, f"10:0{minute}", 1))
        stream.pipeline.update()
    versions = [
        stream.pipeline.spark.read.format("delta").option("versionAsOf", version)
        .load(str(stream.pipeline.path("counts"))).orderBy("id").collect()
        for version in range(1, 4)
    ]  # fmt: skip
    assert versions == [[(1, n), (2, n)] for n in (1, 2, 3)]


def test_a_repeated_batch_of_a_complete_flow_changes_nothing(stream: Stream) -> None:
    """As after a crash between the commit of a batch and the note of its end."""
    stream.pipeline.write(SOURCE + COUNTS)
    stream.arrive("a", (1, "10:00", 1))
    stream.pipeline.update()
    stream.arrive("a", (1, "10:01", 1))
    assert stream.rows_after_update("counts") == [(1, 2)]
    for note in (stream.pipeline.folder / "storage" / "checkpoints").rglob("commits/1"):
        note.unlink()
    assert stream.rows_after_update("counts") == [(1, 2)]
    stream.arrive("a", (1, "10:02", 1))
    assert stream.rows_after_update("counts") == [(1, 3)]


def test_rules_check_the_rows_of_an_aggregation(stream: Stream) -> None:
    stream.pipeline.write(
        SOURCE + '@dlt.expect_or_drop("few", "n < 3")\n@dlt.expect("one", "n = 1")' + COUNTS
    )
    stream.arrive("a", (1, "10:00", 1), (2, "10:00", 1))
    assert stream.rows_after_update("counts") == [(1, 1), (2, 1)]
    stream.arrive("a", (1, "10:01", 5))
    assert stream.rows_after_update("counts") == [(2, 1)]
    assert stream.pipeline.quality("counts") == {
        "dropped_records": 1,
        "expectations": {"few": [1, 1], "one": [1, 1]},
    }


def test_a_failing_rule_keeps_the_rows_and_the_state_of_the_batch_before(stream: Stream) -> None:
    stream.pipeline.write(SOURCE + '@dlt.expect_or_fail("few", "n < 3")' + COUNTS)
    stream.arrive("a", (1, "10:00", 1))
    assert stream.rows_after_update("counts") == [(1, 1)]
    stream.arrive("a", (1, "10:01", 5))
    assert stream.pipeline.update() == 1
    assert stream.pipeline.rows("counts") == [(1, 1)]
    stream.pipeline.write(SOURCE + COUNTS)
    assert stream.rows_after_update("counts") == [(1, 6)]


def test_a_full_refresh_of_an_aggregation_forgets_its_state(stream: Stream) -> None:
    stream.pipeline.write(SOURCE + COUNTS)
    stream.arrive("a", (1, "10:00", 1))
    stream.pipeline.update()
    assert stream.pipeline.update(full_refresh=("counts",)) == 0
    assert stream.pipeline.rows("counts") == [(1, 1)]


def test_an_aggregating_view_makes_its_reader_replace_rows(stream: Stream) -> None:
    view = COUNTS.replace("@dlt.table", "@dlt.view").replace("counts", "counting")
    reader = '@dlt.table\ndef counts():\n    return spark.readStream.table("counting")\n'
    stream.pipeline.write(SOURCE + view + reader)
    stream.arrive("a", (1, "10:00", 1))
    assert stream.rows_after_update("counts") == [(1, 1)]
    stream.arrive("a", (1, "10:01", 1))
    assert stream.rows_after_update("counts") == [(1, 2)]


@pytest.mark.parametrize(
    ("declarations", "condition"),
    [
        (
            COUNTS + '@dlt.append_flow(target="counts")\ndef more():\n    return rows("b")\n',
            "COMPLETE_FLOW_NOT_ALONE",
        ),
        (
            'dlt.create_sink("out", "delta", {"path": "/tmp/out"})\n'
            '@dlt.append_flow(target="out")\ndef f():\n    return rows("a").groupBy("id").count()',
            "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION",
        ),
        (
            COUNTS.replace("@dlt.table", "@dlt.view")
            + 'dlt.create_streaming_table("t")\n'
            + 'dlt.apply_changes("t", "counts", ["id"], "n")',
            "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION",
        ),
        (
            '@dlt.table(replace_using=["id"], sequence_by="count")\n'
            'def t():\n    return rows("a").groupBy("id").count()',
            "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION",
        ),
    ],
    ids=["beside another flow", "into a sink", "as changes", "replacing keys"],
)
def test_an_aggregation_without_a_watermark_needs_a_table_of_its_own(
    stream: Stream, declarations: str, condition: str
) -> None:
    for folder in ("a", "b"):
        stream.arrive(folder, (1, "10:00", 1))
    stream.pipeline.write(SOURCE + declarations)
    with pytest.raises(ShimError, match=condition):
        stream.pipeline.plan()


def test_an_aggregation_with_a_watermark_appends_closed_windows(stream: Stream) -> None:
    stream.pipeline.write(
        SOURCE
        + """
@dlt.table
def windows():
    frame = rows("a").withWatermark("at", "5 minutes")
    counted = frame.groupBy(F.window("at", "10 minutes")).agg(F.sum("n").alias("n"))
    return counted.select(F.date_format("window.start", "HH:mm").alias("start"), "n")
"""
    )
    stream.arrive("a", (1, "10:01", 1), (1, "10:04", 1))
    assert stream.rows_after_update("windows") == []
    stream.arrive("a", (1, "10:03", 1), (1, "10:30", 1))
    assert stream.rows_after_update("windows") == [("10:00", 3)]
    stream.arrive("a", (1, "10:02", 9), (1, "10:50", 1))  # the first row comes too late
    assert stream.rows_after_update("windows") == [("10:00", 3), ("10:30", 1)]


def test_readers_of_a_watermarked_table_inherit_no_watermark(stream: Stream) -> None:
    """Otherwise a count by its time column would run in append mode."""
    stream.pipeline.write(
        SOURCE
        + """
@dlt.table
def events():
    return rows("a").withWatermark("at", "5 minutes")

@dlt.table
def per_time():
    return spark.readStream.table("events").groupBy("at").count().select("count")
"""
    )
    for expected in (1, 2, 3):
        stream.arrive("a", (1, "10:00", 1))
        assert stream.rows_after_update("per_time") == [(expected,)]


def test_duplicates_of_earlier_updates_are_left_out(stream: Stream) -> None:
    stream.pipeline.write(
        SOURCE + '@dlt.table\ndef t():\n    return rows("a").dropDuplicates(["id"])\n'
    )
    stream.arrive("a", (1, "10:00", 1), (1, "10:00", 1))
    assert stream.rows_after_update("t", "id") == [(1,)]
    stream.arrive("a", (1, "10:01", 2), (2, "10:01", 2))
    assert stream.rows_after_update("t", "id") == [(1,), (2,)]
    stream.arrive("a", (2, "11:01", 3), (1, "12:01", 3))
    assert stream.rows_after_update("t", "id") == [(1,), (2,)]


def test_duplicates_within_the_watermark_are_left_out(stream: Stream) -> None:
    stream.pipeline.write(
        SOURCE
        + """
@dlt.table
def t():
    return rows("a").withWatermark("at", "5 minutes").dropDuplicatesWithinWatermark(["id"])
"""
    )
    stream.arrive("a", (1, "10:00", 1), (1, "10:01", 2))
    assert stream.rows_after_update("t", "id") == [(1,)]
    stream.arrive("a", (1, "10:04", 3), (2, "10:30", 4))
    assert stream.rows_after_update("t", "id") == [(1,), (2,)]
    stream.arrive("a", (1, "10:31", 5))  # the state of id 1 has expired
    assert stream.rows_after_update("t", "id") == [(1,), (1,), (2,)]


def test_two_streams_join_over_updates(stream: Stream) -> None:
    stream.pipeline.write(
        SOURCE
        + """
@dlt.table
def joined():
    left = rows("a").withWatermark("at", "1 hour").selectExpr("id", "at", "n AS a")
    right = rows("b").withWatermark("at", "1 hour").selectExpr("id AS key", "at AS then", "n AS b")
    near = F.expr("id = key AND then BETWEEN at AND at + INTERVAL 30 MINUTES")
    return left.join(right, near).select("id", "a", "b")
"""
    )
    stream.arrive("a", (1, "10:00", 1), (2, "10:00", 2))
    stream.arrive("b", (9, "10:00", 9))
    assert stream.rows_after_update("joined") == []
    stream.arrive("b", (1, "10:10", 10))
    assert stream.rows_after_update("joined") == [(1, 1, 10)]
    stream.arrive("b", (2, "10:20", 20))
    assert stream.rows_after_update("joined") == [(1, 1, 10), (2, 2, 20)]


def test_a_stream_joins_a_table_as_it_is_in_each_update(stream: Stream) -> None:
    path = str(stream.pipeline.folder / "names")
    stream.pipeline.conf["names"] = path
    stream.pipeline.write(
        SOURCE
        + """
@dlt.table
def named():
    names = spark.read.format("delta").load(spark.conf.get("names"))
    return rows("a").join(names, "id").select("id", "n", "name")
"""
    )
    for n, name in enumerate("xyz"):
        frame = stream.pipeline.spark.createDataFrame([(1, name)], "id INT, name STRING")
        frame.write.format("delta").mode("overwrite").save(path)
        stream.arrive("a", (1, "10:00", n))
        expected = [(1, before, "xyz"[before]) for before in range(n + 1)]
        assert stream.rows_after_update("named") == expected
