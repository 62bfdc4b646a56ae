"""gold_rows_checked: how many rows of gold break which rules; not published."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines.gold_rules import GOLD_RULES
from dlt_pipelines.transforms.monitoring.row_counts import count_gold_checked, gold_checked

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Rows of gold at the latest valuation: one row per gold table and set of rules broken",
    table_properties={"quality": "gold"},
    temporary=True,
)
def gold_rows_checked() -> DataFrame:
    """Rules of gold_rules.py. Stored, because gold_dq_metric needs these few rows several times."""
    latest = spark.read.table("ref_valuation").where("is_latest")
    rows = [gold_checked(spark.read.table(name), name) for name in GOLD_RULES]
    return count_gold_checked(rows, latest)
