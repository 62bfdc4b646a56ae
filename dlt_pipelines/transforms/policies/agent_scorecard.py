"""What each agent wrote, kept and cost in a year."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from dlt_pipelines.transforms.premium import earned_by_year
from dlt_pipelines.transforms.versions import UNKNOWN, current

_KEY = ("agent_id", "calendar_year")
_COUNTS = ("expiring", "renewed", "claims")
_MONEY = ("written_premium", "earned_premium", "incurred", "commission")


def agent_scorecards(
    booked: DataFrame,
    terms: DataFrame,
    positions: DataFrame,
    policies: DataFrame,
    agents: DataFrame,
) -> DataFrame:
    """One row per agent and calendar year, and one without agent_id for what no agent sold.

    Premium, renewals and claims go to the agent of the policy as it is now, so that losses are
    divided by premium of the same contracts. loss_ratio = incurred of the year's losses / premium
    earned in the year. Sources: insurance model (b) 1, 3 and 4.

    Args:
        booked: from `premium_by_type`.
        terms: from `terms_that_end`.
        positions: claims as at the latest valuation.
        policies: versions of silver_policy.
        agents: versions of silver_agent.
    """
    sellers = current(policies).select("policy_id", "agent_id")
    sums = _sums(booked.join(sellers, "policy_id", "left"), terms, positions, sellers)
    channels = F.broadcast(current(agents).select("agent_id", "channel"))
    return sums.join(channels, "agent_id", "left").selectExpr(
        *_KEY, f"coalesce(channel, '{UNKNOWN}') AS channel", "written_premium",
        "earned_premium", "expiring", "renewed",
        "renewed / CAST(nullif(expiring, 0) AS DOUBLE) AS renewal_ratio",
        "claims", "incurred",
        "CAST(incurred AS DOUBLE) / nullif(CAST(earned_premium AS DOUBLE), 0) AS loss_ratio",
        "commission",
    )  # fmt: skip


def _sums(
    premium: DataFrame, terms: DataFrame, positions: DataFrame, sellers: DataFrame
) -> DataFrame:
    """Counts and money by agent and year: the parts are stacked and grouped once."""
    frames = [
        premium.selectExpr(
            "agent_id", "year(booked_on) AS calendar_year", "amount AS written_premium",
            "commission_amount AS commission",
        ),
        earned_by_year(premium, "agent_id").withColumnRenamed("accident_year", "calendar_year"),
        terms.selectExpr(
            "agent_id", "year(end_date) AS calendar_year", "if(is_expiring, 1, 0) AS expiring",
            "if(is_renewed, 1, 0) AS renewed",
        ),
        positions.where("accident_year IS NOT NULL")
        .join(sellers, "policy_id", "left")
        .selectExpr(
            "agent_id", "accident_year AS calendar_year",
            "if(reported_on <= valuation_date, 1, 0) AS claims", "incurred",
        ),
    ]  # fmt: skip
    stacked = reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), frames)
    return stacked.groupBy(*_KEY).agg(
        *(F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in _COUNTS),
        *(F.coalesce(F.sum(name), F.lit(0)).cast("decimal(18,2)").alias(name) for name in _MONEY),
    )
