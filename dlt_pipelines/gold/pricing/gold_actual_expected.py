"""gold_actual_expected: claims against what was expected, by one factor at a time."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.transforms.pricing.oneway import actual_expected

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Actual against expected: one row per factor and level, all years, as at the latest"
    " valuation",
    table_properties={"quality": "gold"},
    schema="""
        factor STRING COMMENT 'of gold_oneway',
        level STRING COMMENT 'value of the factor; UNKNOWN where it is not known',
        exposure DOUBLE COMMENT 'unit years, calendar basis',
        actual_claims BIGINT COMMENT 'reported',
        expected_claims DOUBLE COMMENT 'exposure * frequency of the policy type and coverage',
        actual_incurred DECIMAL(18,2) COMMENT 'net of recoveries, at the valuation',
        expected_incurred DECIMAL(18,2) COMMENT 'earned premium * insurance.expected_loss_ratio',
        actual_to_expected DOUBLE COMMENT 'actual_claims / expected_claims',
        band_low DOUBLE COMMENT 'of 95 %: A/E * (1 - 1.96 / sqrt(actual_claims))',
        band_high DOUBLE COMMENT 'of 95 %: A/E * (1 + 1.96 / sqrt(actual_claims))',
        significant BOOLEAN COMMENT '1 lies outside the band; null without claims',
        incurred_to_expected DOUBLE COMMENT 'actual_incurred / expected_incurred'
    """,
)
def gold_actual_expected() -> DataFrame:
    """See transforms/pricing/oneway.py for the rules."""
    return actual_expected(spark.read.table("factor_level"), settings.expected_loss_ratio(spark))
