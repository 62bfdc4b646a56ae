"""Identities: figures that several tables give, found to differ where a table is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines.transforms.monitoring.identities import FIGURES, identities
from tests.dlt_pipelines.local_frame import local_frame

V = date(2024, 6, 30)
MONEY = "DECIMAL(18,2)"
COLUMNS = {
    "premium_ledger": f"amount {MONEY}, booked_on DATE, tax_amount {MONEY},"
    f" commission_amount {MONEY}",
    "gold_premium_month": f"month DATE, written_premium {MONEY}, earned_premium {MONEY},"
    f" unearned_premium_end {MONEY}, tax {MONEY}, commission {MONEY}",
    "gold_agent_scorecard": f"written_premium {MONEY}, incurred {MONEY}, claims BIGINT,"
    f" commission {MONEY}",
    "gold_glm_exposure": f"written_premium {MONEY}, incurred {MONEY}, claim_count BIGINT,"
    " exposure DOUBLE",
    "gold_oneway": f"factor STRING, incurred {MONEY}, claim_count BIGINT, exposure DOUBLE",
    "gold_actual_expected": "factor STRING, actual_claims BIGINT, exposure DOUBLE",
    "gold_exposure_segment": "exposure DOUBLE",
    "gold_claim_kpi": f"segment STRING, incurred {MONEY}, reported BIGINT",
    "gold_claim_position": f"valuation_date DATE, accident_year INT, incurred {MONEY},"
    f" reported_on DATE, paid {MONEY}, recovered {MONEY}",
    "gold_reserve_movement": f"segment STRING, paid {MONEY}, recovered {MONEY},"
    f" reserve_change {MONEY}",
    "claim_ledger": f"txn_type STRING, amount {MONEY}, accounting_date DATE",
    "gold_triangle": f"segment STRING, measure STRING, origin_year INT, incremental {MONEY}",
    "gold_inforce_movement": "calendar_year INT, policy_type STRING, closing_in_force BIGINT,"
    f" closing_premium {MONEY}",
    "gold_inforce_month_end": "month_end DATE, policy_type STRING, policies BIGINT,"
    f" in_force_premium {MONEY}",
}
COLUMNS["triangle_claim"] = COLUMNS["gold_claim_position"]
# A policy of 100.00, half earned, and a claim of 30.00, of which 20.00 are paid.
CLAIM = (V, 2024, Decimal(30), date(2024, 3, 1), Decimal(20), Decimal(0))
AGREEING: dict[str, list[tuple[Any, ...]]] = {
    "premium_ledger": [
        (Decimal(100), date(2024, 1, 1), Decimal(10), Decimal(5)),
        (Decimal(7), date(2024, 7, 1), Decimal(1), Decimal(1)),
    ],
    "gold_premium_month": [
        (date(2024, 1, 1), Decimal(100), Decimal(17), Decimal(83), Decimal(10), Decimal(5)),
        (date(2024, 6, 1), Decimal(0), Decimal(33), Decimal("50.01"), Decimal(0), Decimal(0)),
    ],
    "gold_agent_scorecard": [(Decimal(100), Decimal(30), 1, Decimal(5))],
    "gold_glm_exposure": [(Decimal(100), Decimal(30), 1, 0.1), (Decimal(0), Decimal(0), 0, 0.2)],
    "gold_oneway": [
        ("(all)", Decimal(30), 1, 0.3),
        ("make", Decimal(30), 1, 0.2),
        ("make", Decimal(0), 0, 0.1),
    ],
    "gold_actual_expected": [("(all)", 1, 0.3)],
    "gold_exposure_segment": [(0.30000000001,)],
    "gold_claim_kpi": [("MOTOR", Decimal(30), 1), ("ALL", Decimal(30), 1)],
    "gold_claim_position": [CLAIM, (date(2023, 12, 31), *CLAIM[1:])],
    "triangle_claim": [CLAIM],
    "gold_reserve_movement": [
        ("MOTOR", Decimal(20), Decimal(0), Decimal(10)),
        ("ALL", Decimal(9), Decimal(9), Decimal(9)),
    ],
    "claim_ledger": [
        ("PAYMENT", Decimal(20), V),
        ("RESERVE", Decimal(10), V),
        ("PAYMENT", Decimal(5), date(2024, 7, 1)),
    ],
    "gold_triangle": [
        ("ALL", "paid", 2024, Decimal(20)),
        ("ALL", "incurred", 2024, Decimal(30)),
        ("MOTOR", "paid", 2024, Decimal(20)),
    ],
    "gold_inforce_movement": [(2023, "MOTOR", 0, Decimal(0)), (2024, "MOTOR", 1, Decimal(100))],
    "gold_inforce_month_end": [(date(2024, 6, 30), "MOTOR", 1, Decimal(100))],
}  # fmt: skip
Differing = Callable[..., dict[tuple[str, str], Decimal]]


@pytest.fixture
def differing(spark: SparkSession) -> Differing:
    """`differing(table=rows, …)`: the figures and parts that do not agree, with the difference."""
    latest = spark.range(1).select(F.lit(V).alias("valuation_date"))

    def tables(changes: dict[str, list[tuple[Any, ...]]]) -> dict[str, DataFrame]:
        rows = AGREEING | changes
        return {name: local_frame(spark, rows[name], ddl) for name, ddl in COLUMNS.items()}

    def compared(**changes: list[tuple[Any, ...]]) -> dict[tuple[str, str], Decimal]:
        rows = identities(tables(changes), latest).where("NOT agrees").collect()
        return {(row.figure, row.part): row.difference for row in rows}

    return compared


def test_tables_that_agree_but_for_rounding_and_later_bookings_break_nothing(
    differing: Differing,
) -> None:
    assert {figures.table for figures in FIGURES} == set(AGREEING)
    assert differing() == {}


def test_a_figure_that_one_table_gives_otherwise_is_found_with_its_part(
    differing: Differing,
) -> None:
    broken = differing(
        gold_triangle=[("ALL", "paid", 2024, Decimal(20)), ("ALL", "incurred", 2023, Decimal(30))],
        gold_oneway=[("(all)", Decimal(30), 1, 0.3), ("make", Decimal(30), 2, 0.3)],
        gold_inforce_movement=[(2023, "MOTOR", 4, Decimal(0))],
        gold_premium_month=[(V.replace(day=1), *map(Decimal, ("100", "50", "50.02", "10", "5")))],
    )
    assert broken == {
        ("incurred by accident year", "2023"): 30,
        ("incurred by accident year", "2024"): 30,
        ("claims", "(all)"): 1,
        ("policies in force", "2023 MOTOR"): 4,
        ("earned and unearned premium", "(all)"): Decimal("0.02"),
    }
