"""One row for a model: exposure, claims and premium of a coverage segment in a year."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from dlt_pipelines.transforms.premium import shares_of_years
from dlt_pipelines.transforms.versions import current

_KEY = ("coverage_id", "calendar_year", "policy_id")
_COUNTS = ("claim_count", "paid_claim_count")
_MONEY = ("incurred", "incurred_capped", "earned_premium", "written_premium",
          "incurred_paid_claims")  # fmt: skip


def placed_claims(positions: DataFrame, claims: DataFrame, segments: DataFrame) -> DataFrame:
    """Claims with the coverage segment that they hit, as their `coverage_id`.

    It is the segment of the policy on risk on the day of the loss that the claim names, else one
    with the claim's coverage code. A loss outside every segment keeps the coverage that the claim
    names, if any.

    Args:
        positions: claims as at one valuation.
        claims: versions of silver_claim.
        segments: from `segments_on_risk`.
    """
    named = current(claims).selectExpr("claim_id", "coverage_id AS _named")
    dated = positions.where("accident_year IS NOT NULL").join(named, "claim_id", "left")
    on_risk = segments.selectExpr(
        "policy_id", "coverage_id AS _segment", "coverage_code AS _code", "risk_from", "risk_to"
    )
    is_other = F.expr("NOT coalesce(_segment = _named, false)")
    hits = (
        dated.join(on_risk, "policy_id")
        .where("risk_from <= loss_date AND loss_date < risk_to")
        .where("_segment = _named OR _code = coverage_code")
        .groupBy("claim_id")
        .agg(F.min_by("_segment", F.struct(is_other, "_segment")).alias("_hit"))
    )
    return (
        dated.join(hits, "claim_id", "left")
        .withColumn("coverage_id", F.coalesce("_hit", "_named"))
        .drop("_hit", "_named")
    )


def model_rows(exposures: DataFrame, claims: DataFrame, booked: DataFrame) -> DataFrame:
    """One row per coverage segment and calendar year; a segment's attributes are constant.

    Written premium counts in the year in which its earning starts, so that it meets its exposure.
    `segment_no` is 1. Claims and premium that meet no exposure keep a row with segment_no 0 and
    exposure 0, so that sums are those of gold_exposure_segment, gold_claim_kpi and the ledger;
    `coverage_id` may be null there. A model reads the rows with exposure. Source: insurance model
    (b) 8.

    Args:
        exposures: rows of gold_exposure_segment.
        claims: from `placed_claims`.
        booked: from `premium_by_type`.
    """
    frames = _parts(exposures, claims, booked)
    stacked = reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), frames)
    without_cover = F.when(F.col("coverage_id").isNull(), F.col("policy_id"))
    return (
        stacked.groupBy("coverage_id", "calendar_year", without_cover.alias("_policy"))
        .agg(
            F.max("policy_id").alias("policy_id"),
            F.coalesce(F.sum("exposure"), F.lit(0.0)).alias("exposure"),
            *(F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in _COUNTS),
            *(
                F.coalesce(F.sum(name), F.lit(0)).cast("decimal(18,2)").alias(name)
                for name in _MONEY
            ),
        )
        .where(" OR ".join(f"{name} <> 0" for name in ("exposure", *_COUNTS, *_MONEY)))
        .drop("_policy")
    )


def _parts(exposures: DataFrame, claims: DataFrame, booked: DataFrame) -> list[DataFrame]:
    """Rows of exposure, claims, earned and written premium, each with a coverage and a year."""
    return [
        exposures.select(*_KEY, "exposure"),
        claims.select(
            "coverage_id", F.col("accident_year").alias("calendar_year"), "policy_id",
            *_claim_figures(),
        ),
        shares_of_years(booked).selectExpr(
            "coverage_id", "accident_year AS calendar_year", "policy_id", "earned_premium"
        ),
        booked.selectExpr(
            "coverage_id", "year(earn_from) AS calendar_year", "policy_id",
            "amount AS written_premium",
        ),
    ]  # fmt: skip


def _claim_figures() -> list[Column]:
    figures = {
        "claim_count": "if(reported_on <= valuation_date, 1, 0)",
        "paid_claim_count": "if(paid > 0, 1, 0)",
        "incurred": "incurred",
        "incurred_capped": "incurred_capped",
        "incurred_paid_claims": "if(paid > 0, incurred, 0)",
    }
    return [F.expr(figure).alias(name) for name, figure in figures.items()]


def with_development(rows: DataFrame, latest: DataFrame) -> DataFrame:
    """Adds segment_no, ln_exposure, valuation_date and dev_months.

    dev_months is the age of the year at the valuation, in whole months from its first day.
    """
    months = "CAST(floor(months_between(date_add(valuation_date, 1), make_date(calendar_year, 1, 1)"
    return rows.crossJoin(F.broadcast(latest.select("valuation_date"))).selectExpr(
        "*",
        "if(exposure > 0, 1, 0) AS segment_no",
        "if(exposure > 0, ln(exposure), NULL) AS ln_exposure",
        f"{months})) AS INT) AS dev_months",
    )
