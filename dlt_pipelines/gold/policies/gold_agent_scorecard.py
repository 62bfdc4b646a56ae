"""gold_agent_scorecard: premium, renewals and claims of each agent."""

import dlt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines.gold_rules import rules_of
from dlt_pipelines.transforms.policies.agent_scorecard import agent_scorecards
from dlt_pipelines.transforms.policies.retention import terms_that_end
from dlt_pipelines.transforms.premium import premium_by_type

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Agents: one row per agent and calendar year, as at the latest valuation, and one"
    " without agent_id for what no agent sold",
    table_properties={"quality": "gold"},
    schema="""
        agent_id BIGINT COMMENT 'of the policy as it is now',
        calendar_year INT COMMENT '1 January to 31 December',
        channel STRING COMMENT 'of the agent, as it is now',
        written_premium DECIMAL(18,2) COMMENT 'booked in the year',
        earned_premium DECIMAL(18,2) COMMENT 'earned in the year, effective view',
        expiring BIGINT COMMENT 'terms that ended in the year, not cancelled before',
        renewed BIGINT COMMENT 'of these, with a next term',
        renewal_ratio DOUBLE COMMENT 'renewed / expiring',
        claims BIGINT COMMENT 'losses of the year, reported',
        incurred DECIMAL(18,2) COMMENT 'of these claims, net of recoveries',
        loss_ratio DOUBLE COMMENT 'incurred / earned_premium',
        commission DECIMAL(18,2) COMMENT 'booked in the year'
    """,
)
@dlt.expect_all(rules_of("gold_agent_scorecard"))
def gold_agent_scorecard() -> DataFrame:
    """See transforms/policies/agent_scorecard.py for the rules."""
    latest = spark.read.table("ref_valuation").where("is_latest").select("valuation_date")
    policies = spark.read.table("silver_policy")
    return agent_scorecards(
        premium_by_type(spark.read.table("premium_ledger"), policies, latest),
        terms_that_end(policies, spark.read.table("silver_policy_version"), latest),
        spark.read.table("gold_claim_position").join(F.broadcast(latest), "valuation_date"),
        policies,
        spark.read.table("silver_agent"),
    )
