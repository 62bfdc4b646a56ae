"""The movement of policies in force: every entry and exit, and that it balances."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row

from dlt_pipelines.transforms.policies.inforce_movement import inforce_movements
from dlt_pipelines.transforms.risk import in_force_at_month_ends
from tests.dlt_pipelines.policies.conftest import OnRisk, cover, term

Valued = Callable[..., DataFrame]


def by_year(frame: DataFrame) -> dict[tuple[int, str], Row]:
    return {(row.calendar_year, row.policy_type): row for row in frame.collect()}


def assert_balanced(row: Row) -> None:
    exits = row.cancelled + row.lapsed + row.surrendered + row.claims
    entries = row.new_business + row.reinstated
    assert row.closing_in_force == row.opening_in_force + entries - exits, row
    moved = row.new_premium - row.exited_premium + row.premium_change
    assert row.closing_premium == row.opening_premium + moved, row


def test_each_way_in_and_out_has_its_column(on_risk: OnRisk, valued_at: Valued) -> None:
    life = {"policy_type": "LIFE", "status": "CANCELLED"}
    segments = on_risk(
        [
            term(1, "2023-02-01", "2024-02-01", status="RENEWED"),  # renewed, then cancelled
            term(2, "2024-02-01", "2025-02-01", policy_number="P1", term_no=2,
                 status="CANCELLED", cancelled_on="2024-05-01", cancel_reason="SOLD"),
            term(3, "2023-03-01", "2024-03-01", status="LAPSED"),
            term(4, "2023-04-01", "2024-04-01", cancelled_on="2024-01-10",
                 cancel_reason="SURRENDER", **life),
            term(5, "2023-04-01", "2024-04-01", cancelled_on="2024-01-11",
                 cancel_reason="DEATH", **life),
            term(6, "2023-06-01", "2024-06-01", status="CANCELLED", cancelled_on="2023-06-01"),
            term(7, "2023-06-01", "2024-06-01", status="NOT_TAKEN"),
            # lapsed with 2023, back in the autumn of 2024
            term(8, "2023-01-01", "2024-01-01"),
            term(9, "2024-09-01", "2025-09-01", policy_number="P8", term_no=2),
        ]
    )  # fmt: skip
    rows = by_year(inforce_movements(segments, valued_at("2024-12-31")))
    motor, life_rows = rows[2024, "MOTOR"], rows[2024, "LIFE"]
    assert (rows[2023, "MOTOR"].new_business, rows[2023, "MOTOR"].closing_in_force) == (3, 3)
    assert (motor.opening_in_force, motor.new_business, motor.reinstated) == (3, 0, 1)
    assert (motor.cancelled, motor.lapsed, motor.closing_in_force) == (1, 2, 1)
    assert (life_rows.surrendered, life_rows.claims, life_rows.closing_in_force) == (1, 1, 0)
    for row in rows.values():
        assert_balanced(row)


def test_a_reinstatement_without_a_gap_is_no_movement(on_risk: OnRisk, valued_at: Valued) -> None:
    contract = term(1, "2024-01-01", "2025-01-01")
    segments = on_risk(
        [contract],
        [
            cover(contract, effective_to="2024-03-01"),
            cover(contract, coverage_id=2, effective_from="2024-03-01"),
        ],
    )
    row = by_year(inforce_movements(segments, valued_at("2024-12-30")))[2024, "MOTOR"]
    assert (row.new_business, row.reinstated, row.cancelled, row.closing_in_force) == (1, 0, 0, 1)
    assert (str(row.new_premium), str(row.exited_premium)) == ("100.00", "0.00")


def test_premium_of_entries_exits_and_changes(on_risk: OnRisk, valued_at: Valued) -> None:
    first = term(1, "2023-07-01", "2024-07-01", status="RENEWED")
    second = term(2, "2024-07-01", "2025-07-01", policy_number="P1", term_no=2)
    third = term(3, "2023-07-01", "2024-07-01", cancelled_on="2024-03-01", cancel_reason="MOVED")
    segments = on_risk(
        [first, second, third],
        [
            cover(first, annual_premium="1200.00"),
            cover(second, annual_premium="1260.00"),
            cover(third, annual_premium="500.00"),
            cover(third, coverage_id=4, policy_id=99, annual_premium="7.00"),  # no such policy
        ],
    )
    rows = by_year(inforce_movements(segments, valued_at("2024-12-31")))
    row = rows[2024, "MOTOR"]
    assert (str(row.opening_premium), str(row.new_premium)) == ("1700.00", "0.00")
    assert (str(row.exited_premium), str(row.premium_change)) == ("500.00", "60.00")
    assert str(row.closing_premium) == "1260.00"
    orphan = rows[2024, "UNKNOWN"]  # premium, but no policy to count
    assert (orphan.opening_in_force, str(orphan.opening_premium)) == (0, "7.00")
    assert str(orphan.exited_premium) == "7.00"


def test_an_exit_on_new_years_day_belongs_to_the_new_year(
    on_risk: OnRisk, valued_at: Valued
) -> None:
    segments = on_risk([term(1, "2023-01-01", "2024-01-01")])
    rows = by_year(inforce_movements(segments, valued_at("2024-01-01")))
    assert (rows[2023, "MOTOR"].lapsed, rows[2023, "MOTOR"].closing_in_force) == (0, 1)
    assert (rows[2024, "MOTOR"].lapsed, rows[2024, "MOTOR"].closing_in_force) == (1, 0)
    open_still = by_year(inforce_movements(segments, valued_at("2023-12-31")))
    assert set(open_still) == {(2023, "MOTOR")}


def test_without_segments_there_are_no_rows(on_risk: OnRisk, valued_at: Valued) -> None:
    assert inforce_movements(on_risk([], []), valued_at("2024-12-31")).count() == 0


@pytest.mark.parametrize("seed", [2, 71])
def test_years_follow_one_another_and_meet_the_month_ends_on_any_data(
    on_risk: OnRisk, valued_at: Valued, seed: int
) -> None:
    segments, latest = on_risk(_random_terms(random.Random(seed))), valued_at("2025-05-05")
    rows = by_year(inforce_movements(segments, latest))
    month_ends = {
        (row.month_end.year, row.policy_type): row
        for row in in_force_at_month_ends(segments, latest).where("month(month_end) = 12").collect()
    }
    for (year, kind), row in rows.items():
        assert_balanced(row)
        before = rows.get((year - 1, kind))
        if before is not None:
            assert row.opening_in_force == before.closing_in_force, f"seed {seed}, {row}"
            assert row.opening_premium == before.closing_premium, f"seed {seed}, {row}"
        if year < 2025:
            month_end = month_ends[year, kind]
            assert row.closing_in_force == month_end.policies, f"seed {seed}, {row}"
            assert row.closing_premium == month_end.in_force_premium, f"seed {seed}, {row}"


def _random_terms(dice: random.Random) -> list[dict[str, Any]]:
    terms: list[dict[str, Any]] = []
    for number in range(40):
        start = date(2021, 1, 1) + timedelta(dice.randrange(900))
        kind = dice.choice(("MOTOR", "HOME"))
        for term_no in range(1, dice.randrange(2, 5)):
            end = start + timedelta(dice.choice((30, 365)))
            leaves = dice.random() < 0.3
            cancelled = str(start + timedelta(dice.randrange(40))) if leaves else None
            terms.append(
                term(len(terms) + 1, str(start), str(end), policy_number=f"N{number}",
                     term_no=term_no, policy_type=kind, cancelled_on=cancelled,
                     cancel_reason=dice.choice(("SOLD", "DEATH", None)))
            )  # fmt: skip
            start = end + timedelta(dice.choice((0, 0, 1, 200)))
    return terms
