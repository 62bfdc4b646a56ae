"""Exposure and in-force: the worked examples of the insurance model, section b2."""

from __future__ import annotations

from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines.transforms.risk import exposure, in_force_at_month_ends, segments_on_risk
from tests.dlt_pipelines.local_frame import local_frame

# The policy of the premium example: a leap-year term, cancelled from 1 March 2024.
TERM = {
    "policy_id": 1, "policy_number": "P1", "policy_type": "MOTOR", "status": "CANCELLED",
    "start_date": "2023-07-01", "end_date": "2024-07-01", "cancelled_on": "2024-03-01",
}  # fmt: skip


def segment(coverage_id: int, start: str, end: str, **more: Any) -> dict[str, Any]:
    row = {"coverage_id": coverage_id, "policy_id": 1, "coverage_code": "TPL", "unit_count": 1}
    return row | {"effective_from": start, "effective_to": end, "annual_premium": "100"} | more


@pytest.fixture
def on_risk(silver: Any) -> Any:
    def frame(segments: list[dict[str, Any]], *terms: dict[str, Any]) -> DataFrame:
        return segments_on_risk(silver("coverage", *segments), silver("policy", *(terms or [TERM])))

    return frame


def test_a_cancelled_leap_term_is_exposed_as_in_the_example(
    spark: SparkSession, on_risk: Any, valued_at: Any
) -> None:
    segments = on_risk([segment(1, "2023-07-01", "2024-07-01")])
    actual = exposure(segments, valued_at("2024-12-31")).select(
        "calendar_year",
        "earned_days",
        F.round("exposure", 5).alias("exposure"),
        F.round("exposure_term_basis", 5).alias("exposure_term_basis"),
    )
    expected = local_frame(
        spark, [(2023, 184, 0.50411, 0.50273), (2024, 60, 0.16393, 0.16393)], actual.schema
    )
    assert_df_equality(actual, expected, ignore_row_order=True)


def test_a_full_calendar_year_is_one_per_unit_leap_or_not(on_risk: Any, valued_at: Any) -> None:
    segments = on_risk([segment(1, "2022-05-05", "2026-05-05", unit_count=3)], _open_term())
    rows = exposure(segments, valued_at("2025-03-31")).collect()
    years = {row.calendar_year: row.exposure for row in rows}
    assert years[2023] == years[2024] == 3.0
    assert years[2025] == pytest.approx(3 * 90 / 365)  # until the valuation, and no further
    assert set(years) == {2022, 2023, 2024, 2025}


def test_in_force_is_half_open_cut_at_the_cancellation_and_free_of_offers(
    on_risk: Any, valued_at: Any
) -> None:
    segments = on_risk(
        [
            segment(1, "2024-01-01", "2024-01-31"),  # ends on the 31st: off risk that day
            segment(2, "2024-01-31", "2024-07-01", unit_count=2, annual_premium="250.50"),
            segment(3, "2024-01-10", "2024-01-10"),  # cancelled flat
            segment(4, "2024-01-01", "2025-01-01", policy_id=2),  # an offer
            segment(5, "2024-01-15", "2025-01-01", policy_id=99),  # no such policy
        ],
        TERM,
        TERM | {"policy_id": 2, "policy_number": "P2", "status": "QUOTED", "cancelled_on": None},
    )
    rows = in_force_at_month_ends(segments, valued_at("2024-04-10")).collect()
    table = {(f"{row.month_end:%m-%d}", row.policy_type): row for row in rows}
    assert set(table) == {
        (day, kind) for day in ("01-31", "02-29", "03-31") for kind in ("MOTOR", "UNKNOWN")
    }
    january = table["01-31", "MOTOR"]
    assert (january.policies, january.coverages, january.vehicles) == (1, 1, 2)
    assert str(january.in_force_premium) == "250.50"
    march = table["03-31", "MOTOR"]  # cancelled on the 1st; the month end is still a row
    assert (march.policies, march.coverages, march.vehicles) == (0, 0, 0)
    assert str(march.in_force_premium) == "0.00"


def test_two_terms_of_one_number_are_one_policy(on_risk: Any, valued_at: Any) -> None:
    segments = on_risk(
        [
            segment(1, "2024-01-01", "2025-01-01"),
            segment(2, "2024-06-01", "2025-06-01", policy_id=2),
        ],
        _open_term(),
        _open_term() | {"policy_id": 2},
    )
    rows = in_force_at_month_ends(segments, valued_at("2024-06-30")).collect()
    june = next(row for row in rows if row.month_end.month == 6)
    assert (june.policies, june.coverages) == (1, 2)


def _open_term() -> dict[str, Any]:
    return TERM | {"status": "IN_FORCE", "cancelled_on": None}
