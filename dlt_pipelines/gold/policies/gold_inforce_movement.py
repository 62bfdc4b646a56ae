"""gold_inforce_movement: which policies came and went in each year."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines.gold_rules import rules_of
from dlt_pipelines.transforms.policies.inforce_movement import inforce_movements

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="In-force movement: one row per calendar year and policy type, up to the latest"
    " valuation. closing = opening + new_business + reinstated - cancelled - lapsed - surrendered"
    " - claims",
    table_properties={"quality": "gold"},
    schema="""
        calendar_year INT COMMENT '1 January to 31 December',
        policy_type STRING COMMENT 'UNKNOWN where the policy is not known',
        opening_in_force BIGINT COMMENT 'policy numbers in force at the end of the year before',
        new_business BIGINT COMMENT 'term 1 starts in the year',
        reinstated BIGINT COMMENT 'on risk again after a gap',
        cancelled BIGINT COMMENT 'left inside a term, for any reason without a column here',
        lapsed BIGINT COMMENT 'ran to the end of a term and was not renewed without a gap',
        surrendered BIGINT COMMENT 'left inside a term by surrender',
        claims BIGINT COMMENT 'death or maturity',
        closing_in_force BIGINT COMMENT 'at the year end or the valuation',
        opening_premium DECIMAL(18,2) COMMENT 'annual premium in force',
        new_premium DECIMAL(18,2) COMMENT 'of new business and reinstated, on their first day',
        exited_premium DECIMAL(18,2) COMMENT 'of those that left, on their last day',
        closing_premium DECIMAL(18,2) COMMENT 'annual premium in force at the end',
        premium_change DECIMAL(18,2)
            COMMENT 'endorsements and renewals: closing - opening - new + exited'
    """,
)
@dlt.expect_all(rules_of("gold_inforce_movement"))
def gold_inforce_movement() -> DataFrame:
    """See transforms/policies/inforce_movement.py for the rules."""
    segments = spark.read.table("segment_on_risk")
    return inforce_movements(segments, spark.read.table("ref_valuation").where("is_latest"))
