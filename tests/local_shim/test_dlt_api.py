"""Old spellings, other schemas, settings of one flow, hooks: what real pipelines also use."""

from __future__ import annotations

import pytest

from local_shim.storage import Storage
from tests.pipeline_folder import Pipeline


@pytest.mark.dlt(14, 15, 19, 22, 123)
def test_what_older_and_larger_pipelines_use(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt
        seen = []

        @dlt.on_event_hook
        def listen(event):
            seen.append(event["event_type"])
            spark.conf.set("test.seen", ",".join(seen))

        @dlt.on_event_hook(max_allowable_consecutive_failures=1)
        def broken(event):
            raise ValueError("never well")

        @dlt.create_table
        def old():
            return spark.range(1)

        @dlt.create_view
        def older():
            return dlt.read("LIVE.old")

        @dlt.table(name="other.place.old")
        def elsewhere():
            return spark.range(5)

        @dlt.table(spark_conf={"spark.sql.session.timeZone": "America/New_York"})
        def there():
            return spark.sql("SELECT date_format(timestamp_seconds(0), 'yyyy') AS year FROM old")

        @dlt.table
        def here():
            return spark.sql("SELECT date_format(timestamp_seconds(0), 'yyyy') AS year FROM older")
        """
    )
    assert pipeline.update() == 0
    assert pipeline.rows("there") == [("1969",)]
    assert pipeline.rows("here") == [("1970",)]
    assert len(pipeline.rows("other.place.old")) == 5
    assert len(pipeline.rows("old")) == 1
    deprecated = {e.details["message"] for e in pipeline.events if e.event_type == "deprecation"}
    assert deprecated >= {"PYTHON_CREATE_TABLE", "PYTHON_CREATE_VIEW", "LIVE_PREFIX"}
    failed = [e for e in pipeline.events if e.event_type == "hook_progress"]
    assert len(failed) == 2  # then the hook is left alone
    seen = pipeline.spark.conf.get("test.seen").split(",")
    assert "create_update" in seen and "hook_progress" not in seen


def test_a_row_filter_is_left_alone_with_a_warning_at_its_line(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt
        @dlt.table(row_filter="ROW FILTER mine ON (id)")
        def t():
            return spark.range(3)
        """
    )
    (warning,) = pipeline.plan().warnings
    assert "pipeline.py:3: row_filter of 't' is not applied" in warning


def test_what_a_flow_sets_stays_with_the_flow(pipeline: Pipeline) -> None:
    """PySpark keeps `spark.conf` and `spark.catalog` once they were asked for."""
    pipeline.write(
        """
        import dlt
        def seen(key):
            return spark.range(1).selectExpr(f"'{spark.conf.get(key, 'nothing')}' AS seen")
        @dlt.table(spark_conf={"test.word": "one"})
        def a():
            spark.conf.set("test.left", "behind")
            spark.range(7).createOrReplaceTempView("mine")
            assert spark.catalog.tableExists("mine")
            return seen("test.word")
        @dlt.table(spark_conf={"test.word": "two"})
        def b():
            spark.read.table("a")
            return seen("test.word")
        @dlt.table
        def c():
            spark.read.table("b")
            return seen("test.left")
        """
    )
    assert pipeline.update() == 0
    assert [pipeline.rows(name) for name in "abc"] == [[("one",)], [("two",)], [("nothing",)]]


@pytest.mark.dlt(92, 93, 94, 99)
def test_flows_into_one_table_keep_their_own_place(pipeline: Pipeline) -> None:
    source = """
        import dlt
        dlt.create_streaming_table("both")
        for name in spark.conf.get("flows").split(","):
            @dlt.append_flow(target="both", name=name)
            def flow(name=name):
                frame = spark.readStream.format("delta").load(spark.conf.get("numbers"))
                return frame.selectExpr(f"'{name}' AS flow", "id")
        """
    path = str(pipeline.folder / "numbers")
    pipeline.spark.range(2).coalesce(1).write.format("delta").save(path)
    pipeline.write(source)
    pipeline.conf.update(numbers=path, flows="one,two")
    assert pipeline.update() == 0
    assert pipeline.update() == 0
    assert pipeline.rows("both") == [("one", 0), ("one", 1), ("two", 0), ("two", 1)]
    pipeline.conf["flows"] = "one,two,three"
    assert pipeline.update() == 0
    assert len(pipeline.rows("both")) == 6
    pipeline.conf["flows"] = "one,renamed,three"
    assert pipeline.update() == 0
    assert len(pipeline.rows("both")) == 8
    pipeline.spark.sql(f"DELETE FROM delta.`{path}` WHERE id = 0")
    assert pipeline.update() == 1
    assert "DELTA_SOURCE" in pipeline.errors()[0]
    with_skip = 'spark.readStream.option("skipChangeCommits", "true").format("delta")'
    pipeline.write(source.replace('spark.readStream.format("delta")', with_skip))
    assert pipeline.update() == 0
    assert len(pipeline.rows("both")) == 8
    assert Storage(pipeline.folder / "storage", "test").records()[0].kind == "STREAMING_TABLE"
