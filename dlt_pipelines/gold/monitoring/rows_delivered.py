"""rows_delivered: how many rows of each source table came on each day; not published."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines.source_tables import SOURCE_TABLES
from dlt_pipelines.transforms.monitoring.row_counts import count_delivered, delivered

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Change rows as delivered: one row per source table and day",
    table_properties={"quality": "gold"},
    temporary=True,
)
def rows_delivered() -> DataFrame:
    """Counted once for the quality metrics, the daily anomalies and the latest valuation."""
    rows = [delivered(spark.read.table(f"bronze_{table.name}"), table) for table in SOURCE_TABLES]
    return count_delivered(rows)
