"""gold_premium_month: written, earned and unearned premium."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines.gold_rules import rules_of
from dlt_pipelines.transforms.premium import booked_premium, premium_by_month

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Premium: one row per month, policy type, coverage code and channel at booking,"
    " as at the latest valuation",
    table_properties={"quality": "gold"},
    cluster_by=["policy_type", "month"],
    schema="""
        month DATE COMMENT 'first day of the month',
        policy_type STRING COMMENT 'UNKNOWN where the policy is not known',
        coverage_code STRING COMMENT 'TPL, COLL and so on',
        channel STRING COMMENT 'of the agent when the premium was booked',
        written_premium DECIMAL(18,2) COMMENT 'booked in the month, net of tax',
        earned_premium DECIMAL(18,2) COMMENT 'effective view: late bookings restate past months',
        earned_premium_accounting DECIMAL(18,2)
            COMMENT 'written - change of unearned: late bookings catch up when booked',
        unearned_premium_start DECIMAL(18,2) COMMENT 'at the end of the month before',
        unearned_premium_end DECIMAL(18,2) COMMENT 'at the month end or the valuation',
        tax DECIMAL(18,2) COMMENT 'booked in the month',
        commission DECIMAL(18,2) COMMENT 'booked in the month'
    """,
)
@dlt.expect_all(rules_of("gold_premium_month"))
def gold_premium_month() -> DataFrame:
    """See transforms/premium.py for the rules."""
    booked = booked_premium(
        spark.read.table("premium_ledger"),
        spark.read.table("silver_policy"),
        spark.read.table("silver_agent"),
        spark.read.table("ref_valuation").where("is_latest"),
    )
    return premium_by_month(booked)
