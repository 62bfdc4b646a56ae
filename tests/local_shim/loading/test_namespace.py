"""What a source file finds without importing it, and what its helper modules can import."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline_folder import Pipeline


def test_the_names_of_databricks_are_there(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt

        assert sc is spark.sparkContext
        double = udf(lambda n: n * 2, "bigint")
        displayHTML("<b>x</b>")
        assert spark.conf.get("pipelines.id", None) == "test"
        names = sql("SELECT current_catalog() AS c, current_schema() AS s").first()
        assert (names.c, names.s) == ("main", "default")
        sql("USE CATALOG main"), sql("USE default"), sql("CREATE SCHEMA IF NOT EXISTS other")
        assert getArgument("missing", "x") == "x"

        @dlt.table
        def a():
            return spark.range(2)

        @dlt.table
        def b():
            display(table("a"))
            table("a").display()
            return table("a").select(double("id").alias("id"))

        @dlt.table
        def c():
            return sql("SELECT max(id) AS id FROM b").union(sqlContext.table("a").limit(0))
        """
    )
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("c") == [(2,)]


def test_a_helper_module_imports_spark_and_dbutils(pipeline: Pipeline) -> None:
    pipeline.conf["env"] = "test"
    source = pipeline.folder / "source"
    (source / "lib").mkdir(parents=True)
    (source / "lib" / "__init__.py").write_text("")
    (source / "lib" / "beside.py").write_text(
        "from databricks.sdk.runtime import dbutils, spark\n"
        "from pyspark.dbutils import DBUtils\n"
        "def env():\n"
        "    assert DBUtils(spark).fs.mkdirs is not None\n"
        "    return dbutils.widgets.get('env') + str(spark.range(3).count())\n"
    )
    pipeline.write(
        """
        import dlt
        from lib.beside import env
        ENV = env()

        @dlt.table
        def a():
            return spark.sql(f"SELECT '{ENV}' AS env")
        """
    )
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("a") == [("test3",)]


def test_dbutils_of_a_helper_module_has_the_widgets_of_the_file_that_calls_it(
    pipeline: Pipeline,
) -> None:
    helper = pipeline.folder / "source" / "lib" / "settings.py"
    helper.parent.mkdir(parents=True)
    helper.write_text(
        "from databricks.sdk.runtime import dbutils, getArgument, spark\n"
        "from pyspark.dbutils import DBUtils\n"
        "def settings():\n"
        "    own = DBUtils(spark).widgets.get('name')\n"
        "    return ' '.join([own, dbutils.widgets.get('name'), getArgument('name')])\n"
    )
    for name in ("a", "b"):
        pipeline.write(
            f"""
            import dlt
            from lib.settings import settings
            dbutils.widgets.text("name", "{name}")
            assert settings() == "{name} {name} {name}"

            @dlt.table(name="{name}")
            def table():
                return spark.createDataFrame([(settings(),)], "value STRING")
            """,
            f"{name}.py",
        )
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("a") == [("a a a",)]
    assert pipeline.rows("b") == [("b b b",)]


def test_an_installed_sdk_stays_usable(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt
        from databricks.sdk.service.pipelines import PipelineLibrary

        @dlt.table
        def a():
            return spark.range(1).selectExpr(f"'{PipelineLibrary.__name__}' AS name")
        """
    )
    assert pipeline.update() == 0, pipeline.errors()


@pytest.mark.dlt(147)
def test_tables_of_earlier_updates_are_read_at_module_level(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt

        @dlt.table(name="silver.names")
        def names():
            return spark.createDataFrame([("a",), ("b",)], "name STRING")
        """
    )
    assert pipeline.update() == 0
    pipeline.write(
        """
        import dlt

        for row in spark.table("silver.names").collect():
            @dlt.table(name=f"of_{row.name}")
            def one(name=row.name):
                return spark.read.table("main.silver.names").where(f"name = '{name}'")
        assert spark.sql("SELECT count(*) AS n FROM silver.names").first().n == 2
        """,
        "z_more.py",
    )
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("of_b") == [("b",)]


def test_python_opens_mapped_paths(pipeline: Pipeline, tmp_path: Path) -> None:
    """`/tmp` is a folder of this machine: Python's own temporary files stay where they are."""
    (tmp_path / "cloud" / "in").mkdir(parents=True)
    (tmp_path / "cloud" / "in" / "names.txt").write_text("a\nb\n")
    pipeline.paths = {"/dbfs/mnt/": f"{tmp_path}/cloud/", "/tmp/": f"{tmp_path}/nowhere/"}
    pipeline.write(
        """
        import os, tempfile
        from pathlib import Path
        import dlt

        assert os.listdir("/dbfs/mnt/in") == ["names.txt"]
        assert Path("/dbfs/mnt/in/names.txt").exists() and not os.path.exists("/dbfs/mnt/no")
        with open("/dbfs/mnt/in/names.txt") as file:
            NAMES = file.read().split()
        Path("/dbfs/mnt/out").mkdir()
        Path("/dbfs/mnt/out/copy.txt").write_text("x")
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"x")

        @dlt.table
        def names():
            return spark.createDataFrame([(each,) for each in NAMES], "name STRING")

        @dlt.table
        def lines():
            return spark.read.text("dbfs:/mnt/in/names.txt")
        """
    )
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("names") == pipeline.rows("lines") == [("a",), ("b",)]
    assert (tmp_path / "cloud" / "out" / "copy.txt").read_text() == "x"
