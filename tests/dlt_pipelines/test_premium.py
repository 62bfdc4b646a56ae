"""Written, earned and unearned premium: the worked examples of the insurance model, section b1."""

from __future__ import annotations

import calendar
import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from dlt_pipelines.transforms.premium import (
    booked_premium,
    earned_by_year,
    premium_by_month,
    premium_by_type,
)

POLICY = {"policy_id": 1, "agent_id": 7, "policy_type": "MOTOR", "policy_number": "P1"}
AGENT = {"agent_id": 7, "channel": "BROKER"}


def booking(
    amount: str, earn_from: str, earn_to: str, booked_on: str, **more: Any
) -> dict[str, Any]:
    row = {"policy_id": 1, "coverage_code": "TPL", "tax_amount": 0, "commission_amount": 0}
    row |= {"amount": amount, "earn_from": earn_from, "earn_to": earn_to, "booked_on": booked_on}
    return row | more


# 1,200.00 for 2023-07-01..2024-07-01; +240 a year from October; cancelled from March.
EXAMPLE = [
    booking("1200.00", "2023-07-01", "2024-07-01", "2023-07-01"),
    booking("179.67", "2023-10-01", "2024-07-01", "2023-10-01"),
    booking("-480.00", "2024-03-01", "2024-07-01", "2024-03-05"),
]


@pytest.fixture
def booked(silver: Any, valued_at: Any) -> Any:
    def frame(rows: list[dict[str, Any]], valuation: str = "2024-12-31") -> DataFrame:
        return booked_premium(
            silver("premium_transaction", *rows),
            silver("policy", POLICY),
            silver("agent", AGENT),
            valued_at(valuation),
        )

    return frame


def by_month(frame: DataFrame, *columns: str) -> dict[str, tuple[Any, ...]]:
    rows = frame.select("month", *columns).collect()
    return {f"{row.month:%Y-%m}": tuple(str(row[column]) for column in columns) for row in rows}


def test_an_endorsed_and_cancelled_policy_earns_as_in_the_example(booked: Any) -> None:
    months = by_month(
        premium_by_month(booked(EXAMPLE)), "written_premium", "earned_premium",
        "unearned_premium_end",
    )  # fmt: skip
    assert months["2023-07"][0] == "1200.00"
    assert months["2023-12"][2] == "716.06"
    assert months["2024-01"][1] == "121.97"
    assert months["2024-02"][1] == "114.10"
    assert months["2024-03"] == ("-480.00", "0.00", "0.00")
    assert sum(Decimal(row[0]) for row in months.values()) == Decimal("899.67")
    assert months["2024-06"] == ("0.00", "0.00", "0.00")


def test_calendar_years_of_the_example_earn_to_the_cent(booked: Any) -> None:
    years = earned_by_year(booked(EXAMPLE)).select(
        "accident_year", "policy_type", F.round("earned_premium", 2).cast("string").alias("earned")
    )
    expected = years.sparkSession.createDataFrame(
        [(2023, "MOTOR", "663.61"), (2024, "MOTOR", "236.06")], years.schema
    )
    assert_df_equality(years, expected, ignore_row_order=True)


def test_a_late_booking_restates_the_effective_view_and_catches_up_in_the_books(
    booked: Any,
) -> None:
    late = [booking("365.00", "2023-01-01", "2024-01-01", "2023-03-10")]
    months = by_month(
        premium_by_month(booked(late, "2023-12-31")),
        "written_premium", "earned_premium", "earned_premium_accounting",
    )  # fmt: skip
    assert months["2023-01"] == ("0.00", "31.00", "0.00")
    assert months["2023-02"] == ("0.00", "28.00", "0.00")
    assert months["2023-03"] == ("365.00", "31.00", "90.00")
    assert months["2023-04"] == ("0.00", "30.00", "30.00")


def test_nothing_booked_after_the_valuation_is_seen(booked: Any) -> None:
    months = by_month(
        premium_by_month(booked(EXAMPLE, "2024-01-15")), "written_premium", "earned_premium",
        "unearned_premium_end",
    )  # fmt: skip
    assert max(months) == "2024-01"
    # 1,200 * 15/366 + 179.67 * 15/274: the month of the valuation ends on its day.
    assert months["2024-01"] == ("0.00", "59.02", "657.05")


def test_the_channel_is_the_one_known_when_the_row_was_booked(silver: Any, valued_at: Any) -> None:
    moved = booked_premium(
        silver(
            "premium_transaction",
            booking("1.00", "2024-01-01", "2024-02-01", "2019-05-01"),
            booking("2.00", "2024-01-01", "2024-02-01", "2024-03-09"),
            booking("4.00", "2024-01-01", "2024-02-01", "2024-03-10"),
            booking("8.00", "2024-01-01", "2024-02-01", "2024-03-11", policy_id=99),
        ),
        silver(
            "policy",
            POLICY | {"end": "2024-03-10T12:00"},
            POLICY | {"agent_id": 8, "start": "2024-03-10T12:00"},
        ),
        silver("agent", AGENT, {"agent_id": 8, "channel": "DIRECT"}),
        valued_at("2024-12-31"),
    )
    rows = moved.select(F.col("amount").cast("int"), "policy_type", "channel").collect()
    assert sorted(map(tuple, rows)) == [
        (1, "MOTOR", "BROKER"),  # before the history begins: the earliest version
        (2, "MOTOR", "BROKER"),
        (4, "MOTOR", "DIRECT"),  # recorded in the course of the day
        (8, "UNKNOWN", "UNKNOWN"),  # no such policy: the money stays
    ]


def test_years_need_no_channel_and_keep_the_type_of_the_policy(silver: Any, valued_at: Any) -> None:
    rows = [*EXAMPLE, booking("10.00", "2024-01-01", "2024-01-02", "2024-01-01", policy_id=99)]
    ledger, latest = silver("premium_transaction", *rows), valued_at("2024-12-31")
    by_type = premium_by_type(ledger, silver("policy", POLICY), latest)
    with_channel = booked_premium(ledger, silver("policy", POLICY), silver("agent", AGENT), latest)
    assert_df_equality(earned_by_year(by_type), earned_by_year(with_channel), ignore_row_order=True)


def test_an_empty_earning_window_is_earned_at_once(booked: Any) -> None:
    months = by_month(
        premium_by_month(booked([booking("50.00", "2024-02-10", "2024-02-10", "2024-02-10")])),
        "earned_premium", "unearned_premium_end",
    )  # fmt: skip
    assert months["2024-02"] == ("50.00", "0.00")


# --- on any data ------------------------------------------------------------------------------


def random_bookings(seed: int) -> Iterator[dict[str, Any]]:
    dice = random.Random(seed)
    for _ in range(60):
        start = date(2022, 1, 1) + timedelta(dice.randrange(900))
        length = dice.choice([1, 28, 30, 365, 366, 731])
        yield booking(
            str(Decimal(dice.randrange(-50000, 100000)) / 100),
            str(start),
            str(start + timedelta(length)),
            str(start + timedelta(dice.randrange(-40, 120))),
            coverage_code=dice.choice(["TPL", "OWN"]),
        )


def month_ends(first: date, last: date) -> Iterator[tuple[date, date]]:
    month = first.replace(day=1)
    while month <= last:
        end = month.replace(day=calendar.monthrange(month.year, month.month)[1])
        yield month, min(end, last)
        month = end + timedelta(1)


def days(row: dict[str, Any], start: date, end: date) -> Fraction:
    """The share of a row in [start, end), by the definition and in exact numbers."""
    a, b = date.fromisoformat(row["earn_from"]), date.fromisoformat(row["earn_to"])
    overlap = max((min(b, end) - max(a, start)).days, 0)
    return Fraction(row["amount"]) * overlap / (b - a).days


def cents(value: Fraction) -> Decimal:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.mark.parametrize("seed", [1, 2])
def test_any_ledger_keeps_the_identities_and_equals_the_definition(booked: Any, seed: int) -> None:
    valuation = date(2024, 8, 17)
    rows = list(random_bookings(seed))
    booked_rows = [row for row in rows if row["booked_on"] <= str(valuation)]
    table = premium_by_month(booked(rows, str(valuation)))
    actual = {(row.month, row.coverage_code): row for row in table.collect()}
    for code in ("TPL", "OWN"):
        ledger = [row for row in booked_rows if row["coverage_code"] == code]
        for month, end in month_ends(date(2021, 11, 1), valuation):
            cell = actual.pop((month, code), None)
            after = end + timedelta(1)
            earned = cents(sum((days(row, month, after) for row in ledger), Fraction()))
            written = sum(
                (Decimal(row["amount"]) for row in ledger
                 if str(month) <= row["booked_on"] <= str(end)), Decimal())  # fmt: skip
            unearned = cents(
                sum((days(row, after, date.max) for row in ledger if row["booked_on"] <= str(end)),
                    Fraction()))  # fmt: skip
            figures = (Decimal(), Decimal(), Decimal())
            if cell is not None:
                figures = (cell.earned_premium, cell.written_premium, cell.unearned_premium_end)
                change = cell.unearned_premium_end - cell.unearned_premium_start
                assert cell.earned_premium_accounting == cell.written_premium - change
            assert figures == (earned, written, unearned), f"seed {seed}, {code} {month}"
    assert not actual
    _earned_plus_unearned_is_written(table, booked(rows, str(valuation)), valuation)


def _earned_plus_unearned_is_written(table: DataFrame, booked: DataFrame, valuation: date) -> None:
    written = table.agg(F.sum("written_premium")).first()[0]  # type: ignore[index]
    unearned = (
        table.where(F.col("month") == F.trunc(F.lit(valuation), "MM"))
        .agg(F.sum("unearned_premium_end"))
        .first()[0]  # type: ignore[index]
    )
    earned = earned_by_year(booked).agg(F.sum("earned_premium")).first()[0]  # type: ignore[index]
    assert abs(earned + unearned - written) <= Decimal("0.01")  # two rounded balances
