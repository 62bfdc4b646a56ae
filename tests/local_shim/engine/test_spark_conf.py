"""`spark_conf=` and `spark.conf`: each flow has its own configuration."""

from __future__ import annotations

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
