"""Several append flows into one streaming table."""

from __future__ import annotations

import pytest

from tests.pipeline_folder import Pipeline

SOURCE = """
import dlt
dlt.create_streaming_table("both")
for name in spark.conf.get("flows").split(","):
    @dlt.append_flow(target="both", name=name)
    def flow(name=name):
        frame = spark.readStream.format("delta").load(spark.conf.get("numbers"))
        return frame.selectExpr(f"'{name}' AS flow", "id")
"""


@pytest.fixture
def both(pipeline: Pipeline) -> Pipeline:
    """The flows `one` and `two` after an update over two rows."""
    path = str(pipeline.folder / "numbers")
    pipeline.spark.range(2).coalesce(1).write.format("delta").save(path)
    pipeline.write(SOURCE)
    pipeline.conf.update(numbers=path, flows="one,two")
    assert pipeline.update() == 0
    return pipeline


@pytest.mark.dlt(92)
def test_each_flow_has_a_checkpoint_of_its_own(both: Pipeline) -> None:
    assert both.update() == 0
    assert both.rows("both") == [("one", 0), ("one", 1), ("two", 0), ("two", 1)]


@pytest.mark.dlt(93, 94)
def test_a_new_or_renamed_flow_reads_from_the_start_and_others_go_on(both: Pipeline) -> None:
    both.conf["flows"] = "one,two,three"
    assert both.update() == 0
    assert len(both.rows("both")) == 6
    both.conf["flows"] = "one,renamed,three"
    assert both.update() == 0
    assert [row for row in both.rows("both") if row[0] in ("one", "renamed")] == [
        ("one", 0), ("one", 1), ("renamed", 0), ("renamed", 1),
    ]  # fmt: skip


@pytest.mark.dlt(99)
def test_a_changed_source_fails_a_stream_unless_it_skips_change_commits(both: Pipeline) -> None:
    both.spark.sql(f"DELETE FROM delta.`{both.conf['numbers']}` WHERE id = 0")
    assert both.update() == 1
    assert "DELTA_SOURCE" in both.errors()[0]
    assert "--full-refresh main.default.both" in both.errors()[0]
    assert "--reset-checkpoint main.default.one" in " ".join(both.errors())
    skipping = 'spark.readStream.option("skipChangeCommits", "true").format("delta")'
    both.write(SOURCE.replace('spark.readStream.format("delta")', skipping))
    assert both.update() == 0
    assert len(both.rows("both")) == 4
