"""Lifetime value, quintiles and tiers: the worked examples of the insurance model, section b7."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.assumptions import BySegment, ValueAssumptions
from dlt_pipelines.transforms.customers.customer_segment import customer_segments, lifetime_values
from tests.dlt_pipelines.local_frame import local_frame

LINE = "party_id BIGINT, valuation_date STRING, policy_type STRING, in_force_premium DECIMAL(18,2)"
COHORT = (
    "expiry_month STRING, factor STRING, level STRING, expiring BIGINT, renewed BIGINT,"
    " mature BOOLEAN"
)
CUSTOMER = (
    "party_id BIGINT, valuation_date STRING, policies_in_force BIGINT, terms_36m BIGINT,"
    " in_force_premium DECIMAL(18,2), last_bound_or_paid_on STRING"
)


def assumptions(years: str = "5", motor: str = "0.65") -> ValueAssumptions:
    ratio = BySegment(Decimal("0.65"), {"MOTOR": Decimal(motor)})
    return ValueAssumptions(
        ratio, Decimal("0.12"), Decimal("0.10"), Decimal("0.05"), Decimal(years)
    )


def dated(frame: DataFrame, *names: str) -> DataFrame:
    return frame.withColumns({name: frame[name].cast("date") for name in names})


@pytest.fixture
def cohorts(spark: SparkSession) -> DataFrame:
    """85 of 100 motor terms renewed in the year before the valuation; other rows do not count."""
    rows = [
        ("2024-05-01", "policy_type", "MOTOR", 40, 36, True),
        ("2024-11-01", "policy_type", "MOTOR", 60, 49, True),
        ("2024-12-01", "policy_type", "MOTOR", 60, 0, False),
        ("2023-11-01", "policy_type", "MOTOR", 60, 0, True),
        ("2024-11-01", "channel", "MOTOR", 60, 0, True),
    ]
    return dated(local_frame(spark, rows, COHORT), "expiry_month")


def value(
    spark: SparkSession, cohorts: DataFrame, values: ValueAssumptions, *lines: tuple[str, str]
) -> tuple[float, float]:
    rows = [(1, "2024-12-31", kind, Decimal(premium)) for kind, premium in lines]
    frame = dated(local_frame(spark, rows, LINE), "valuation_date")
    row = lifetime_values(frame, cohorts, values).first()
    assert row is not None
    return row.margin, row.clv


def test_lifetime_value_as_in_the_example(spark: SparkSession, cohorts: DataFrame) -> None:
    margin, clv = value(spark, cohorts, assumptions(), ("MOTOR", "600"))
    assert (f"{margin:.2f}", f"{clv:.2f}") == ("78.00", "267.14")
    _, for_ever = value(spark, cohorts, assumptions("5000"), ("MOTOR", "600"))
    assert f"{for_ever:.2f}" == "409.50"


def test_lifetime_value_adds_up_over_types_with_their_own_ratios(
    spark: SparkSession, cohorts: DataFrame
) -> None:
    lines = (("MOTOR", "600"), ("HOME", "100"))
    margin, clv = value(spark, cohorts, assumptions(motor="0.90"), *lines)
    assert margin == pytest.approx(-72 + 13)
    # nothing of HOME has expired yet: its margin of one year
    assert clv == pytest.approx(-72 * 267.1354 / 78 + 13, abs=0.01)


@pytest.fixture
def segments(spark: SparkSession, cohorts: DataFrame) -> Any:
    def frame(customers: list[tuple[int, str, str]], **more: str) -> dict[int, Any]:
        """Customers as (party, annual motor premium, last bound or paid)."""
        day = "2024-12-31"
        rows = [(n, day, 1, 2, Decimal(premium), last) for n, premium, last in customers]
        lines = [(n, day, "MOTOR", Decimal(p)) for n, p, _ in customers if Decimal(p)]
        customer_frame = dated(
            local_frame(spark, rows, CUSTOMER), "valuation_date", "last_bound_or_paid_on"
        )
        line_frame = dated(local_frame(spark, lines, LINE), "valuation_date")
        scored = customer_segments(
            customer_frame, line_frame, cohorts, assumptions(**more), settings.clv_tiers(spark)
        )
        return {row.party_id: row for row in scored.collect()}

    return frame


def test_quintiles_are_fixed_by_party_and_recent_is_five(segments: Any) -> None:
    rows = segments([(n, str(100 * n), f"2024-12-{n:02}") for n in range(1, 11)])
    assert [rows[n].m for n in range(1, 11)] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert [rows[n].r for n in range(1, 11)] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert [rows[n].f for n in range(1, 11)] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]  # equal: by party
    assert (rows[10].rfm, rows[10].recency_days, rows[10].frequency) == ("555", 21, 3)


def test_tiers_are_the_top_10_30_and_70_percent(segments: Any) -> None:
    rows = segments([(n, str(1000 - n), "2024-12-01") for n in range(1, 11)])
    tiers = [rows[n].clv_tier for n in range(1, 11)]
    assert tiers == ["PLATINUM"] + 2 * ["GOLD"] + 4 * ["SILVER"] + 3 * ["BRONZE"]


def test_no_margin_is_bronze_whatever_the_rank(segments: Any) -> None:
    rows = segments([(1, "0", "2024-01-01"), (2, "0", "2024-01-01")])
    assert {(row.clv_tier, str(row.clv)) for row in rows.values()} == {("BRONZE", "0.00")}
    loss = segments([(1, "600", "2024-12-01")], motor="0.95")
    assert (loss[1].clv_tier, loss[1].clv < 0) == ("BRONZE", True)


def test_a_single_party_has_a_row(segments: Any) -> None:
    rows = segments([(1, "600", "2024-12-01")])
    assert (rows[1].rfm, rows[1].clv_tier, str(rows[1].clv)) == ("511", "PLATINUM", "267.14")
