"""gold_retention_cohort: renewals by expiry month and what the contracts have in common."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.gold_rules import rules_of
from dlt_pipelines.transforms.exchange import at_closing_rate
from dlt_pipelines.transforms.policies.retention import retention_cohorts, terms_that_end

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Retention: one row per expiry month, factor and level, of terms that ended by the"
    " latest valuation. Add counts and premium over months before dividing",
    table_properties={"quality": "gold"},
    cluster_by=["factor", "expiry_month"],
    schema="""
        expiry_month DATE COMMENT 'first day of the month in which the terms end',
        factor STRING COMMENT '(all), policy_type, channel, region_code, payment_plan,
            tenure_years, price_change_band',
        level STRING COMMENT 'UNKNOWN where it is not known',
        expiring BIGINT COMMENT 'terms not cancelled before their end',
        renewed BIGINT COMMENT 'expiring terms whose next term was bound',
        expiring_premium DECIMAL(18,2) COMMENT 'annual premium of the last version of the term',
        renewed_premium DECIMAL(18,2) COMMENT 'annual premium of the next terms',
        expiring_premium_of_renewed DECIMAL(18,2)
            COMMENT 'expiring_premium of the terms that renewed',
        renewal_ratio DOUBLE COMMENT 'renewed / expiring',
        lapse_ratio DOUBLE COMMENT '1 - renewal_ratio',
        premium_retention DOUBLE COMMENT 'renewed_premium / expiring_premium',
        rate_change_on_renewed DOUBLE
            COMMENT 'renewed_premium / expiring_premium_of_renewed - 1',
        retention_12m DOUBLE COMMENT 'renewed / (expiring + cancelled_mid_term)',
        mature BOOLEAN COMMENT 'insurance.mature_after_days after the month: late answers are in',
        cancelled_mid_term BIGINT COMMENT 'terms of the month that were cancelled before their end'
    """,
)
@dlt.expect_all(rules_of("gold_retention_cohort"))
def gold_retention_cohort() -> DataFrame:
    """See transforms/policies/retention.py for the rules."""
    terms = terms_that_end(
        spark.read.table("silver_policy"),
        at_closing_rate(
            spark.read.table("silver_policy_version"),
            spark.read.table("foreign_policy"),
            "annual_premium",
        ),
        spark.read.table("ref_valuation").where("is_latest"),
    )
    return retention_cohorts(
        terms,
        spark.read.table("silver_agent"),
        spark.read.table("silver_risk_object"),
        spark.read.table("ref_band"),
        settings.mature_after_days(spark),
    )
