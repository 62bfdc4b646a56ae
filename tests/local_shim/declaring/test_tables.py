"""Arguments of tables that real pipelines also use: old spellings, other schemas, row filters."""

from __future__ import annotations

import pytest

from tests.pipeline_folder import Pipeline


@pytest.mark.dlt(14, 15)
def test_deprecated_spellings_work_and_are_reported(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt

        @dlt.create_table
        def old():
            return spark.range(1)

        @dlt.create_view
        def older():
            return dlt.read("LIVE.old")

        @dlt.table
        def reader():
            return dlt.read("older")
        """
    )
    assert pipeline.update() == 0
    assert pipeline.rows("reader") == [(0,)]
    deprecated = {e.details["message"] for e in pipeline.events if e.event_type == "deprecation"}
    assert deprecated >= {"PYTHON_CREATE_TABLE", "PYTHON_CREATE_VIEW", "LIVE_PREFIX"}


@pytest.mark.dlt(19)
def test_a_three_part_name_is_another_table_than_the_short_one(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt

        @dlt.table
        def numbers():
            return spark.range(1)

        @dlt.table(name="other.place.numbers")
        def elsewhere():
            return spark.range(5)

        @dlt.table
        def reader():
            return spark.read.table("numbers")
        """
    )
    assert pipeline.update() == 0
    assert len(pipeline.rows("other.place.numbers")) == 5
    assert pipeline.rows("reader") == pipeline.rows("numbers") == [(0,)]


def test_a_row_filter_is_not_applied_and_is_a_warning_at_its_line(pipeline: Pipeline) -> None:
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
