"""Reads of tables in pipeline code: options, module level, the catalog."""

from __future__ import annotations

import pytest
from pyspark.sql.catalog import Catalog

from local_shim.errors import ShimError
from local_shim.reading.refused_calls import CATALOG_METHODS
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


@pytest.mark.slow
def test_the_change_feed_of_a_dataset_is_read_in_batch(pipeline: Pipeline) -> None:
    """By options, and by `table_changes` in Python and in SQL."""
    pipeline.write(
        CLAIMS
        + """
@dlt.table
def by_options():
    feed = spark.read.option("readChangeFeed", True).option("startingVersion", 1)
    return feed.table("claims").selectExpr("value", "_change_type")

@dlt.table
def by_function():
    return spark.sql("SELECT f.value, _change_type FROM table_changes('claims', 0 + 1, 1) AS f")
"""
    )
    pipeline.write(
        "CREATE MATERIALIZED VIEW of_sql AS SELECT value, _change_type FROM (SELECT * FROM"
        " TABLE_CHANGES('main.default.claims', 1) WHERE value >= 0);",
        "changes.sql",
    )
    for _ in range(2):
        assert pipeline.update() == 0, pipeline.errors()
        rows = pipeline.rows("by_function")
        assert len(rows) > 0
        assert {kind for _, kind in rows} == {"insert"}
        assert len(pipeline.rows("by_options")) == len(pipeline.rows("of_sql")) >= len(rows)


def test_a_stored_table_is_read_at_module_level(pipeline: Pipeline) -> None:
    pipeline.write("import dlt\n@dlt.table\ndef claims():\n    return spark.range(3)\n")
    assert pipeline.update() == 0, pipeline.errors()
    pipeline.write(
        """
        import dlt

        for name in ("claims", "default.claims", "main.default.claims"):
            numbers = [row.id for row in spark.table(name).collect()]
            assert sorted(numbers) == [0, 1, 2]
            assert spark.read.table(name).count() == 3
            assert spark.sql(f"SELECT * FROM {name}").count() == 3
            assert spark.catalog.tableExists(name)

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
    assert {name for name, exists in answers.items() if not exists} == {"no"}
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
        "listDatabases()",
        "databaseExists('silver')",
        "getTableProperties('claims')",
        "isCached('claims')",
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


def test_every_catalog_method_is_answered_or_refused() -> None:
    """A method that a later Spark adds must be looked at."""
    answered = {"currentCatalog", "currentDatabase", "refreshTable", "tableExists"}
    about_functions_views_and_files = {
        "clearCache", "dropGlobalTempView", "dropTempView", "functionExists", "getFunction",
        "listFunctions", "refreshByPath", "registerFunction",
    }  # fmt: skip
    methods = {name for name in dir(Catalog) if not name.startswith("_")}
    assert methods == answered | about_functions_views_and_files | set(CATALOG_METHODS)


def test_the_catalog_names_the_schema_of_the_pipeline(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt
        catalog = spark.catalog
        assert (catalog.currentCatalog(), catalog.currentDatabase()) == ("main", "default")
        @dlt.table
        def t():
            spark.catalog.refreshTable("claims")
            return spark.read.table("claims").selectExpr(f"'{catalog.currentDatabase()}' AS name")
        @dlt.table
        def claims():
            return spark.range(1)
        """
    )
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("t") == [("default",)]


CLAIMS_TABLE = "import dlt\n@dlt.table\ndef claims():\n    return spark.range(3)\n"


COPIES = """
from delta.tables import DeltaTable

def tables():
    yield DeltaTable.forName(spark, "claims")
    yield DeltaTable.forName(spark, "main.default.claims")
    yield DeltaTable.forPath(spark, "/mapped/claims")
    yield DeltaTable.forName(spark, "delta.`/mapped/claims`")

assert DeltaTable.isDeltaTable(spark, "/mapped/claims")
for number, table in enumerate(tables()):
    assert table.toDF().count() == 3

    @dlt.table(name=f"copy_{number}")
    def copy(number=number):
        return list(tables())[number].toDF()
"""


def test_a_delta_table_is_found_by_name_and_by_path(pipeline: Pipeline) -> None:
    pipeline.write(CLAIMS_TABLE)
    assert pipeline.update() == 0, pipeline.errors()
    pipeline.write(CLAIMS_TABLE + COPIES)
    pipeline.paths["/mapped/"] = str(pipeline.path("claims").parent)
    assert pipeline.update() == 0, pipeline.errors()
    for number in range(4):
        assert pipeline.rows(f"copy_{number}") == [(0,), (1,), (2,)]


@pytest.mark.parametrize(
    ("call", "condition"),
    [
        ("forName(spark, 'nothing')", "DELTA_MISSING_DELTA_TABLE"),
        ("createIfNotExists(spark)", "DELTA_TABLE_METHOD_NOT_SUPPORTED"),
        ("convertToDelta(spark, 'parquet.`/x`')", "DELTA_TABLE_METHOD_NOT_SUPPORTED"),
    ],
)
def test_what_a_delta_table_cannot_do_here_is_refused_by_name(
    pipeline: Pipeline, call: str, condition: str
) -> None:
    pipeline.write(f"import dlt\nfrom delta.tables import DeltaTable\nDeltaTable.{call}\n")
    with pytest.raises(ShimError) as caught:
        pipeline.plan()
    assert caught.value.condition == condition
    assert call.split("(")[0] in caught.value.message


def test_a_delta_table_is_not_changed_in_a_dataset_function(pipeline: Pipeline) -> None:
    pipeline.write(CLAIMS_TABLE)
    assert pipeline.update() == 0, pipeline.errors()
    pipeline.write(
        CLAIMS_TABLE
        + """
from delta.tables import DeltaTable

@dlt.table
def t():
    table = DeltaTable.forName(spark, "claims")
    table.delete("id = 1")
    return table.toDF()
"""
    )
    with pytest.raises(ShimError, match="ACTION_IN_DATASET_FUNCTION"):
        pipeline.plan()
    assert len(pipeline.rows("claims")) == 3


@pytest.mark.parametrize(
    "option", ["option('path', PATH).option('basePath', PATH)", "options(PaTh=PATH)"]
)
def test_a_path_among_the_options_is_mapped(pipeline: Pipeline, option: str) -> None:
    pipeline.spark.range(3).write.parquet(str(pipeline.folder / "data" / "numbers"))
    pipeline.paths["/mapped/"] = str(pipeline.folder / "data")
    pipeline.write(
        f"""
        import dlt
        PATH = "/mapped/numbers"
        @dlt.table
        def t():
            return spark.read.format("parquet").{option}.load()
        """
    )
    assert pipeline.update() == 0, pipeline.errors()
    assert len(pipeline.rows("t")) == 3
