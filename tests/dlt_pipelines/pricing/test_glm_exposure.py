"""Rows for a model: claims meet the exposure they belong to, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from dlt_pipelines.settings import BAND_EDGES
from dlt_pipelines.transforms.bands import band_rows
from dlt_pipelines.transforms.premium import premium_by_type
from dlt_pipelines.transforms.pricing.factors import rating_factors
from dlt_pipelines.transforms.pricing.glm_exposure import (
    model_rows,
    placed_claims,
    with_development,
)
from dlt_pipelines.transforms.risk import exposure, segments_on_risk
from tests.dlt_pipelines.local_frame import local_frame

POSITION = (
    "claim_id BIGINT, policy_id BIGINT, coverage_code STRING, loss_date DATE, accident_year INT,"
    " reported_on DATE, valuation_date DATE, paid DECIMAL(18,2), incurred DECIMAL(18,2),"
    " incurred_capped DECIMAL(18,2)"
)
TERM = {
    "policy_id": 1, "policy_number": "P1", "policy_type": "MOTOR", "status": "IN_FORCE",
    "start_date": "2023-07-01", "end_date": "2024-07-01", "term_no": 3, "payment_plan": "ANNUAL",
    "agent_id": 9,
}  # fmt: skip


def cover(number: int, start: str, end: str, code: str = "TPL", **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"coverage_id": number, "policy_id": 1, "coverage_code": code}
    row |= {"unit_count": 1, "annual_premium": "100", "risk_object_id": 7}
    return row | {"effective_from": start, "effective_to": end, "deductible_amount": "300"} | more


@pytest.fixture
def build(spark: SparkSession, silver: Any, valued_at: Callable[..., DataFrame]) -> Any:
    """Rows by coverage and year from covers, claims (id, policy, coverage, code, loss), premium."""

    def frame(
        covers: list[dict[str, Any]],
        claims: list[tuple[int, int | None, int | None, str | None, str]] = (),  # type: ignore[assignment]
        premium: list[dict[str, Any]] = (),  # type: ignore[assignment]
        objects: list[dict[str, Any]] = (),  # type: ignore[assignment]
    ) -> dict[tuple[int | None, int], Row]:
        latest, policies = valued_at("2024-12-31"), silver("policy", TERM)
        coverages = silver("coverage", *covers)
        segments = segments_on_risk(coverages, policies)
        positions = local_frame(spark, [], POSITION)
        if claims:
            values = ", ".join(
                f"({claim}, {policy or 'NULL'}, {(code and repr(code)) or 'NULL'}, DATE'{loss}',"
                f" year(DATE'{loss}'), DATE'2024-06-01', DATE'2024-12-31', 10.00BD, 25.00BD,"
                " 20.00BD)"
                for claim, policy, _, code, loss in claims
            )
            names = ", ".join(positions.columns)
            positions = spark.sql(f"SELECT * FROM VALUES {values} AS t({names})")
        named = [{"claim_id": c, "coverage_id": cover_id} for c, _, cover_id, _, _ in claims]
        booked = premium_by_type(silver("premium_transaction", *premium), policies, latest)
        placed = placed_claims(positions, silver("claim", *named), segments)
        rows = model_rows(exposure(segments, latest), placed, booked)
        bands = local_frame(
            spark, band_rows(BAND_EDGES), "band STRING, lower INT, upper INT, label STRING"
        )
        described = rating_factors(
            with_development(rows, latest), coverages, silver("risk_object", *objects), policies,
            silver("agent", {"agent_id": 9, "channel": "TIED"}), bands,
        )  # fmt: skip
        return {(row.coverage_id, row.calendar_year): row for row in described.collect()}

    return frame


def test_a_claim_meets_the_segment_that_was_on_risk(build: Any) -> None:
    rows = build(
        [
            cover(1, "2023-07-01", "2024-01-01"),
            cover(2, "2024-01-01", "2024-07-01"),
            cover(3, "2024-01-01", "2024-07-01"),  # a second car
        ],
        [
            (1, 1, 1, "TPL", "2024-02-29"),  # names the closed segment
            (2, 1, 3, "TPL", "2024-03-01"),
            (3, 1, 1, "TPL", "2023-12-31"),
            (4, 1, 1, "TPL", "2024-12-24"),  # after all cover: keeps the coverage it names
            (5, 77, None, None, "2023-08-08"),  # no such policy
        ],
    )
    counts = {key: (row.claim_count, row.segment_no) for key, row in rows.items()}
    assert counts == {
        (1, 2023): (1, 1), (2, 2024): (1, 1), (3, 2024): (1, 1), (1, 2024): (1, 0),
        (None, 2023): (1, 0),
    }  # fmt: skip
    assert sum(row.incurred for row in rows.values()) == 125
    assert (rows[None, 2023].policy_type, rows[None, 2023].policy_id) == ("UNKNOWN", 77)
    assert rows[1, 2024].ln_exposure is None
    assert (rows[2, 2024].paid_claim_count, str(rows[2, 2024].incurred_capped)) == (1, "20.00")
    assert (rows[1, 2023].dev_months, rows[2, 2024].dev_months) == (24, 12)


def test_premium_meets_its_exposure_and_adds_up_to_the_ledger(build: Any) -> None:
    row = {"policy_id": 1, "earn_from": "2023-07-01", "earn_to": "2024-07-01"}
    rows = build(
        [cover(1, "2023-07-01", "2024-07-01")],
        premium=[
            row | {"premium_txn_id": 1, "coverage_id": 1, "amount": "1200.00",
                   "booked_on": "2023-06-20"},
            row | {"premium_txn_id": 2, "coverage_id": None, "amount": "36.60",
                   "booked_on": "2023-06-20"},
            row | {"premium_txn_id": 3, "coverage_id": 1, "amount": "500",
                   "booked_on": "2025-01-01"},  # after the valuation
        ],
    )  # fmt: skip
    assert str(rows[1, 2023].earned_premium) == "603.28"  # 1,200 * 184 / 366
    assert str(rows[1, 2023].written_premium) == "1200.00"
    assert rows[1, 2023].exposure == pytest.approx(184 / 365)
    assert (rows[None, 2023].segment_no, rows[None, 2023].policy_type) == (0, "MOTOR")
    assert sum(row.written_premium for row in rows.values()) == Decimal("1236.60")
    assert sum(row.earned_premium for row in rows.values()) == Decimal("1236.60")


def test_factors_are_those_known_when_the_segment_started(build: Any) -> None:
    car = {
        "risk_object_id": 7, "policy_id": 1, "make": "CORSO", "model_year": 2021, "ncd_level": 50,
        "density_per_km2": 499, "driver_birth_date": "1992-07-02", "area_code": "C",
    }  # fmt: skip
    first_known = car | {"start": "2023-06-01", "end": "2023-10-01"}
    later = car | {"ncd_level": 100, "make": "EVO", "start": "2023-10-01"}
    rows = build(
        [cover(1, "2023-07-01", "2024-01-01"), cover(2, "2024-01-01", "2024-07-01")],
        objects=[first_known, later],
    )
    first, second = rows[1, 2023], rows[2, 2024]
    assert (first.make, first.ncd_band, second.make, second.ncd_band) == (
        "CORSO", "50-50", "EVO", "100-124",
    )  # fmt: skip
    # ages at the start of the term: 30 on the day before the birthday, also in the later segment
    assert first.driver_age_band == second.driver_age_band == "26-30"
    assert (first.vehicle_age_band, first.tenure_band, first.density_band) == (
        "2-4", "3-5", "200-499",
    )  # fmt: skip
    assert (first.deductible, first.payment_plan, first.channel) == ("300", "ANNUAL", "TIED")
    assert (first.usage_code, first.coverage, first.policy_number) == ("UNKNOWN", "TPL", "P1")


def test_without_anything_there_are_no_rows(build: Any) -> None:
    assert build([]) == {}
