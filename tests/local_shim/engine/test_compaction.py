"""Small files of streaming tables, put together where they are many."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_shim.delta import small_files
from local_shim.delta.live_files import live_files
from tests.pipeline_folder import Pipeline

SOURCE = """
    import dlt

    @dlt.table
    def bronze():
        return spark.readStream.table("source.default.rows")

    @dlt.table(table_properties={"delta.autoOptimize.autoCompact": "false"})
    def as_written():
        return spark.readStream.table("source.default.rows")

    @dlt.table(partition_cols=["part"])
    def by_part():
        return spark.readStream.table("source.default.rows").selectExpr("id", "id % 2 AS part")

    @dlt.table(cluster_by=["id"])
    def clustered():
        return spark.readStream.table("bronze")

    @dlt.table
    def counted():
        return spark.read.table("bronze").groupBy().count()
"""


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four files are many."""
    monkeypatch.setattr(small_files, "_MOST_SMALL_FILES", 4)


def updates(pipeline: Pipeline, numbers: range) -> None:
    """An update for each number, before which the source gets one row."""
    source = pipeline.folder / "storage" / "tables" / "source" / "default" / "rows"
    for number in numbers:
        row = pipeline.spark.range(number, number + 1).coalesce(1)
        row.write.format("delta").mode("append").save(str(source))
        assert pipeline.update() == 0


def files(folder: Path) -> int:
    found = live_files(folder)
    assert found is not None
    return len(found.paths)


def operations(pipeline: Pipeline, table: str) -> list[str]:
    history = pipeline.spark.sql(f"DESCRIBE HISTORY delta.`{pipeline.path(table)}`")
    return [row["operation"] for row in history.select("operation").collect()]


def test_many_small_files_become_one_and_no_flow_sees_it(pipeline: Pipeline, few: None) -> None:
    """The rows stay, and the next update finds that it has nothing to do."""
    pipeline.write(SOURCE)
    updates(pipeline, range(4))
    assert files(pipeline.path("bronze")) == files(pipeline.path("clustered")) == 1
    assert files(pipeline.path("as_written")) == 4
    assert operations(pipeline, "bronze")[0] == "OPTIMIZE"
    assert "OPTIMIZE" not in operations(pipeline, "by_part")  # two files in each partition
    assert pipeline.rows("bronze") == pipeline.rows("clustered") == [(n,) for n in range(4)]
    assert pipeline.update() == 0
    assert [each.details["status"] for each in pipeline.progress()].count("IDLE") == 4
    assert pipeline.flow("counted").technique == "MAINTENANCE_TYPE_NO_OP"


def test_rows_that_come_after_it_are_read_once(pipeline: Pipeline, few: None) -> None:
    """By streams and by views, also if the partitions are compacted in the meantime."""
    pipeline.write(SOURCE)
    updates(pipeline, range(9))
    assert "OPTIMIZE" in operations(pipeline, "by_part")
    for name in ("bronze", "as_written", "clustered"):
        assert pipeline.rows(name) == [(n,) for n in range(9)]
    assert pipeline.rows("by_part", "id") == [(n,) for n in range(9)]
    assert pipeline.rows("counted") == [(9,)]
