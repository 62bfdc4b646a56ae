"""`spark.sql` in pipeline code: names, parameters, frames and versions in its text."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from local_shim.reading.interception import spark_reads_intercepted
from local_shim.reading.source_resolver import resolving_with
from tests.local_shim.reading.tables import Tables
from tests.pipeline_folder import Pipeline

NAMES = {
    "plain": ("claims", {}),
    "qualified": ("main.default.`claims`", {}),
    "identifier": ("IDENTIFIER('claims')", {}),
    "identifier of an expression": ("IDENTIFIER('cla' || 'ims')", {}),
    "identifier of a parameter": ("IDENTIFIER(:t)", {"t": "claims"}),
    "identifier of parameters": ("IDENTIFIER(:s || '.' || :t)", {"s": "default", "t": "claims"}),
}


@pytest.fixture
def tables(spark: SparkSession) -> Any:
    """The session of pipeline code, with the tables claims and policies."""
    claims = spark.createDataFrame([(1, "A"), (2, "B"), (3, "B")], "id INT, policy STRING")
    with spark_reads_intercepted():
        tables = Tables({"main.default.claims": claims})
        with resolving_with(tables):
            yield tables


@pytest.mark.parametrize("low", ["2", ":low", "{low}"])
@pytest.mark.parametrize("kind", NAMES)
def test_a_table_is_found_whichever_way_the_text_names_it(
    spark: SparkSession, tables: Tables, kind: str, low: str
) -> None:
    name, args = NAMES[kind]
    text = f"SELECT * FROM {name} AS t WHERE id >= {low} ORDER BY id"
    frames = {"low": 2} if low == "{low}" else {}
    parameters = {**args, **({"low": 2} if low == ":low" else {})}
    rows = spark.sql(text, parameters or None, **frames).collect()
    assert [row.id for row in rows] == [2, 3]
    assert tables.names == ["main.default.claims"]


def test_parameters_by_position_reach_names_and_values(spark: SparkSession, tables: Tables) -> None:
    text = "SELECT ? AS label, id FROM IDENTIFIER(?) WHERE policy = ? ORDER BY id"
    rows = spark.sql(text, ["it's", "claims", "B"]).collect()
    assert [tuple(row) for row in rows] == [("it's", 2), ("it's", 3)]


def test_a_frame_stands_for_a_table(spark: SparkSession, tables: Tables) -> None:
    frame = spark.createDataFrame([("B",)], "policy STRING")
    text = "SELECT c.id FROM {chosen} JOIN claims c USING (policy) WHERE {chosen[policy]} = :p"
    rows = spark.sql(text, {"p": "B"}, chosen=frame).collect()
    assert sorted(row.id for row in rows) == [2, 3]


def test_the_name_of_a_table_qualifies_its_columns(spark: SparkSession, tables: Tables) -> None:
    text = "SELECT claims.id FROM IDENTIFIER(:t) WHERE claims.policy = 'A'"
    assert [row.id for row in spark.sql(text, {"t": "claims"}).collect()] == [1]


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        2.5,
        "a 'quoted' \\ {text} :p ?",
        Decimal("1.50"),
        datetime.date(2024, 2, 29),
        datetime.datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=datetime.UTC).replace(tzinfo=None),
        [1, 2],
        b"\x00\xff",
    ],
    ids=repr,
)
def test_values_of_parameters_arrive_unchanged(
    spark: SparkSession, tables: Tables, value: object
) -> None:
    for text, args in (("SELECT :p AS x", {"p": value}), ("SELECT ? AS x", [value])):
        (row,) = spark.sql(text, args).collect()
        assert row.x == value


@pytest.mark.parametrize(
    ("clause", "options"),
    [
        ("VERSION AS OF 1", {"versionAsOf": "1"}),
        ("VERSION AS OF '1'", {"versionAsOf": "1"}),
        ("FOR SYSTEM_VERSION AS OF 1", {"versionAsOf": "1"}),
        ("TIMESTAMP AS OF '2024-01-02'", {"timestampAsOf": "2024-01-02"}),
        ("TIMESTAMP AS OF DATE '2024-01-02' - 1", {"timestampAsOf": "2024-01-01"}),
    ],
)
@pytest.mark.parametrize("name", ["claims", "IDENTIFIER('claims')", "main.default.claims"])
@pytest.mark.parametrize("alias", ["", " AS c", " c"])
def test_a_version_in_the_text_becomes_an_option_of_the_read(
    spark: SparkSession,
    tables: Tables,
    clause: str,
    options: dict[str, str],
    name: str,
    alias: str,
) -> None:
    qualifier = "c." if alias else "claims."
    rows = spark.sql(f"SELECT {qualifier}id FROM {name} {clause}{alias} LIMIT 1").collect()
    assert [row.id for row in rows] == [1]
    assert tables.options == [options]


@pytest.mark.parametrize("name", ["claims", "IDENTIFIER('claims')", "main.default.claims"])
@pytest.mark.parametrize("alias", ["", " AS c", " c"])
def test_a_sample_of_a_table_is_read(
    spark: SparkSession, tables: Tables, name: str, alias: str
) -> None:
    qualifier = "c." if alias else "claims."
    text = f"SELECT {qualifier}id FROM {name} TABLESAMPLE (100 PERCENT) REPEATABLE (1){alias}"
    assert sorted(row.id for row in spark.sql(text).collect()) == [1, 2, 3]


def test_parameters_name_a_table_in_an_update(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt

        @dlt.table
        def claims():
            return spark.range(5)

        @dlt.table
        def large():
            return spark.sql(
                "SELECT id FROM IDENTIFIER(:t) WHERE id >= :low", args={"t": "claims", "low": 3}
            )

        @dlt.table
        def counted():
            return spark.sql("SELECT count(*) AS n FROM {rows}", rows=spark.read.table("large"))
        """
    )
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("large") == [(3,), (4,)]
    assert pipeline.rows("counted") == [(2,)]
    assert pipeline.plan().graph.needs()["main.default.large"] == {"main.default.claims"}


def test_old_versions_of_a_stored_table_are_read_by_name(pipeline: Pipeline) -> None:
    for rows in (1, 2):
        source = f"import dlt\n@dlt.table\ndef events():\n    return spark.range({rows})\n"
        pipeline.write(source)
        assert pipeline.update() == 0, pipeline.errors()
    history = pipeline.spark.sql(f"DESCRIBE HISTORY delta.`{pipeline.path('events')}`").collect()
    first = min(row.version for row in history if row.operation != "CREATE TABLE")
    pipeline.write(
        f"""
        import dlt

        @dlt.table
        def in_sql():
            return spark.sql("SELECT id FROM main.default.events VERSION AS OF {first}")

        @dlt.table
        def by_option():
            return spark.read.option("versionAsOf", {first}).table("main.default.events")

        @dlt.table
        def new_rows():
            return spark.sql(
                "SELECT id FROM main.default.events "
                "EXCEPT SELECT id FROM main.default.events VERSION AS OF {first}"
            )
        """
    )
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("in_sql") == pipeline.rows("by_option") == [(0,)]
    assert pipeline.rows("new_rows") == [(1,)]
