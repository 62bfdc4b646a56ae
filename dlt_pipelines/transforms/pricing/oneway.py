"""One factor at a time: what a level costs against the portfolio, and what can be expected."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from dlt_pipelines.assumptions import BySegment
from dlt_pipelines.transforms.pricing.factors import SUMS

_LEVEL = ("valuation_date", "factor", "level")


def oneway(levels: DataFrame, full_credibility: int) -> DataFrame:
    """One row per factor and level; `(all)` is a factor with the level `(all)`.

    A relativity is the value of the level / the value of the portfolio. Credibility is
    min(1, sqrt(claims / full_credibility)), and the credible relativity Z * relativity + (1 - Z),
    of the pure premium and of the frequency. Every ratio is a sum over a sum, null over zero.
    Source: insurance model (b) 8.

    Args:
        levels: from `level_sums`.
        full_credibility: claims that make a level fully credible, such as 1082.
    """
    summed = levels.groupBy(*_LEVEL).agg(*(F.sum(name).alias(name) for name in SUMS))
    ratios = {
        "frequency": _ratio("claim_count", "exposure"),
        "severity": _ratio("incurred", "claim_count"),
        "severity_paid_claims": _ratio("incurred_paid_claims", "paid_claim_count"),
        "pure_premium": _ratio("incurred", "exposure"),
        "pure_premium_capped": _ratio("incurred_capped", "exposure"),
        "credibility": F.least(
            F.lit(1.0), F.sqrt(F.greatest("claim_count", F.lit(0)) / full_credibility)
        ),
    }
    rated = summed.withColumns(ratios)
    relativities = {
        "freq_relativity": _relativity("frequency"),
        "pp_relativity": _relativity("pure_premium"),
        "pp_capped_relativity": _relativity("pure_premium_capped"),
    }
    return rated.withColumns(relativities).selectExpr(
        "factor", "level", "exposure", "claim_count", "paid_claim_count",
        "CAST(incurred AS DECIMAL(18,2)) AS incurred",
        "CAST(incurred_capped AS DECIMAL(18,2)) AS incurred_capped",
        "frequency", "severity", "severity_paid_claims", "pure_premium", "pure_premium_capped",
        "freq_relativity", "pp_relativity", "credibility",
        f"{_credible('pp_relativity')} AS credible_relativity",
        f"{_credible('freq_relativity')} AS credible_freq_relativity",
        "pp_capped_relativity",
    )  # fmt: skip


def _credible(relativity: str) -> str:
    return f"credibility * {relativity} + (1 - credibility)"


def _relativity(name: str) -> Column:
    of_all = F.max(F.when(F.col("factor") == "(all)", F.col(name))).over(
        Window.partitionBy("valuation_date")
    )
    return F.col(name) / F.nullif(of_all, F.lit(0.0))


def _ratio(top: str, bottom: str) -> Column:
    """Sum over sum as a double; null where the bottom is zero."""
    return F.expr(f"CAST({top} AS DOUBLE) / nullif(CAST({bottom} AS DOUBLE), 0)")


def actual_expected(levels: DataFrame, expected_loss_ratio: BySegment) -> DataFrame:
    """One row per factor and level: claims and amounts against what was expected.

    Expected claims = exposure * the claim frequency of the whole policy type and coverage: what
    would come if the factor made no difference. Expected amount = premium earned * the expected
    loss ratio of the policy type. `actual_to_expected` is of claims; its 95 % band is
    A/E * (1 -+ 1.96 / sqrt(claims)), and significant where 1 lies outside. Without claims there is
    no band. Source: insurance model (b) 8.

    Args:
        levels: from `level_sums`.
        expected_loss_ratio: expected losses / earned premium, by policy type.
    """
    summed = (
        _with_expected(levels, expected_loss_ratio)
        .groupBy(*_LEVEL)
        .agg(
            F.sum("exposure").alias("exposure"),
            F.sum("claim_count").alias("actual_claims"),
            F.coalesce(F.sum("expected_claims"), F.lit(0.0)).alias("expected_claims"),
            F.sum("incurred").cast("decimal(18,2)").alias("actual_incurred"),
            F.sum("expected_incurred").cast("decimal(18,2)").alias("expected_incurred"),
        )
    )
    half_width = "1.96D / nullif(sqrt(actual_claims), 0)"
    banded = summed.withColumn(
        "actual_to_expected", _ratio("actual_claims", "expected_claims")
    ).selectExpr(
        "*",
        f"actual_to_expected * (1 - {half_width}) AS band_low",
        f"actual_to_expected * (1 + {half_width}) AS band_high",
    )
    return banded.selectExpr(
        "factor", "level", "exposure", "actual_claims", "expected_claims", "actual_incurred",
        "expected_incurred", "actual_to_expected", "band_low", "band_high",
        "band_low > 1 OR band_high < 1 AS significant",
        "CAST(actual_incurred AS DOUBLE) / nullif(CAST(expected_incurred AS DOUBLE), 0)"
        " AS incurred_to_expected",
    )  # fmt: skip


def _with_expected(levels: DataFrame, expected_loss_ratio: BySegment) -> DataFrame:
    cover = Window.partitionBy("policy_type", "coverage", "factor")
    frequency = F.sum("claim_count").over(cover) / F.nullif(
        F.sum("exposure").over(cover), F.lit(0.0)
    )
    loss_ratio = expected_loss_ratio.of(F.col("policy_type"))
    return levels.withColumns(
        {
            "expected_claims": F.col("exposure") * frequency,
            "expected_incurred": F.col("earned_premium") * loss_ratio,
        }
    )
