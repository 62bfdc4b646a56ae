"""gold_oneway: frequency, severity and pure premium by one factor at a time."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.transforms.pricing.oneway import oneway

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="One-way analysis: one row per factor and level, all years, as at the latest"
    " valuation; the factor (all) has the level (all). The levels of a factor add up to it",
    table_properties={"quality": "gold"},
    schema="""
        factor STRING COMMENT '(all), calendar_year, policy_type, or a factor of gold_glm_exposure',
        level STRING COMMENT 'value of the factor',
        exposure DOUBLE COMMENT 'unit years, calendar basis',
        claim_count BIGINT COMMENT 'reported',
        paid_claim_count BIGINT COMMENT 'with a payment',
        incurred DECIMAL(18,2) COMMENT 'paid - recovered + reserves',
        incurred_capped DECIMAL(18,2) COMMENT 'incurred, at most the large-loss cap',
        frequency DOUBLE COMMENT 'claim_count / exposure',
        severity DOUBLE COMMENT 'incurred / claim_count',
        severity_paid_claims DOUBLE COMMENT 'incurred / number, of claims with a payment',
        pure_premium DOUBLE COMMENT 'incurred / exposure',
        pure_premium_capped DOUBLE COMMENT 'incurred_capped / exposure',
        freq_relativity DOUBLE COMMENT 'frequency / that of (all)',
        pp_relativity DOUBLE COMMENT 'pure_premium / that of (all)',
        credibility DOUBLE
            COMMENT 'Z = min(1, sqrt(claim_count / insurance.full_credibility_claims))',
        credible_relativity DOUBLE COMMENT 'Z * pp_relativity + (1 - Z)',
        credible_freq_relativity DOUBLE COMMENT 'Z * freq_relativity + (1 - Z)',
        pp_capped_relativity DOUBLE COMMENT 'pure_premium_capped / that of (all)'
    """,
)
def gold_oneway() -> DataFrame:
    """See transforms/pricing/oneway.py for the rules."""
    return oneway(spark.read.table("factor_level"), settings.full_credibility_claims(spark))
