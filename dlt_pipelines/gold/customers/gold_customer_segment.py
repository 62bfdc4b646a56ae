"""gold_customer_segment: recency, frequency, money and lifetime value of customers."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.transforms.customers.customer_segment import customer_segments

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Customer segments: one row per party and valuation date. Quintiles 1 to 5 within a"
    " valuation, 5 is best",
    table_properties={"quality": "gold"},
    cluster_by=["valuation_date", "party_id"],
    schema="""
        party_id BIGINT COMMENT 'key of the party, the survivor of merged ones',
        valuation_date DATE COMMENT 'everything booked by the end of this day counts',
        recency_days INT COMMENT 'days since the last bound term or payment',
        frequency BIGINT COMMENT 'policies in force, and terms started in 36 months',
        monetary DECIMAL(18,2) COMMENT 'annual premium in force',
        r INT COMMENT 'quintile of recency_days, 5 is the most recent',
        f INT COMMENT 'quintile of frequency',
        m INT COMMENT 'quintile of monetary',
        rfm STRING COMMENT 'r, f and m one after the other',
        clv DECIMAL(18,2) COMMENT 'discounted margin over insurance.clv_years',
        clv_tier STRING
            COMMENT 'by rank of clv: PLATINUM, GOLD, SILVER (insurance.clv_tier), else BRONZE'
    """,
)
def gold_customer_segment() -> DataFrame:
    """See transforms/customers/customer_segment.py for the rules."""
    return customer_segments(
        spark.read.table("gold_customer_360"),
        spark.read.table("customer_line"),
        spark.read.table("gold_retention_cohort"),
        settings.value_assumptions(spark),
        settings.clv_tiers(spark),
    )
