"""gold_inforce_month_end: what is on risk at each month end."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines.transforms.risk import in_force_at_month_ends

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="In force: one row per month end and policy type, from the type's first start to the"
    " latest valuation, by the dates of coverage segments",
    table_properties={"quality": "gold"},
    cluster_by=["policy_type", "month_end"],
    schema="""
        month_end DATE COMMENT 'last day of the month',
        policy_type STRING COMMENT 'segment of the book; UNKNOWN without a policy',
        policies BIGINT COMMENT 'distinct policy numbers',
        coverages BIGINT COMMENT 'coverage segments',
        vehicles BIGINT COMMENT 'insured units: sum of unit_count',
        in_force_premium DECIMAL(18,2) COMMENT 'sum of annual premium'
    """,
)
def gold_inforce_month_end() -> DataFrame:
    """See transforms/risk.py for the rules."""
    segments = spark.read.table("segment_on_risk")
    latest = spark.read.table("ref_valuation").where("is_latest")
    return in_force_at_month_ends(segments, latest)
