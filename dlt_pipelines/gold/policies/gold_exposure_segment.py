"""gold_exposure_segment: how long each coverage segment was on risk in each calendar year."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines.gold_rules import rules_of
from dlt_pipelines.transforms.risk import exposure

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Exposure: one row per coverage segment and calendar year in which it was on risk, up"
    " to the latest valuation",
    table_properties={"quality": "gold"},
    cluster_by=["policy_type", "calendar_year"],
    schema="""
        coverage_id BIGINT COMMENT 'key of the coverage segment',
        calendar_year INT COMMENT '1 January to 31 December',
        policy_id BIGINT COMMENT 'key of the term',
        policy_type STRING COMMENT 'UNKNOWN where the policy is not known',
        coverage_code STRING COMMENT 'TPL, COLL and so on',
        earned_days INT COMMENT 'days on risk in the year',
        unit_count BIGINT COMMENT 'insured units, for example the cars of a fleet',
        exposure DOUBLE
            COMMENT 'unit years, calendar basis: a full calendar year is 1 per unit, leap or not',
        exposure_term_basis DOUBLE
            COMMENT 'unit terms: days / days of the term; null where the policy is not known'
    """,
)
@dlt.expect_all(rules_of("gold_exposure_segment"))
def gold_exposure_segment() -> DataFrame:
    """See transforms/risk.py for the rules."""
    segments = spark.read.table("segment_on_risk")
    return exposure(segments, spark.read.table("ref_valuation").where("is_latest"))
