"""Cover on risk: which segment runs from when to when, and how much of it is earned exposure.

Never from a status alone: a segment is on risk between its dates, cut where its term was
cancelled. Offers that were not bound are the one thing a status decides, for an offer has the same
dates as a contract.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from dlt_pipelines.transforms.versions import UNKNOWN, current

NEVER_BOUND = ("QUOTED", "DECLINED", "NOT_TAKEN")


def segments_on_risk(coverages: DataFrame, policies: DataFrame) -> DataFrame:
    """One row per coverage segment that was ever on risk, from the current versions.

    Columns: coverage_id, policy_id, policy_number, policy_type (UNKNOWN without a policy),
    coverage_code, risk_from, risk_to (exclusive), unit_count, annual_premium, term_days; of the
    object risk_object_id and deductible_amount; of the term term_no, start_date, end_date,
    cancel_reason.
    """
    terms = current(policies).select(
        "policy_id", "policy_number", "policy_type", "status", "cancelled_on", "start_date",
        "end_date", "term_no", "cancel_reason",
    )  # fmt: skip
    joined = current(coverages).join(terms, "policy_id", "left")
    return (
        joined.where(~F.coalesce(F.col("status").isin(*NEVER_BOUND), F.lit(False)))
        .select(
            "coverage_id",
            "policy_id",
            "policy_number",
            F.coalesce("policy_type", F.lit(UNKNOWN)).alias("policy_type"),
            "coverage_code",
            F.col("effective_from").alias("risk_from"),
            F.least("effective_to", "cancelled_on").alias("risk_to"),
            "unit_count",
            "annual_premium",
            F.datediff("end_date", "start_date").alias("term_days"),
            "risk_object_id",
            "deductible_amount",
            "term_no",
            "start_date",
            "end_date",
            "cancel_reason",
        )
        .where("risk_from < risk_to")
    )


def exposure(segments: DataFrame, latest: DataFrame) -> DataFrame:
    """Earned exposure up to the latest valuation: one row per segment and calendar year.

    Adds to the segment's identity `calendar_year`, `earned_days`, `exposure` (calendar basis:
    days / days of that year * units, so a full year is 1 per unit, leap or not) and
    `exposure_term_basis` (days / days of the term * units; null without a policy).
    """
    years = F.expr("sequence(year(risk_from), year(least(date_sub(risk_to, 1), valuation_date)))")
    return (
        segments.crossJoin(F.broadcast(latest.select("valuation_date")))
        .where("risk_from <= valuation_date")
        .withColumn("calendar_year", F.explode(years))
        .withColumn("earned_days", F.expr(_EARNED_DAYS))
        .select(
            "coverage_id",
            "calendar_year",
            "policy_id",
            "policy_type",
            "coverage_code",
            "earned_days",
            F.col("unit_count").cast("bigint").alias("unit_count"),
            F.expr(f"unit_count * earned_days / {_YEAR_DAYS}").alias("exposure"),
            F.expr("unit_count * earned_days / term_days").alias("exposure_term_basis"),
        )
    )


_YEAR_DAYS = "CAST(dayofyear(make_date(calendar_year, 12, 31)) AS DOUBLE)"
_EARNED_DAYS = """datediff(
    least(risk_to, make_date(calendar_year + 1, 1, 1), date_add(valuation_date, 1)),
    greatest(risk_from, make_date(calendar_year, 1, 1)))"""


def in_force_at_month_ends(segments: DataFrame, latest: DataFrame) -> DataFrame:
    """Policies, segments, vehicles and annual premium in force: one row per month end and type.

    Every month end from the type's first start to the valuation is there, also without cover.
    """
    dated = segments.crossJoin(F.broadcast(latest.select("valuation_date"))).where(
        "risk_from <= valuation_date"
    )
    in_force = dated.selectExpr(
        "policy_type", "policy_number", "unit_count", "annual_premium", "1 AS one", "risk_to",
        "valuation_date",
        f"explode({_months('risk_from', 'date_sub(risk_to, 1)')}) AS month",
    ).where("last_day(month) < risk_to AND last_day(month) <= valuation_date")  # fmt: skip
    spans = dated.groupBy("policy_type", "valuation_date").agg(F.min("risk_from").alias("first"))
    calendar = spans.selectExpr(
        "policy_type", "valuation_date", f"explode({_months('first', 'valuation_date')}) AS month"
    ).where("last_day(month) <= valuation_date")
    return (
        in_force.unionByName(calendar, allowMissingColumns=True)
        .groupBy(F.last_day("month").alias("month_end"), "policy_type")
        .agg(
            F.countDistinct("policy_number").alias("policies"),
            F.count("one").alias("coverages"),
            F.coalesce(F.sum("unit_count"), F.lit(0)).alias("vehicles"),
            F.coalesce(F.sum("annual_premium"), F.lit(0))
            .cast("decimal(18,2)")
            .alias("in_force_premium"),
        )
    )


def _months(first: str, last: str) -> str:
    """SQL: the first days of the months from a date to the earlier of another and the valuation."""
    return f"""sequence(trunc({first}, 'MM'), trunc(least({last}, valuation_date), 'MM'),
                        INTERVAL 1 MONTH)"""
