"""Claims at a valuation and by accident year: the examples of the insurance model, section b4."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from dlt_pipelines.assumptions import BySegment
from dlt_pipelines.transforms.claim_kpi import claim_kpis
from dlt_pipelines.transforms.claims import claim_positions, claims_with_changes, ledger_totals
from dlt_pipelines.transforms.exchange import closing_rates
from tests.dlt_pipelines.local_frame import local_frame

CAP = BySegment(Decimal(100000), {})
POLICY = {"policy_id": 1, "policy_number": "P1", "policy_type": "MOTOR"}
COVER = {"coverage_id": 5, "coverage_code": "TPL"}


def claim(claim_id: int, **more: Any) -> dict[str, Any]:
    row = {"claim_id": claim_id, "claim_number": f"C{claim_id}", "policy_id": 1, "coverage_id": 5}
    row |= {"loss_date": "2023-03-01", "reported_at": "2023-03-05T10:00", "status": "OPEN"}
    return row | {"updated_at": "2023-03-05T10:00"} | more


def entry(claim_id: int, txn_type: str, amount: str, day: str, **more: Any) -> dict[str, Any]:
    row = {"claim_id": claim_id, "txn_type": txn_type, "amount": amount, "accounting_date": day}
    return row | {"component": "INDEMNITY"} | more


@pytest.fixture
def positions(spark: SparkSession, silver: Any, valued_at: Any) -> Any:
    def frame(
        claims: list[dict[str, Any]],
        ledger: list[dict[str, Any]],
        *days: str,
        cap: BySegment = CAP,
    ) -> DataFrame:
        valuations = valued_at(*days)
        in_euros = silver("claim_transaction", *ledger).selectExpr(
            "*", "amount AS own_amount", "CAST(NULL AS STRING) AS currency"
        )
        no_rates = local_frame(spark, [], "month DATE, currency STRING, closing_rate DOUBLE")
        return claim_positions(
            claims_with_changes(silver("claim", *claims)),
            ledger_totals(in_euros, valuations, closing_rates(no_rates, valuations)),
            silver("policy", POLICY),
            silver("coverage", COVER),
            valuations,
            cap,
        )

    return frame


def by_date(frame: DataFrame) -> dict[str, Row]:
    return {str(row.valuation_date): row for row in frame.collect()}


def test_incurred_is_paid_less_recovered_plus_reserves_at_every_date(positions: Any) -> None:
    rows = by_date(
        positions(
            [claim(1)],
            [
                entry(1, "RESERVE", "1000", "2023-03-06"),
                entry(1, "PAYMENT", "400", "2023-05-01"),
                entry(1, "RESERVE", "-400", "2023-05-01"),
                entry(1, "PAYMENT", "50", "2023-06-01", component="EXPENSE"),
                entry(1, "RECOVERY_RESERVE", "-200", "2023-06-01"),
                entry(1, "RECOVERY", "120", "2024-02-01"),
                entry(1, "RECOVERY_RESERVE", "200", "2024-02-01"),
            ],
            "2023-03-31", "2023-12-31", "2024-12-31",
        )
    )  # fmt: skip
    assert [str(rows[day].incurred) for day in sorted(rows)] == ["1000.00", "850.00", "930.00"]
    last = rows["2024-12-31"]
    assert (str(last.paid), str(last.paid_indemnity), str(last.paid_expense)) == (
        "450.00", "400.00", "50.00",
    )  # fmt: skip
    assert (str(last.recovered), str(last.case_reserve)) == ("120.00", "600.00")
    assert str(rows["2023-12-31"].recovery_reserve) == "-200.00"
    assert (last.segment, last.policy_number, last.coverage_code) == ("MOTOR", "P1", "TPL")
    assert (last.accident_year, last.report_lag_days) == (2023, 4)


def test_a_claim_has_no_position_before_its_report(positions: Any) -> None:
    rows = by_date(positions([claim(1)], [], "2023-03-04", "2023-03-05"))
    assert set(rows) == {"2023-03-05"}
    assert str(rows["2023-03-05"].incurred) == "0.00"


def test_the_status_at_a_date_comes_from_the_history_of_the_claim(positions: Any) -> None:
    first = {"closed_at": "2023-04-10T09:00"}
    again = first | {"reopened_at": "2023-06-01T09:00"}
    final = again | {"closed_at": "2023-09-30T23:59"}
    rows = by_date(
        positions(
            [
                claim(1, end="2023-04-10"),
                claim(1, status="CLOSED", start="2023-04-10", end="2023-06-01", **first),
                claim(1, status="REOPENED", start="2023-06-01", end="2023-09-30", **again),
                claim(1, status="CLOSED", start="2023-09-30", **final),
            ],
            [],
            "2023-03-31", "2023-04-30", "2023-06-30", "2023-09-30",
        )
    )  # fmt: skip
    states = {day: (row.status, str(row.closed_on)) for day, row in rows.items()}
    assert states == {
        "2023-03-31": ("OPEN", "None"),
        "2023-04-30": ("CLOSED", "2023-04-10"),
        "2023-06-30": ("REOPENED", "None"),
        "2023-09-30": ("CLOSED", "2023-09-30"),
    }


def test_a_refused_claim_counts_from_the_update_that_refused_it(positions: Any) -> None:
    refused = claim(1, status="REJECTED", updated_at="2023-05-02T08:00")
    rows = by_date(positions([refused], [], "2023-04-30", "2023-05-31"))
    assert [rows[day].status for day in sorted(rows)] == ["OPEN", "REJECTED"]


def test_an_orphan_claim_and_money_without_a_claim_are_kept(positions: Any) -> None:
    rows = positions(
        [claim(1, policy_id=99, coverage_id=None)],
        [entry(1, "PAYMENT", "10", "2023-04-01"), entry(2, "PAYMENT", "20", "2023-04-01")],
        "2023-12-31",
    ).collect()
    values = {row.claim_id: (row.segment, str(row.paid), row.accident_year) for row in rows}
    assert values == {1: ("UNKNOWN", "10.00", 2023), 2: ("UNKNOWN", "20.00", None)}


def test_a_deleted_claim_leaves_only_its_money(positions: Any) -> None:
    rows = positions(
        [claim(1, end="2023-06-01")], [entry(1, "PAYMENT", "10", "2023-04-01")], "2023-12-31"
    ).collect()
    assert [(row.claim_number, str(row.paid)) for row in rows] == [(None, "10.00")]


def test_large_losses_are_capped_on_the_whole_claim_as_in_the_example(positions: Any) -> None:
    ledger = [
        entry(1, "RESERVE", "30000", "2023-04-01"),
        entry(2, "PAYMENT", "150000", "2023-04-01"),
        entry(2, "RESERVE", "100000", "2023-04-01"),
    ]
    rows = positions([claim(1), claim(2)], ledger, "2023-12-31").collect()
    assert sum(row.incurred_capped for row in rows) == 130000
    assert sum(row.excess for row in rows) == 150000
    assert [row.claim_id for row in rows if row.is_large] == [2]
    caps = BySegment(Decimal(100000), {"MOTOR": Decimal(20000)})
    lower = positions([claim(1), claim(2)], ledger, "2023-12-31", cap=caps).collect()
    assert sum(row.incurred_capped for row in lower) == 40000


# --- by accident year ---------------------------------------------------------------------------

POSITION = (
    "segment STRING, accident_year INT, reported_on DATE, valuation_date DATE, status STRING,"
    " paid DECIMAL(18,2), incurred DECIMAL(18,2), excess DECIMAL(18,2), is_large BOOLEAN"
)


def kpis(spark: SparkSession, claims: list[tuple[Any, ...]]) -> dict[tuple[int, str], Row]:
    """KPIs of claims given as (segment, status, paid, incurred), with the example's bases."""
    rows = ", ".join(
        f"('{segment}', 2023, DATE'2023-04-01', DATE'2023-12-31', '{status}', {paid}, {incurred},"
        f" {max(incurred - 100000, 0)}, {str(incurred > 100000).lower()})"
        for segment, status, paid, incurred in claims
    )
    names = ", ".join(part.split()[0] for part in POSITION.split(", "))
    positions = spark.sql(f"SELECT * FROM VALUES {rows} AS t({names})").to(
        local_frame(spark, [], POSITION).schema
    )
    exposures = spark.sql("SELECT 2023 calendar_year, 'MOTOR' policy_type, 2000D exposure")
    earned = spark.sql("SELECT 2023 accident_year, 'MOTOR' policy_type, 900000.0 earned_premium")
    rows_out = claim_kpis(positions, exposures, earned).collect()
    return {(row.accident_year, row.segment): row for row in rows_out}


def test_ratios_of_an_accident_year_as_in_the_example(spark: SparkSession) -> None:
    # 160 claims, paid 420,000, recovered 20,000, reserve 96,000: incurred 496,000.
    table = kpis(spark, [("MOTOR", "OPEN", 2625, 3100)] * 160)
    for segment in ("MOTOR", "ALL"):
        row = table[2023, segment]
        assert (row.reported, str(row.paid), str(row.incurred)) == (160, "420000.00", "496000.00")
        assert (row.frequency, row.severity, row.pure_premium) == (0.08, 3100.0, 248.0)
        assert row.loss_ratio == pytest.approx(0.551, abs=0.0005)
        assert row.pure_premium == pytest.approx(row.frequency * row.severity)


def test_claims_are_counted_by_state_and_orphans_enter_no_matched_ratio(
    spark: SparkSession,
) -> None:
    table = kpis(
        spark,
        [
            ("MOTOR", "OPEN", 0, 10),
            ("MOTOR", "REOPENED", 5, 10),
            ("MOTOR", "CLOSED", 200000, 200000),
            ("MOTOR", "CLOSED", 0, 0),
            ("MOTOR", "WITHDRAWN", 0, 0),
            ("UNKNOWN", "CLOSED", 7000, 7000),
        ],
    )
    motor, unknown, whole = (table[2023, name] for name in ("MOTOR", "UNKNOWN", "ALL"))
    assert (motor.reported, motor.open, motor.reopened) == (5, 2, 1)
    assert (motor.closed_with_payment, motor.closed_no_payment) == (1, 2)
    assert (motor.large_count, str(motor.excess)) == (1, "100000.00")
    assert motor.severity_paid_claims == pytest.approx(200010 / 2)
    assert (unknown.loss_ratio, unknown.frequency, unknown.exposure) == (None, None, 0.0)
    assert (whole.reported, str(whole.incurred)) == (6, "207020.00")
    assert whole.loss_ratio == motor.loss_ratio


def test_a_year_without_claims_has_its_exposure_and_premium(spark: SparkSession) -> None:
    none = local_frame(spark, [], POSITION)
    exposures = spark.sql("SELECT 2022 calendar_year, 'HOME' policy_type, 10D exposure")
    earned = spark.sql("SELECT 2022 accident_year, 'HOME' policy_type, 500.004 earned_premium")
    (row, _) = claim_kpis(none, exposures, earned).orderBy("segment").collect()[::-1]
    assert (row.segment, row.reported, str(row.earned_premium)) == ("HOME", 0, "500.00")
    assert (row.frequency, row.severity, row.loss_ratio) == (0.0, None, 0.0)
