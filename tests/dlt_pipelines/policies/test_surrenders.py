"""Surrender rates and survival of life and unit-linked contracts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pyspark.sql import DataFrame

from dlt_pipelines.transforms.policies.stays import stays, with_stays
from dlt_pipelines.transforms.policies.surrenders import surrender_years
from tests.dlt_pipelines.policies.conftest import OnRisk, term

Valued = Callable[..., DataFrame]


def contract(number: int, start: str, end: str, **more: Any) -> dict[str, Any]:
    return term(number, start, end, policy_type="LIFE", **more)


def surrendered(number: int, start: str, end: str, on: str) -> dict[str, Any]:
    return contract(number, start, end, cancelled_on=on, cancel_reason="SURRENDER")


@pytest.fixture
def years(on_risk: OnRisk, valued_at: Valued) -> Callable[..., dict[int, Any]]:
    def by_year(valuation: str, *terms: dict[str, Any]) -> dict[int, Any]:
        placed = stays(with_stays(on_risk(list(terms))))
        frame = surrender_years(placed, valued_at(valuation), ("LIFE", "UNIT_LINKED"))
        return {row.policy_year: row for row in frame.collect()}

    return by_year


def test_only_surrenders_count_and_every_day_on_risk_is_exposure(
    years: Callable[..., Any],
) -> None:
    rows = years(
        "2024-06-30",
        contract(1, "2023-01-01", "2025-01-01"),
        surrendered(2, "2023-01-01", "2024-01-01", on="2023-07-01"),
        contract(3, "2023-01-01", "2024-01-01", cancelled_on="2023-10-01", cancel_reason="DEATH"),
        surrendered(4, "2023-01-01", "2025-01-01", on="2024-01-01"),  # on risk to 31 December
        term(5, "2023-01-01", "2024-01-01", cancelled_on="2023-03-01", cancel_reason="SOLD"),
    )
    first, second = rows[1], rows[2]
    assert (first.policies_entering, first.surrenders) == (4, 2)
    assert first.exposure_policy_years == pytest.approx(1 + 181 / 365 + 273 / 365 + 1)
    assert first.surrender_rate_central == pytest.approx(2 / first.exposure_policy_years)
    # June: one of four; December: one of the two that are left after the death
    assert first.survival_end == pytest.approx(3 / 4 * 1 / 2)
    assert (second.policies_entering, second.surrenders, second.surrender_rate_central) == (1, 0, 0)
    assert second.exposure_policy_years == pytest.approx(182 / 366)
    assert second.survival_end == pytest.approx(first.survival_end)
    assert set(rows) == {1, 2}


def test_a_full_policy_year_is_one_also_from_the_29th_of_february(
    years: Callable[..., Any],
) -> None:
    rows = years("2027-01-01", contract(1, "2024-02-29", "2026-02-28"))
    assert [rows[year].exposure_policy_years for year in (1, 2)] == pytest.approx([1, 1])


def test_when_all_surrender_nobody_survives(years: Callable[..., Any]) -> None:
    rows = years("2024-12-31", surrendered(1, "2023-05-10", "2024-05-10", on="2023-05-20"))
    assert rows[1].survival_end == 0.0


def test_without_life_contracts_there_are_no_rows(years: Callable[..., Any]) -> None:
    assert years("2024-12-31", term(1, "2023-01-01", "2024-01-01")) == {}
