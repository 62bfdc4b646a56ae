"""gold_surrender_year: surrenders of life and unit-linked contracts by policy year."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.gold_rules import rules_of
from dlt_pipelines.transforms.policies.stays import stays, with_stays
from dlt_pipelines.transforms.policies.surrenders import surrender_years

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Surrenders: one row per policy type (life, unit-linked) and policy year, up to the"
    " latest valuation",
    table_properties={"quality": "gold"},
    schema="""
        policy_type STRING COMMENT 'of life insurance (insurance.life_policy_types)',
        policy_year INT COMMENT '1 from the first day on risk to its anniversary',
        policies_entering BIGINT COMMENT 'on risk at the start of the policy year',
        exposure_policy_years DOUBLE COMMENT 'days on risk / days of the policy year',
        surrenders BIGINT COMMENT 'contracts surrendered in the policy year',
        surrender_rate_central DOUBLE COMMENT 'surrenders / exposure_policy_years',
        survival_end DOUBLE
            COMMENT 'not surrendered by the end of the year: product over its months and all before'
    """,
)
@dlt.expect_all(rules_of("gold_surrender_year"))
def gold_surrender_year() -> DataFrame:
    """See transforms/policies/surrenders.py for the rules."""
    segments = spark.read.table("segment_on_risk")
    latest = spark.read.table("ref_valuation").where("is_latest")
    return surrender_years(stays(with_stays(segments)), latest, settings.life_policy_types(spark))
