"""How many life and unit-linked contracts are surrendered in each year of their life."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F


def surrender_years(stays: DataFrame, latest: DataFrame, life_types: Sequence[str]) -> DataFrame:
    """One row per policy type and policy year: surrenders against policy years on risk.

    `surrender_rate_central` = surrenders / policy years exposed, null without exposure.
    `survival_end` is the product over the policy months so far of (1 - surrenders / policies at
    risk at the start of the month): the share of contracts that surrender has left at the end of
    the year. Every other exit, and the valuation, only ends the exposure. A policy year starts on
    the anniversary of the first day on risk, on 28 February for one that began on the 29th.
    Source: insurance model (b) 2.

    Args:
        stays: from `stays`.
        latest: one row, the latest `valuation_date`.
        life_types: the policy types that count, such as LIFE.
    """
    sums = [F.sum(name).alias(name) for name in ("at_risk", "surrenders", "exposure")]
    life = stays.where(F.col("policy_type").isin(*life_types))
    by_month = _policy_months(life, latest).groupBy("policy_type", "month_no").agg(*sums)
    first_month = F.when(F.expr("month_no % 12 = 0"), F.col("at_risk")).otherwise(0)
    return (
        by_month.withColumn("survival", _survival())
        .withColumn("policy_year", F.expr("CAST(month_no DIV 12 + 1 AS INT)"))
        .groupBy("policy_type", "policy_year")
        .agg(
            F.sum(first_month).alias("policies_entering"),
            F.sum("exposure").alias("exposure_policy_years"),
            F.sum("surrenders").alias("surrenders"),
            F.max_by("survival", "month_no").alias("survival_end"),
        )
        .selectExpr(
            "policy_type", "policy_year", "policies_entering", "exposure_policy_years",
            "surrenders",
            "surrenders / nullif(exposure_policy_years, 0) AS surrender_rate_central",
            "survival_end",
        )
    )  # fmt: skip


def _policy_months(stays: DataFrame, latest: DataFrame) -> DataFrame:
    """Each contract in each month of its life, counted from its first day, up to the valuation."""
    dated = (
        stays.crossJoin(F.broadcast(latest.select("valuation_date")))
        .where("stay_from <= valuation_date")
        .withColumn("last_day", F.expr("least(date_sub(stay_to, 1), valuation_date)"))
    )
    months = F.expr(
        "sequence(0, 12 * (year(last_day) - year(first_from))"
        " + month(last_day) - month(first_from))"
    )
    placed = dated.withColumn("month_no", F.explode(months)).withColumns(
        {
            "start": F.expr("add_months(first_from, month_no)"),
            "end": F.expr("add_months(first_from, month_no + 1)"),
            "year_start": F.expr("add_months(first_from, month_no - month_no % 12)"),
            "year_end": F.expr("add_months(first_from, month_no - month_no % 12 + 12)"),
        }
    )
    return placed.where("start <= last_day AND end > stay_from").selectExpr(
        "policy_type", "month_no",
        "if(stay_from <= start, 1, 0) AS at_risk",
        "if(exit = 'surrendered' AND stay_to <= valuation_date AND last_day < end, 1, 0)"
        " AS surrenders",
        "datediff(least(end, date_add(last_day, 1)), greatest(start, stay_from))"
        " / CAST(datediff(year_end, year_start) AS DOUBLE) AS exposure",
    )  # fmt: skip


def _survival() -> Column:
    so_far = Window.partitionBy("policy_type").orderBy("month_no")
    stay = F.expr("greatest(1 - coalesce(surrenders / nullif(at_risk, 0), 0), 0)")
    product = F.exp(F.sum(F.ln(F.nullif(stay, F.lit(0)))).over(so_far))
    return F.when(F.min(stay).over(so_far) > 0, product).otherwise(F.lit(0.0))
