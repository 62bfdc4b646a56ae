"""rows_checked: how many current rows of silver break which warn rules; not published."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines.source_tables import SOURCE_TABLES
from dlt_pipelines.transforms.monitoring.row_counts import checked, count_checked

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Current rows of silver: one row per source table, day and set of warn rules broken",
    table_properties={"quality": "gold"},
    temporary=True,
)
def rows_checked() -> DataFrame:
    """Rules of quality.py that let a row in and count it."""
    rows = [checked(spark.read.table(f"silver_{table.name}"), table) for table in SOURCE_TABLES]
    return count_checked(rows)
