"""Reserve movements: the example of the insurance model, section b5, and the balance identities."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from dlt_pipelines.transforms.reserving.reserve_movement import reserve_movements
from tests.dlt_pipelines.conftest import Silver
from tests.dlt_pipelines.local_frame import local_frame

POSITION = "claim_id BIGINT, segment STRING, status STRING, valuation_date DATE"
Valued = Callable[..., DataFrame]


def positions(spark: SparkSession, *claims: tuple[int, str], days: list[str]) -> DataFrame:
    """Every claim, open at every day."""
    rows = [(key, segment, "OPEN", date.fromisoformat(day)) for key, segment in claims
            for day in days]  # fmt: skip
    return local_frame(spark, rows, POSITION)


def booking(claim: int, day: str, kind: str, amount: str, **more: Any) -> dict[str, Any]:
    return {"claim_id": claim, "accounting_date": day, "txn_type": kind, "amount": amount,
            "component": "INDEMNITY", **more}  # fmt: skip


def by_year(frame: DataFrame, segment: str = "ALL") -> dict[int, Row]:
    return {row.calendar_year: row for row in frame.where(f"segment = '{segment}'").collect()}


@pytest.fixture
def example(spark: SparkSession, silver: Silver, valued_at: Valued) -> dict[int, Row]:
    """Opening 80; changes of +30 and -12; paid 25."""
    ledger = silver(
        "claim_transaction",
        booking(1, "2023-05-01", "RESERVE", "80"),
        booking(2, "2024-02-01", "RESERVE", "30"),
        booking(1, "2024-03-01", "RESERVE", "-12"),
        booking(1, "2024-06-01", "PAYMENT", "25"),
        booking(2, "2025-01-01", "RESERVE", "1000"),  # after the valuation
    )
    claim_positions = positions(
        spark, (1, "MOTOR"), (2, "MOTOR"), days=["2023-12-31", "2024-12-31"]
    )
    return by_year(reserve_movements(ledger, claim_positions, valued_at("2024-12-31")))


def test_opening_and_changes_lead_to_the_closing_of_the_example(example: dict[int, Row]) -> None:
    year = example[2024]
    assert (year.opening_case_reserve, year.reserve_change, year.closing_case_reserve) == (
        80, 18, 98,
    )  # fmt: skip
    assert (year.set_up, year.strengthening, year.release) == (30, 0, 12)


def test_incurred_of_the_year_is_paid_and_the_reserve_change(example: dict[int, Row]) -> None:
    assert (example[2024].paid, example[2024].calendar_year_incurred) == (25, 43)
    assert example[2024].open_claims == 2


def test_a_reserve_taken_off_next_to_a_payment_is_eroded_and_not_released(
    spark: SparkSession, silver: Silver, valued_at: Valued
) -> None:
    ledger = silver(
        "claim_transaction",
        booking(1, "2023-05-01", "RESERVE", "100"),
        booking(1, "2024-03-01", "PAYMENT", "60"),
        booking(1, "2024-03-01", "RESERVE", "-75"),  # 15 more than was paid
        booking(1, "2024-04-01", "PAYMENT", "10", component="EXPENSE"),
        booking(1, "2024-04-01", "RESERVE", "-10"),  # of another component: a release
        booking(1, "2024-05-01", "PAYMENT", "-60"),  # the payment is taken back
        booking(1, "2024-05-01", "RESERVE", "60"),
    )
    claim_positions = positions(spark, (1, "MOTOR"), days=["2023-12-31", "2024-12-31"])
    year = by_year(reserve_movements(ledger, claim_positions, valued_at("2024-12-31")))[2024]
    assert (year.eroded_by_payment, year.release, year.strengthening) == (0, 25, 0)
    assert (year.closing_case_reserve, year.paid) == (75, 10)


def test_a_year_without_bookings_carries_the_balance(
    spark: SparkSession, silver: Silver, valued_at: Valued
) -> None:
    ledger = silver("claim_transaction", booking(1, "2022-05-01", "RESERVE", "70"))
    days = ["2022-12-31", "2023-12-31", "2024-06-30"]
    claim_positions = positions(spark, (1, "HOME"), days=days)
    years = by_year(reserve_movements(ledger, claim_positions, valued_at("2024-06-30")), "HOME")
    assert [years[y].closing_case_reserve for y in (2022, 2023, 2024)] == [70, 70, 70]
    assert (years[2023].opening_case_reserve, years[2023].reserve_change) == (70, 0)


def test_money_of_a_claim_that_is_not_there_is_under_unknown(
    spark: SparkSession, silver: Silver, valued_at: Valued
) -> None:
    ledger = silver("claim_transaction", booking(9, "2024-05-01", "RESERVE", "5"))
    claim_positions = positions(spark, (1, "HOME"), days=["2024-12-31"])
    frame = reserve_movements(ledger, claim_positions, valued_at("2024-12-31"))
    assert by_year(frame, "UNKNOWN")[2024].closing_case_reserve == 5
    assert by_year(frame)[2024].closing_case_reserve == 5


def test_without_claims_there_are_no_rows(
    spark: SparkSession, silver: Silver, valued_at: Valued
) -> None:
    nothing = local_frame(spark, [], POSITION)
    frame = reserve_movements(silver("claim_transaction"), nothing, valued_at("2024-12-31"))
    assert frame.count() == 0


@pytest.mark.parametrize("seed", [3, 14, 159])
def test_movements_balance_and_add_up_to_the_ledger_on_any_data(
    spark: SparkSession, silver: Silver, valued_at: Valued, seed: int
) -> None:
    dice = random.Random(seed)
    kinds = ("RESERVE", "RESERVE", "PAYMENT", "RECOVERY")
    rows = [
        booking(
            dice.randrange(1, 9), str(date(2021, 1, 1) + timedelta(dice.randrange(1400))),
            dice.choice(kinds), f"{dice.randrange(-9000, 20000) / 100:.2f}",
        )
        for _ in range(200)
    ]  # fmt: skip
    segments = [(claim, ("MOTOR", "HOME")[claim % 2]) for claim in range(1, 9)]
    days = ["2021-12-31", "2022-12-31", "2023-12-31", "2024-12-31"]
    ledger = silver("claim_transaction", *rows)
    frame = reserve_movements(
        ledger, positions(spark, *segments, days=days), valued_at("2024-12-31")
    )
    total = {
        kind: sum(Decimal(row["amount"]) for row in rows if row["txn_type"] == kind)
        for kind in kinds
    }
    for segment in ("MOTOR", "HOME", "ALL"):
        years = sorted(by_year(frame, segment).items())
        previous = Decimal(0)
        for year, row in years:
            assert row.opening_case_reserve == previous, f"seed {seed}, {segment} {year}"
            assert row.closing_case_reserve == row.opening_case_reserve + row.set_up + (
                row.strengthening - row.release - row.eroded_by_payment
            ), f"seed {seed}, {segment} {year}"
            previous = row.closing_case_reserve
    everything = by_year(frame).values()
    assert sum(row.reserve_change for row in everything) == total["RESERVE"]
    assert sum(row.calendar_year_incurred for row in everything) == (
        total["PAYMENT"] - total["RECOVERY"] + total["RESERVE"]
    )
