"""Relativities, credibility and actual against expected: the insurance model, section b8."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines.assumptions import BySegment
from dlt_pipelines.transforms.pricing.factors import FACTORS, LEVELS, level_sums
from dlt_pipelines.transforms.pricing.oneway import actual_expected, oneway
from tests.dlt_pipelines.local_frame import local_frame

FIGURES = (
    "make STRING, exposure DOUBLE, claim_count BIGINT, paid_claim_count BIGINT,"
    " incurred DECIMAL(18,2), incurred_capped DECIMAL(18,2), incurred_paid_claims DECIMAL(18,2),"
    " earned_premium DECIMAL(18,2)"
)
RATIO = BySegment(Decimal("0.65"), {"HOME": Decimal("0.50")})


def model_rows(spark: SparkSession, *rows: tuple[str, float, int, int], **more: str) -> DataFrame:
    """Rows of (make, exposure, claims, incurred), half of it capped, premium as incurred."""
    figures = [
        (make, exposure, claims, claims, *(Decimal(amount),) * 4)
        for make, exposure, claims, amount in rows
    ]
    frame = local_frame(spark, figures, FIGURES)
    others = {name: F.lit(more.get(name, "X")) for name in FACTORS if name != "make"}
    others |= {"calendar_year": F.lit(2024), "policy_type": F.lit(more.get("policy_type", "MOTOR"))}
    return frame.withColumns(others | {"valuation_date": F.lit("2024-12-31")})


def rated(rows: DataFrame) -> DataFrame:
    return oneway(level_sums(rows), 1082)


def by_level(frame: DataFrame) -> dict[tuple[str, str], Row]:
    return {(row.factor, row.level): row for row in frame.collect()}


def test_credibility_draws_a_relativity_to_one_as_in_the_example(spark: SparkSession) -> None:
    # Level A: 450 claims and 1.40 times the pure premium (and frequency) of the portfolio.
    rows = by_level(
        rated(model_rows(spark, ("A", 3214.2857, 450, 450000), ("B", 6785.7143, 550, 550000)))
    )
    level = rows["make", "A"]
    assert level.pp_relativity == pytest.approx(1.40, abs=1e-6)
    assert f"{level.credibility:.3f}" == "0.645"
    assert f"{level.credible_relativity:.3f}" == "1.258"
    assert f"{level.credible_freq_relativity:.3f}" == "1.258"
    assert rows["(all)", "(all)"].pp_relativity == 1.0


def test_frequency_severity_and_pure_premium_as_in_the_example_of_claims(
    spark: SparkSession,
) -> None:
    row = by_level(rated(model_rows(spark, ("A", 2000.0, 160, 496000))))["(all)", "(all)"]
    assert (row.frequency, row.severity, row.pure_premium) == (0.08, 3100.0, 248.0)
    assert row.pure_premium == pytest.approx(row.frequency * row.severity)


def test_the_levels_of_every_factor_add_up_to_the_whole(spark: SparkSession) -> None:
    frame = model_rows(spark, ("A", 1.5, 2, 100), ("B", 2.0, 0, 0), ("UNKNOWN", 0.0, 1, 50))
    rows = by_level(rated(frame))
    assert {factor for factor, _ in rows} == set(LEVELS)
    whole = rows["(all)", "(all)"]
    for factor in LEVELS:
        parts = [row for (name, _), row in rows.items() if name == factor]
        for figure in ("exposure", "claim_count", "incurred", "incurred_capped"):
            assert sum(row[figure] for row in parts) == whole[figure], (factor, figure)


def test_a_level_without_exposure_or_claims_has_no_ratio(spark: SparkSession) -> None:
    frame = model_rows(spark, ("A", 1.5, 2, 100), ("B", 2.0, 0, 0), ("C", 0.0, 1, 50))
    rows = by_level(rated(frame))
    without_claims, without_exposure = rows["make", "B"], rows["make", "C"]
    assert (without_claims.frequency, without_claims.severity) == (0.0, None)
    assert (without_claims.credibility, without_claims.credible_relativity) == (0.0, 1.0)
    assert (without_exposure.frequency, without_exposure.pp_relativity) == (None, None)
    assert without_exposure.severity == 50.0


def test_a_book_without_claims_or_without_rows_is_no_division_error(spark: SparkSession) -> None:
    row = by_level(rated(model_rows(spark, ("A", 1.5, 0, 0))))["make", "A"]
    assert (row.frequency, row.freq_relativity, row.credible_relativity) == (0.0, None, None)
    nothing = model_rows(spark, ("A", 1.5, 0, 0)).where("false")
    assert rated(nothing).count() == 0
    assert actual_expected(level_sums(nothing), RATIO).count() == 0


def expected(*frames: DataFrame) -> dict[tuple[str, str], Row]:
    stacked = frames[0]
    for frame in frames[1:]:
        stacked = stacked.unionByName(frame)
    return by_level(actual_expected(level_sums(stacked), RATIO))


def test_the_band_of_actual_against_expected_as_in_the_example(spark: SparkSession) -> None:
    # Level A: 130 claims where the frequency of the cover, 0.09, expects 112.5.
    rows = expected(model_rows(spark, ("A", 1250.0, 130, 130), ("B", 750.0, 50, 50)))
    row = rows["make", "A"]
    assert (row.actual_claims, row.expected_claims) == (130, pytest.approx(112.5))
    assert f"{row.actual_to_expected:.3f}" == "1.156"
    assert (f"{row.band_low:.3f}", f"{row.band_high:.3f}") == ("0.957", "1.354")
    assert row.significant is False
    assert rows["(all)", "(all)"].actual_to_expected == pytest.approx(1)


def test_expected_amounts_are_premium_times_the_ratio_of_the_policy_type(
    spark: SparkSession,
) -> None:
    motor = model_rows(spark, ("A", 10.0, 4, 1000))
    home = model_rows(spark, ("A", 10.0, 1, 1000), policy_type="HOME")
    rows = expected(motor, home)
    assert str(rows["make", "A"].expected_incurred) == "1150.00"
    assert rows["policy_type", "HOME"].incurred_to_expected == 2.0
    assert rows["make", "A"].expected_claims == pytest.approx(5)  # each by its own cover


@pytest.mark.parametrize(("claims", "significant"), [(400, True), (0, None)])
def test_many_claims_are_significant_and_none_have_no_band(
    spark: SparkSession, claims: int, significant: Any
) -> None:
    rows = expected(model_rows(spark, ("A", 1000.0, claims, 1), ("B", 1000.0, 200, 1)))
    assert rows["make", "A"].significant is significant
    if not claims:
        assert (rows["make", "A"].actual_to_expected, rows["make", "A"].band_low) == (0.0, None)
