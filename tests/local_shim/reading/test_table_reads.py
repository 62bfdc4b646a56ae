"""Reads of tables in pipeline code: options, module level, the catalog."""

from __future__ import annotations

import pytest

from local_shim.errors import ShimError
from tests.pipeline_folder import Pipeline

CLAIMS = """
import dlt

@dlt.table(table_properties={"delta.enableChangeDataFeed": "true"})
def claims():
    return spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 2).load()
"""


@pytest.mark.parametrize("option", ["readChangeFeed", "READCHANGEFEED", "readChangeData"])
@pytest.mark.parametrize("read", ["read.option('startingVersion', 0)", "readStream"])
def test_the_change_feed_of_a_dataset_has_its_columns_in_analysis(
    pipeline: Pipeline, option: str, read: str
) -> None:
    pipeline.write(
        CLAIMS
        + f"""
@dlt.table
def changes():
    feed = spark.{read}.option("{option}", True).table("claims")
    return feed.select("value", "_change_type", "_commit_version", "_commit_timestamp")
"""
    )
    schema = pipeline.plan().graph.schemas
    types = {str(name): kind.simpleString() for name, kind in schema.items()}
    assert types["main.default.changes"] == (
        "struct<value:bigint,_change_type:string,_commit_version:bigint,"
        "_commit_timestamp:timestamp>"
    )


def test_without_the_option_there_are_no_columns_of_the_feed(pipeline: Pipeline) -> None:
    read = 'spark.read.option("readChangeFeed", "false").table("claims")'
    pipeline.write(f"{CLAIMS}\n@dlt.table\ndef t():\n    return {read}\n")
    schemas = {str(name): kind for name, kind in pipeline.plan().graph.schemas.items()}
    assert schemas["main.default.t"].names == ["timestamp", "value"]


@pytest.mark.parametrize("name", ["claims", "default.claims", "main.default.claims"])
def test_a_stored_table_is_read_at_module_level(pipeline: Pipeline, name: str) -> None:
    pipeline.write("import dlt\n@dlt.table\ndef claims():\n    return spark.range(3)\n")
    assert pipeline.update() == 0, pipeline.errors()
    pipeline.write(
        f"""
        import dlt

        numbers = [row.id for row in spark.table("{name}").collect()]
        assert spark.read.table("{name}").count() == len(numbers)
        assert spark.sql("SELECT * FROM {name}").count() == len(numbers)
        assert spark.catalog.tableExists("{name}")

        @dlt.table
        def copies():
            return spark.createDataFrame([(number,) for number in numbers], "id INT")
        """
    )
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("copies") == [(0,), (1,), (2,)]


def test_table_exists_knows_datasets_stored_tables_and_views_of_spark(pipeline: Pipeline) -> None:
    pipeline.write("import dlt\n@dlt.table\ndef stored():\n    return spark.range(1)\n")
    assert pipeline.update() == 0, pipeline.errors()
    pipeline.write(
        """
        import dlt

        spark.range(1).createOrReplaceTempView("a_view")

        @dlt.table
        def declared():
            return spark.range(1)

        @dlt.table
        def answers():
            exists = spark.catalog.tableExists
            names = ("declared", "stored", "default.stored", "main.default.stored", "a_view", "no")
            rows = [(name, exists(name)) for name in names]
            rows += [("dbName", exists("stored", "default"))]
            return spark.createDataFrame(rows, "name STRING, there BOOLEAN")
        """
    )
    assert pipeline.update() == 0, pipeline.errors()
    answers = dict(pipeline.rows("answers"))
    assert {name for name, there in answers.items() if not there} == {"no"}
    assert len(answers) == 7


@pytest.mark.parametrize(
    "call",
    [
        "listTables()",
        "listColumns('claims')",
        "getTable('claims')",
        "setCurrentDatabase('silver')",
        "dropTable('claims')",
        "cacheTable('claims')",
    ],
)
def test_catalog_methods_without_an_answer_are_refused_by_name(
    pipeline: Pipeline, call: str
) -> None:
    pipeline.write(f"import dlt\nspark.catalog.{call}\n")
    with pytest.raises(ShimError) as caught:
        pipeline.plan()
    assert caught.value.condition == "CATALOG_METHOD_NOT_SUPPORTED"
    assert f"spark.catalog.{call.split('(')[0]}()" in caught.value.message
    assert str(caught.value.where).endswith("pipeline.py:2")
