"""`schema=`: what a table promises about its columns, whatever its query gives."""

from __future__ import annotations

import pytest
from pyspark.sql.types import IntegerType, StringType, StructField, StructType

from local_shim.errors import ShimError
from local_shim.storage import delta_version
from tests.pipeline_folder import Pipeline

PROMISED = """
import dlt

SCHEMA = '''
    id INT NOT NULL COMMENT 'of the person',
    name STRING,
    twice INT GENERATED ALWAYS AS (id * 2),
    CONSTRAINT people_pk PRIMARY KEY (id),
    CONSTRAINT people_fk FOREIGN KEY (name) REFERENCES names (name)'''

@dlt.table(schema=SCHEMA)
def stored():
    return spark.readStream.format("delta").load(spark.conf.get("people"))

@dlt.table(schema=SCHEMA)
def computed():
    return spark.read.format("delta").load(spark.conf.get("people"))

@dlt.table
def derived():
    return spark.readStream.table("stored")
"""


def people(pipeline: Pipeline, rows: str) -> None:
    """Rows that somebody else appends to a table of theirs."""
    path = pipeline.conf["people"] = str(pipeline.folder / "people")
    frame = pipeline.spark.sql(f"SELECT * FROM VALUES {rows} AS people(name, id)")
    frame.write.format("delta").mode("append").save(path)


@pytest.mark.dlt(141)
def test_not_null_is_enforced_and_a_primary_key_is_not(pipeline: Pipeline) -> None:
    pipeline.write(PROMISED)
    people(pipeline, "('Ann', 1), ('Bob', 1)")
    assert pipeline.update() == 0, pipeline.errors()
    rows = [(1, "Ann", 2), (1, "Bob", 2)]
    assert pipeline.rows("stored") == pipeline.rows("computed") == rows
    assert pipeline.rows("derived") == rows
    people(pipeline, "('Nobody', CAST(NULL AS INT))")
    assert pipeline.update() == 1
    assert pipeline.status("stored") == pipeline.status("computed") == "FAILED"
    refused = "[DELTA_NOT_NULL_CONSTRAINT_VIOLATED] NOT NULL constraint violated for column: id."
    assert all(refused in error for error in pipeline.errors())
    assert pipeline.rows("stored") == pipeline.rows("computed") == rows


@pytest.mark.dlt(141)
def test_a_promise_outlives_updates_and_full_refreshes(pipeline: Pipeline) -> None:
    pipeline.write(PROMISED)
    people(pipeline, "('Ann', 1)")
    assert pipeline.update() == 0, pipeline.errors()
    people(pipeline, "('Bob', 2)")
    assert pipeline.update() == 0, pipeline.errors()
    table = pipeline.folder / "storage" / "tables" / "main" / "default"
    assert delta_version(table / "computed") == 2  # made, filled, and replaced in one commit
    assert pipeline.update(full_refresh_all=True) == 0, pipeline.errors()
    for name in ("stored", "computed"):
        assert pipeline.rows(name) == [(1, "Ann", 2), (2, "Bob", 4)]
        first = pipeline.table(name).schema["id"]
        assert (first.nullable, first.metadata["comment"]) == (False, "of the person")
    assert pipeline.table("derived").schema["id"].nullable


def test_a_schema_gives_columns_their_order_and_comments_and_null_for_what_is_missing(
    pipeline: Pipeline,
) -> None:
    pipeline.write(
        """
        import dlt
        @dlt.table(schema="name STRING COMMENT 'as known', id BIGINT, born DATE")
        def people():
            return spark.sql("SELECT 1L AS ID, 'Ann' AS name")
        """
    )
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("people") == [("Ann", 1, None)]
    assert pipeline.table("people").columns == ["name", "id", "born"]
    assert pipeline.table("people").schema["name"].metadata["comment"] == "as known"


def test_a_column_of_a_literal_may_be_null_in_the_next_version_of_its_query(
    pipeline: Pipeline,
) -> None:
    query = """
        import dlt
        @dlt.table
        def t():
            people = spark.readStream.format("delta").load(spark.conf.get("people"))
            return people.selectExpr("id", "'old' AS version")
        """
    people(pipeline, "('Ann', 1)")
    pipeline.write(query)
    assert pipeline.update() == 0
    people(pipeline, "('Bob', 2)")
    pipeline.write(query.replace("'old'", "CAST(NULL AS STRING)"))
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("t") == [(1, "old"), (2, None)]


@pytest.mark.parametrize(
    ("schema", "condition"),
    [
        ("id INT, name INT", "USER_SPECIFIED_AND_INFERRED_SCHEMA_NOT_COMPATIBLE"),
        ("id INT", "USER_SPECIFIED_AND_INFERRED_SCHEMA_NOT_COMPATIBLE"),
        ("id INTT, name STRING", "PARSE_SYNTAX_ERROR"),
        ("id INT, name 'x", "PARSE_SYNTAX_ERROR.*at or near"),
        ("id INT, name STRING, CHECK (id > 0)", "UNSUPPORTED_CONSTRAINT"),
        ("id INT DEFAULT 3, name STRING", "UNSUPPORTED_COLUMN"),
    ],
)
def test_a_schema_that_cannot_hold_is_refused_before_anything_runs(
    pipeline: Pipeline, schema: str, condition: str
) -> None:
    pipeline.write(
        f"""
        import dlt
        @dlt.table(schema="{schema}")
        def t():
            return spark.sql("SELECT 1 AS id, 'Ann' AS name")
        """
    )
    with pytest.raises(ShimError, match=condition) as caught:
        pipeline.plan()
    assert "pipeline.py:3" in str(caught.value)


def test_an_identity_column_numbers_the_rows_of_a_streaming_table(pipeline: Pipeline) -> None:
    source = """
        CREATE OR REFRESH STREAMING TABLE t (
          k BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY 5), id INT, name STRING)
        AS SELECT id, name FROM STREAM delta.`PEOPLE`;
        CREATE OR REFRESH STREAMING TABLE reader AS SELECT k FROM STREAM(t);
        """
    for rows in ("('Ann', 1)", "('Bob', 2)"):
        people(pipeline, rows)
        pipeline.write(source.replace("PEOPLE", pipeline.conf["people"]), "t.sql")
        assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("t") == [(10, 1, "Ann"), (15, 2, "Bob")]
    assert pipeline.rows("reader") == [(10,), (15,)]


LENGTHS = """
import dlt

@dlt.table(schema="id INT, name VARCHAR(3), code CHAR(2), parts ARRAY<VARCHAR(3)>")
def stored():
    people = spark.readStream.format("delta").load(spark.conf.get("people"))
    return people.selectExpr("id", "name", "'ab' AS code", "array(name) AS parts")

@dlt.table(schema="id INT, name VARCHAR(3)")
def computed():
    return spark.read.format("delta").load(spark.conf.get("people"))

dlt.create_streaming_table("current", schema="id INT, name VARCHAR(3)")
dlt.apply_changes(target="current", source="changes", keys=["id"], sequence_by="id")

@dlt.view
def changes():
    return spark.readStream.format("delta").load(spark.conf.get("people"))

@dlt.table
def longer():
    return spark.readStream.table("stored").selectExpr("id", "name || '!' AS name", "code")
"""


@pytest.mark.slow
def test_the_length_of_a_text_is_checked_where_it_was_declared(pipeline: Pipeline) -> None:
    pipeline.write(LENGTHS)
    people(pipeline, "('Ann', 1)")
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("stored") == [(1, "Ann", "ab", ["Ann"])]
    assert pipeline.rows("computed") == pipeline.rows("current") == [(1, "Ann")]
    assert pipeline.rows("longer") == [(1, "Ann!", "ab")]
    people(pipeline, "('Anna', 2)")
    assert pipeline.update() == 1
    assert pipeline.status("stored") == pipeline.status("computed") == "FAILED"
    assert all("DELTA_EXCEED_CHAR_VARCHAR_LIMIT" in error for error in pipeline.errors())
    assert pipeline.rows("computed") == pipeline.rows("current") == [(1, "Ann")]


def test_a_table_that_is_computed_anew_has_no_identity_column(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt
        schema = "k BIGINT GENERATED BY DEFAULT AS IDENTITY, id BIGINT"
        dlt.create_streaming_table("current", schema=schema)
        dlt.apply_changes(target="current", source="t", keys=["id"], sequence_by="id")
        @dlt.view
        def t():
            return spark.readStream.format("rate").load().selectExpr("value AS id")
        @dlt.table(schema=schema)
        def view():
            return spark.range(1)
        """
    )
    with pytest.raises(ShimError) as caught:
        pipeline.plan()
    assert str(caught.value).count("IDENTITY_COLUMN_NOT_ALLOWED") == 2


def test_masks_in_a_schema_are_taken_out_with_a_warning(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt

        @dlt.table(schema="id INT MASK f, mask STRING MASK a.b.c USING COLUMNS (id) COMMENT 'x'")
        def t():
            return spark.sql("SELECT 1 AS id, 'Ann' AS mask")
        """
    )
    plan = pipeline.plan()
    (schema,) = plan.graph.schemas.values()
    assert schema.names == ["id", "mask"]
    assert "the mask of column 'mask' of 't' is not applied" in " ".join(plan.warnings)


def test_a_schema_may_be_a_type(pipeline: Pipeline) -> None:
    columns = [StructField("id", IntegerType(), False), StructField("name", StringType())]
    schema = StructType(columns).json()
    pipeline.conf["schema"] = schema
    pipeline.write(
        """
        import json
        import dlt
        from pyspark.sql.types import StructType
        schema = StructType.fromJson(json.loads(spark.conf.get("schema")))
        dlt.create_streaming_table("t", schema=schema)
        @dlt.append_flow(target="t", once=True)
        def some():
            return spark.sql("SELECT CAST(NULL AS INT) AS id, 'Ann' AS name")
        """
    )
    assert pipeline.update() == 1
    assert "NOT NULL constraint violated" in pipeline.errors()[0]
