"""rows_refused: how many delivered rows broke which rule; not published."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import quality
from dlt_pipelines.source_tables import SOURCE_TABLES
from dlt_pipelines.transforms.monitoring.row_counts import count_refused, refused, warned_on_raw

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Delivered rows that break a rule: one row per source table, day and rule",
    table_properties={"quality": "gold"},
    temporary=True,
)
def rows_refused() -> DataFrame:
    """From the quarantine; rules that only warn are measured on the rows as they came."""
    dropped = [
        refused(spark.read.table(f"quarantine_{table.name}"), table) for table in SOURCE_TABLES
    ]
    warned = [
        warned_on_raw(spark.read.table(f"bronze_{table.name}"), table)
        for table in SOURCE_TABLES
        if quality.raw_warn_rules(table)
    ]
    return count_refused([*dropped, *warned])
