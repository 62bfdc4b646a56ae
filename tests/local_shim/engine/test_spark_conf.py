"""`spark_conf=` and `spark.conf`: each flow has its own configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline_folder import Pipeline


@pytest.mark.dlt(22)
def test_spark_conf_of_a_dataset_holds_for_its_flow_only(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt

        @dlt.table(spark_conf={"spark.sql.session.timeZone": "America/New_York"})
        def there():
            return spark.sql("SELECT date_format(timestamp_seconds(0), 'yyyy') AS year")

        @dlt.table
        def here():
            return spark.sql("SELECT date_format(timestamp_seconds(0), 'yyyy') AS year FROM there")
        """
    )
    assert pipeline.update() == 0
    assert pipeline.rows("there") == [("1969",)]
    assert pipeline.rows("here") == [("1970",)]


def test_what_a_flow_sets_holds_for_that_flow_only(pipeline: Pipeline) -> None:
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


def test_large_inputs_get_settings_for_large_data_but_for_those_that_the_pipeline_makes(
    pipeline: Pipeline,
) -> None:
    pipeline.write(
        """
        import dlt
        from pyspark.sql import functions as F
        spark.conf.set("spark.sql.shuffle.partitions", "7")
        @dlt.table
        def large():
            ids = spark.range(200_000).select(F.col("id").cast("string").alias("text"))
            return ids.select(F.sha2("text", 256).alias("text"))
        @dlt.table
        def settings_of_reader():
            keys = ("spark.sql.shuffle.partitions", "spark.sql.codegen.wholeStage")
            values = [F.lit(spark.conf.get(key)).alias(key[-10:]) for key in keys]
            return spark.read.table("large").limit(1).select(*values)
        """
    )
    assert pipeline.update() == 0
    assert pipeline.rows("settings_of_reader") == [("7", "true")]
    starts = {
        event.origin["flow_name"]: event.details
        for event in pipeline.progress()
        if event.details["status"] == "STARTING"
    }
    assert starts["main.default.large"]["tuning"] == {}
    reader = starts["main.default.settings_of_reader"]
    assert reader["input_bytes"] > 8 * 2**20
    assert reader["tuning"]["spark.sql.codegen.wholeStage"] == "true"
    assert "spark.sql.shuffle.partitions" not in reader["tuning"]
    assert pipeline.spark.conf.get("spark.sql.shuffle.partitions") == "1"


def test_several_small_inputs_get_settings_for_small_data(pipeline: Pipeline) -> None:
    """Code is generated for each of them: that takes longer than to do without."""
    pipeline.write(
        """
        import dlt
        from pyspark.sql import functions as F
        def texts():
            ids = spark.range(25_000).select(F.col("id").cast("string").alias("text"))
            return ids.select(F.sha2("text", 256).alias("text"))
        for name in "abc":
            dlt.table(texts, name=name)
        @dlt.table
        def all_texts():
            a, b, c = (spark.read.table(name) for name in "abc")
            return a.union(b).union(c).agg(F.count("*").alias("n"))
        """
    )
    assert pipeline.update() == 0
    (start,) = [
        event.details
        for event in pipeline.progress()
        if event.origin["flow_name"].endswith("all_texts") and event.details["status"] == "STARTING"
    ]
    assert start["input_bytes"] > 2 * 2**20
    assert start["tuning"] == {}


def test_many_new_files_get_settings_for_large_data(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    rows = "".join(f'{{"n": {n}, "text": "{"x" * 1000}"}}\n' for n in range(2_200))
    (tmp_path / "landing" / "rows.json").write_text(rows)
    pipeline.write(
        f"""
        import dlt
        @dlt.table
        def arrived():
            stream = spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
            return stream.load("{tmp_path}/landing")
        """
    )
    assert pipeline.update() == 0
    (tuning,) = [e.details["tuning"] for e in pipeline.progress() if e.details.get("tuning")]
    assert tuning["spark.sql.codegen.wholeStage"] == "true"
    assert pipeline.table("arrived").count() == 2_200


def test_many_small_files_are_read_by_few_tasks(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    for n in range(120):
        (tmp_path / "landing" / f"{n}.json").write_text(f'{{"n": {n}}}\n')
    pipeline.write(
        f"""
        import dlt
        @dlt.table(spark_conf={{"spark.sql.files.minPartitionNum": "1"}})
        def arrived():
            stream = spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
            return stream.load("{tmp_path}/landing")
        """
    )
    assert pipeline.update() == 0
    (tuning,) = [e.details["tuning"] for e in pipeline.progress() if e.details.get("tuning")]
    assert tuning == {"spark.sql.files.openCostInBytes": "64k"}
    arrived = pipeline.table("arrived")
    assert arrived.count() == 120
    assert len(arrived.inputFiles()) == 1
