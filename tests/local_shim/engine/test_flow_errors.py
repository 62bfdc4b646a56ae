"""What a failed flow says: the cause, whether rows were committed, and how to go on."""

from __future__ import annotations

import pytest

from local_shim.engine.flow_errors import as_failure
from local_shim.engine.flows.after_commit import FailedAfterCommit, after_commit
from local_shim.run import run
from tests.pipeline_folder import Pipeline

TABLE = """
import dlt

@dlt.table
def t():
    return spark.range(1)
"""


def test_an_error_after_the_commit_says_that_the_rows_are_there(pipeline: Pipeline) -> None:
    pipeline.write(TABLE)
    (flow,) = pipeline.plan().flows
    with pytest.raises(FailedAfterCommit) as caught, after_commit():
        raise OSError("the disk is full")
    failure = as_failure(caught.value, flow)
    assert failure.error.condition == "FAILED_AFTER_COMMIT"
    assert "the rows of 'main.default.t' are committed" in failure.message
    assert "the disk is full" in failure.message
    assert not failure.retryable


def test_an_exception_of_java_in_a_dataset_function_names_its_cause(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt

        @dlt.table
        def t():
            spark._jvm.java.lang.Class.forName("missing.Name")
            return spark.range(1)
        """
    )
    with pytest.raises(Exception, match=r"missing\.Name") as caught:
        pipeline.plan()
    assert "ClassNotFoundException" in str(caught.value)
    assert "pipeline.py:6" in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("SELECT 1 AS `a b`", "delta.columnMapping.mode = name"),
        ("SELECT 1 AS a, 2 AS A", "give one of them an alias"),
        ("SELECT INTERVAL '1' DAY AS a", "an INTERVAL is none"),
        ("SELECT array() AS a", "ARRAY<STRING>"),
        ("SELECT CAST('x' AS INT) AS a", "spark.sql.ansi.enabled=false"),
    ],
)
def test_an_error_of_what_a_table_stores_says_what_to_do(
    pipeline: Pipeline, query: str, hint: str
) -> None:
    pipeline.write(f"CREATE OR REFRESH MATERIALIZED VIEW t AS {query}", "t.sql")
    (failure,) = run(pipeline.request()).failures
    assert hint in failure.error.hint
    assert "t.sql:1" in str(failure.error)
