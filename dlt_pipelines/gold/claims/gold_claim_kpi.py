"""gold_claim_kpi: claim counts, frequency, severity and loss ratio by accident year."""

import dlt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines.gold_rules import rules_of
from dlt_pipelines.transforms.claim_kpi import claim_kpis
from dlt_pipelines.transforms.premium import earned_by_year, premium_by_type

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Claims: one row per accident year and segment, and ALL, as at the latest valuation."
    " loss_ratio = incurred of the year's losses / premium earned in the year",
    table_properties={"quality": "gold"},
    schema="""
        accident_year INT COMMENT 'year of the loss',
        segment STRING COMMENT 'policy type, UNKNOWN, or ALL',
        reported BIGINT COMMENT 'claims reported by the valuation',
        open BIGINT COMMENT 'open or reopened',
        closed_with_payment BIGINT COMMENT 'ended claims that were paid',
        closed_no_payment BIGINT COMMENT 'also rejected and withdrawn',
        reopened BIGINT COMMENT 'reopened and not closed again',
        exposure DOUBLE COMMENT 'calendar basis',
        earned_premium DECIMAL(18,2) COMMENT 'earned in the accident year',
        paid DECIMAL(18,2) COMMENT 'sum of payments',
        incurred DECIMAL(18,2) COMMENT 'paid - recovered + reserves, of losses of the year',
        frequency DOUBLE COMMENT 'reported / exposure',
        severity DOUBLE COMMENT 'incurred / reported',
        severity_paid_claims DOUBLE COMMENT 'incurred / number, of claims with a payment',
        pure_premium DOUBLE COMMENT 'incurred / exposure',
        loss_ratio DOUBLE COMMENT 'incurred / earned premium, expenses of claims included',
        large_count BIGINT COMMENT 'claims above the large-loss cap',
        excess DECIMAL(18,2) COMMENT 'incurred above the large-loss cap'
    """,
)
@dlt.expect_all(rules_of("gold_claim_kpi"))
def gold_claim_kpi() -> DataFrame:
    """See transforms/claim_kpi.py for the rules."""
    latest = spark.read.table("ref_valuation").where("is_latest").select("valuation_date")
    positions = spark.read.table("gold_claim_position").join(F.broadcast(latest), "valuation_date")
    policies = spark.read.table("silver_policy")
    booked = premium_by_type(spark.read.table("premium_ledger"), policies, latest)
    return claim_kpis(positions, spark.read.table("gold_exposure_segment"), earned_by_year(booked))
