"""What a customer is worth: recency, frequency, money, and the value of the years to come."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from dlt_pipelines.assumptions import ValueAssumptions

# Tiers of lifetime value by the cumulative percent of customers, best first; the rest is BRONZE.
Tiers = Sequence[tuple[str, int]]
_KEY = ("party_id", "valuation_date")


def customer_segments(
    customers: DataFrame, lines: DataFrame, cohorts: DataFrame, assumptions: ValueAssumptions,
    tiers: Tiers,
) -> DataFrame:  # fmt: skip
    """One row per party and valuation date: quintiles 1 to 5, lifetime value and its tier.

    Recency is days since the last bound term or payment, frequency the policies in force and the
    terms started in 36 months, monetary the annual premium in force. Ties go by party_id, so that
    a run gives what the run before gave. Source: insurance model (b) 7.

    Args:
        customers: rows of gold_customer_360.
        lines: from `customer_lines`.
        cohorts: gold_retention_cohort.
        assumptions: loss, commission and expense ratios, discount and years.
        tiers: of lifetime value.
    """
    values = lifetime_values(lines, cohorts, assumptions)
    measured = customers.join(values, list(_KEY), "left").withColumns(
        {
            "recency_days": F.datediff("valuation_date", "last_bound_or_paid_on"),
            "frequency": F.col("policies_in_force") + F.col("terms_36m"),
            "monetary": F.col("in_force_premium"),
            "clv": F.expr("CAST(coalesce(clv, 0) AS DECIMAL(18,2))"),
            "margin": F.coalesce("margin", F.lit(0)),
        }
    )
    quintiles = {
        "r": 6 - _quintile("recency_days"),
        "f": _quintile("frequency"),
        "m": _quintile("monetary"),
    }
    return measured.withColumns({**quintiles, **_ranks()}).select(
        *_KEY, "recency_days", "frequency", "monetary", "r", "f", "m",
        F.concat("r", "f", "m").alias("rfm"),
        "clv",
        _tier(tiers).alias("clv_tier"),
    )  # fmt: skip


def _quintile(name: str) -> Column:
    return F.ntile(5).over(Window.partitionBy("valuation_date").orderBy(name, "party_id"))


def _ranks() -> dict[str, Column]:
    """`better`: how many customers have a higher lifetime value; `customers`: how many there are.

    Columns of their own, because Spark computes a window once for each tier that names it.
    """
    of_date = Window.partitionBy("valuation_date")
    rank = F.row_number().over(of_date.orderBy(F.desc("clv"), "party_id"))
    return {"better": rank - 1, "customers": F.count("*").over(of_date)}


def _tier(tiers: Tiers) -> Column:
    """By rank: the top p percent of n customers are ceil(n * p / 100) of them."""
    tier = F.lit("BRONZE")
    for name, percent in reversed(tiers):
        is_above = F.col("better") * 100 < F.col("customers") * percent
        tier = F.when(is_above, F.lit(name)).otherwise(tier)
    return F.when(F.col("margin") > 0, tier).otherwise(F.lit("BRONZE"))


def lifetime_values(
    lines: DataFrame, cohorts: DataFrame, assumptions: ValueAssumptions
) -> DataFrame:
    """`margin` and `clv` by party and valuation date, summed over the policy types in force.

    margin = annual premium * (1 - expected loss ratio - commission - expenses) of a year; clv =
    margin * sum over the years t from 0 of (r / (1 + d))^t, with r the renewal ratio of the policy
    type in the mature months of the year before the valuation.

    [choice] A policy type without an expiry yet counts the running year alone.
    """
    loss_ratio = assumptions.expected_loss_ratio.of(F.col("policy_type"))
    charges = F.lit(assumptions.commission_ratio + assumptions.expense_ratio)
    margin = F.col("in_force_premium") * (1 - loss_ratio - charges)
    ratios = renewal_ratios(lines.select("valuation_date").distinct(), cohorts)
    discount = 1 + F.lit(float(assumptions.discount_rate))
    yearly = F.coalesce(F.col("renewal_ratio"), F.lit(0.0)) / discount
    return (
        lines.join(F.broadcast(ratios), ["valuation_date", "policy_type"], "left")
        .withColumns({"margin": margin.cast("double"), "q": yearly})
        .withColumn("clv", F.col("margin") * _annuity(assumptions.years))
        .groupBy(*_KEY)
        .agg(F.sum("margin").alias("margin"), F.sum("clv").alias("clv"))
    )


def _annuity(years: Decimal) -> Column:
    """1 + q + q^2 + … over the years."""
    return F.expr(f"if(q = 1, {years}, (1 - power(q, {years})) / nullif(1 - q, 0))")


def renewal_ratios(valuations: DataFrame, cohorts: DataFrame) -> DataFrame:
    """`renewal_ratio` by valuation date and policy type, of the twelve months of expiry before."""
    ratio = F.expr("sum(renewed) / CAST(nullif(sum(expiring), 0) AS DOUBLE)")
    months = cohorts.where("factor = 'policy_type' AND mature")
    this_month = "trunc(valuation_date, 'MM')"
    return (
        months.crossJoin(F.broadcast(valuations))
        .where(f"expiry_month < {this_month} AND expiry_month >= add_months({this_month}, -12)")
        .groupBy("valuation_date", F.col("level").alias("policy_type"))
        .agg(ratio.alias("renewal_ratio"))
    )
