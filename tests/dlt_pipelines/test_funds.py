"""Fund valuations: the example of the insurance model, section b10, and missing prices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from dlt_pipelines.transforms.exchange import closing_rates
from dlt_pipelines.transforms.funds import fund_valuations, units_known
from tests.dlt_pipelines.conftest import Silver
from tests.dlt_pipelines.local_frame import local_frame

Valued = Callable[..., DataFrame]


def price(day: str, bid: str, fund: str = "EQ") -> dict[str, Any]:
    return {"fund_code": fund, "price_date": day, "bid_price": bid}


def holding(units: str, updated: str, **more: Any) -> dict[str, Any]:
    return {"fund_unit_id": 1, "fund_code": "EQ", "party_id": 7, "units": units,
            "updated_at": updated, **more}  # fmt: skip


RATE = "month DATE, currency STRING, average_rate DECIMAL(18,8), closing_rate DECIMAL(18,8)"
DOLLAR = (date(2024, 2, 1), "USD", Decimal("0.90"), Decimal("0.80"))
PRICES = [price("2024-01-30", "1.2345"), price("2024-02-29", "1.2600")]
GROWING = [
    holding("100.5", "2024-01-10", start="2024-01-10", end="2024-02-10"),
    holding("120.5", "2024-02-10", start="2024-02-10"),
]


@pytest.fixture
def value(spark: SparkSession, silver: Silver, valued_at: Valued) -> Callable[..., dict[str, Row]]:
    """`value(holdings, prices, days, policies)`: the rows by valuation date."""

    def rows(
        holdings: list[Any], prices: list[Any], days: tuple[str, ...], *policies: Any
    ) -> dict[str, Row]:
        versions = units_known(silver("fund_unit", *holdings), silver("policy", *policies))
        rates = closing_rates(local_frame(spark, [DOLLAR], RATE), valued_at(*days))
        frame = fund_valuations(
            versions, silver("fund_price", *prices), valued_at(*days), rates, "EUR", 5
        )
        return {str(row.valuation_date): row for row in frame.collect()}

    return rows


def test_value_and_effects_are_those_of_the_example(
    value: Callable[..., dict[str, Row]],
) -> None:
    rows = value(GROWING, PRICES, ("2024-01-31", "2024-02-29"))
    first, second = rows["2024-01-31"], rows["2024-02-29"]
    assert (str(first.value), str(second.value)) == ("124.07", "151.83")
    assert (str(second.price_effect), str(second.unit_effect)) == ("2.56", "25.20")
    assert second.price_effect + second.unit_effect == second.value - first.value
    assert (str(first.price_effect), str(first.unit_effect)) == ("0.00", "124.07")


def test_a_missing_price_is_null_and_never_zero(value: Callable[..., dict[str, Row]]) -> None:
    rows = value(GROWING, [price("2024-02-01", "1.5")], ("2024-01-31", "2024-02-29"))
    first, second = rows["2024-01-31"], rows["2024-02-29"]
    assert (first.value, first.bid_price, first.unit_effect) == (None, None, None)
    assert (str(second.value), second.price_effect) == ("180.75", None)
    assert str(first.units) == "100.500000"


@pytest.mark.parametrize(("day", "is_stale"), [("2024-02-04", False), ("2024-02-05", True)])
def test_a_price_is_stale_after_five_days_and_still_values(
    value: Callable[..., dict[str, Row]], day: str, is_stale: bool
) -> None:
    row = value(GROWING, PRICES, (day,))[day]
    assert (row.is_stale, str(row.value)) == (is_stale, "124.07")


def test_the_first_version_stands_for_the_days_before_it_back_to_the_contract(
    value: Callable[..., dict[str, Row]],
) -> None:
    holdings = [holding("10", "2024-02-01", policy_id=3)]
    policy = {"policy_id": 3, "start_date": "2023-06-01"}
    rows = value(holdings, PRICES, ("2023-05-31", "2024-01-31", "2024-02-29"), policy)
    assert {day: row.pit_fallback for day, row in rows.items()} == {
        "2024-01-31": True, "2024-02-29": False,
    }  # fmt: skip


def test_history_follows_the_sequence_when_a_clock_goes_back(
    value: Callable[..., dict[str, Row]],
) -> None:
    holdings = [
        holding("1", "2024-02-10", start="2024-02-10", end="2024-02-20"),
        holding("2", "2023-12-01", start="2024-02-20"),  # written later by a slow clock
    ]
    rows = value(holdings, PRICES, ("2024-01-31", "2024-02-29"))
    assert (int(rows["2024-01-31"].units), int(rows["2024-02-29"].units)) == (1, 2)


def test_a_deleted_holding_ends_and_two_holdings_of_a_party_add_up(
    value: Callable[..., dict[str, Row]],
) -> None:
    holdings = [
        holding("1", "2024-01-01", end="2024-02-10"),
        holding("4", "2024-01-01", fund_unit_id=2),
    ]
    rows = value(holdings, PRICES, ("2024-01-31", "2024-02-29"))
    assert (int(rows["2024-01-31"].units), int(rows["2024-02-29"].units)) == (5, 4)


def test_a_price_in_another_currency_counts_at_the_closing_rate_or_not_at_all(
    value: Callable[..., dict[str, Row]],
) -> None:
    prices = [row | {"currency": "USD"} for row in PRICES]
    rows = value(GROWING, prices, ("2024-01-31", "2024-02-29", "2024-03-31"))
    assert rows["2024-01-31"].value is None  # no rate yet
    assert str(rows["2024-02-29"].value) == "121.46"  # 120.5 * 1.26 * 0.80
    assert str(rows["2024-03-31"].value) == "121.46"  # the last rate holds
    assert str(rows["2024-02-29"].bid_price) == "1.260000"
