"""gold_ultimate: what each accident year will cost in the end."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.transforms.reserving.chain_ladder import ultimates

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Ultimates: one row per segment (and ALL), measure and origin year, as at the latest"
    " valuation. ultimate = latest * cdf_to_ultimate; ibnr = ultimate - incurred",
    table_properties={"quality": "gold"},
    schema="""
        segment STRING COMMENT 'policy type, UNKNOWN, or ALL',
        measure STRING COMMENT 'of gold_triangle',
        origin_year INT COMMENT 'year of loss',
        latest_lag_months INT COMMENT 'age on the latest diagonal',
        latest DECIMAL(18,2) COMMENT 'cumulative on the latest diagonal',
        cdf_to_ultimate DOUBLE COMMENT 'selected factor of gold_ldf; the tail at the last age',
        ultimate DECIMAL(18,2) COMMENT 'latest * cdf_to_ultimate',
        to_come DECIMAL(18,2) COMMENT 'ultimate - latest of the same measure',
        ibnr DECIMAL(18,2)
            COMMENT 'ultimate - incurred; of counts, - reported; null for a capped measure',
        bf_ultimate DECIMAL(18,2)
            COMMENT 'Bornhuetter-Ferguson, of paid and incurred; null without premium'
    """,
)
def gold_ultimate() -> DataFrame:
    """See transforms/reserving/chain_ladder.py for the rules."""
    earned = spark.read.table("gold_claim_kpi").select("accident_year", "segment", "earned_premium")
    return ultimates(
        spark.read.table("gold_triangle"),
        spark.read.table("gold_ldf"),
        earned,
        settings.expected_loss_ratio(spark),
        settings.tail_factor(spark),
    )
