"""The worked numbers of the model, computed by the report functions from rows booked as told."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.init_sql.insurer import Database

D = Decimal


def _policy(db: Database, start: str, end: str, **columns: object) -> int:
    row = {
        "policy_number": f"P-{start}-{len(db.rows('SELECT 1 FROM policy'))}",
        "policy_type": "MOTOR", "status": "IN_FORCE", "agent_id": 1101,
        "start_date": start, "end_date": end, **columns,
    }  # fmt: skip
    marks = ", ".join(["%s"] * len(row))
    db.run(f"INSERT INTO policy ({', '.join(row)}) VALUES ({marks})", *row.values())
    return int(str(db.value("SELECT max(policy_id) FROM policy")))


def _premium(
    db: Database, policy: int, amount: str, start: str, end: str, booked: str, tax: str = "0"
) -> None:
    db.run(
        "INSERT INTO premium_transaction (policy_id, coverage_code, txn_type, amount, tax_amount,"
        " earn_from, earn_to, booked_on) VALUES (%s, 'TPL', 'NEW', %s, %s, %s, %s, %s)",
        *(policy, amount, tax, start, end, booked),
    )


def _cover(db: Database, policy: int, start: str, end: str, units: int = 1) -> int:
    db.run(
        "INSERT INTO coverage (policy_id, coverage_code, effective_from, effective_to,"
        " annual_premium, unit_count) VALUES (%s, 'TPL', %s, %s, 1200, %s)",
        *(policy, start, end, units),
    )
    return int(str(db.value("SELECT max(coverage_id) FROM coverage")))


def _claim(db: Database, policy: int | None, loss: str, closed: str | None = None) -> int:
    db.run(
        "INSERT INTO claim (claim_number, policy_id, loss_date, reported_at, status, closed_at)"
        " SELECT 'C-' || count(*), %s, %s, %s::timestamp AT TIME ZONE 'UTC', %s,"
        " %s::timestamp AT TIME ZONE 'UTC' FROM claim",
        *(policy, loss, loss, "CLOSED" if closed else "OPEN", closed),
    )
    return int(str(db.value("SELECT max(claim_id) FROM claim")))


def _entry(db: Database, claim: int, kind: str, amount: str, booked: str) -> None:
    db.run(
        "INSERT INTO claim_transaction (claim_id, coverage_code, txn_type, amount,"
        " accounting_date, posted_at) VALUES (%s, 'TPL', %s, %s, %s, %s)",
        *(claim, kind, amount, booked, booked),
    )


def _months(db: Database, column: str, v: str) -> dict[date, Decimal]:
    query = f"SELECT month, sum({column}) FROM report.premium_month(%s) GROUP BY 1"
    rows: Any = db.rows(query, v)
    return dict(rows)


def test_a_late_booking_restates_the_effective_view_and_catches_up_in_the_accounting_view(
    insurer: Database,
) -> None:
    policy = _policy(insurer, "2023-01-01", "2024-01-01")
    _premium(insurer, policy, "365.00", "2023-01-01", "2024-01-01", "2023-03-10", tax="43.80")
    effective = _months(insurer, "earned_premium", "2023-12-31")
    accounting = _months(insurer, "earned_premium_accounting", "2023-12-31")
    january, february, march = (date(2023, month, 1) for month in (1, 2, 3))
    assert [effective[m] for m in (january, february, march)] == [31, 28, 31]
    assert [accounting[m] for m in (january, february, march)] == [0, 0, 90]
    assert _months(insurer, "written_premium", "2023-12-31")[march] == 365
    assert _months(insurer, "tax", "2023-12-31")[march] == D("43.80")


@pytest.fixture
def endorsed_and_cancelled(insurer: Database) -> Database:
    policy = _policy(
        insurer, "2023-07-01", "2024-07-01", status="CANCELLED", cancelled_on="2024-03-01"
    )
    _premium(insurer, policy, "1200.00", "2023-07-01", "2024-07-01", "2023-07-01")
    _premium(insurer, policy, "179.67", "2023-10-01", "2024-07-01", "2023-10-01")
    _premium(insurer, policy, "-400.00", "2024-03-01", "2024-07-01", "2024-03-05")
    _premium(insurer, policy, "-80.00", "2024-03-01", "2024-07-01", "2024-03-05")
    _cover(insurer, policy, "2023-07-01", "2024-07-01")
    return insurer


def test_endorsement_and_cancellation_earn_as_in_the_worked_example(
    endorsed_and_cancelled: Database,
) -> None:
    db, v = endorsed_and_cancelled, "2024-12-31"
    years = db.rows(
        "SELECT calendar_year, round(earned_premium, 2) FROM report.earned_year(%s) ORDER BY 1", v
    )
    earned = _months(db, "earned_premium", v)
    unearned = _months(db, "unearned_premium_end", v)
    written = _months(db, "written_premium", v)
    assert years == [(2023, D("663.61")), (2024, D("236.06"))]
    assert earned[date(2024, 1, 1)] == D("121.97")
    assert earned[date(2024, 2, 1)] == D("114.10")
    assert not any(value for month, value in earned.items() if month >= date(2024, 3, 1))
    assert unearned[date(2023, 12, 1)] == D("716.06")
    assert unearned[date(2024, 3, 1)] == 0
    assert sum(value for month, value in written.items() if month.year == 2023) == D("1379.67")
    assert sum(value for month, value in written.items() if month.year == 2024) == D("-480.00")


def test_exposure_counts_the_days_on_risk_against_the_calendar_year(
    endorsed_and_cancelled: Database,
) -> None:
    rows = endorsed_and_cancelled.rows(
        "SELECT calendar_year, earned_days, round(exposure::numeric, 5),"
        " round(exposure_term_basis::numeric, 5)"
        " FROM report.exposure_segment('2024-12-31') ORDER BY 1"
    )
    assert rows == [
        (2023, 184, D("0.50411"), D("0.50273")),
        (2024, 60, D("0.16393"), D("0.16393")),
    ]


def test_a_policy_is_in_force_on_the_half_open_interval_of_its_cover(insurer: Database) -> None:
    policy = _policy(insurer, "2024-01-01", "2024-12-31")
    _cover(insurer, policy, "2024-01-01", "2024-12-31", units=3)
    flat = _policy(
        insurer, "2024-01-01", "2025-01-01", status="CANCELLED", cancelled_on="2024-01-01"
    )
    _cover(insurer, flat, "2024-01-01", "2024-01-01")
    rows = insurer.rows(
        "SELECT month_end, policies, coverages, vehicles, in_force_premium"
        " FROM report.inforce_month_end('2024-12-31') ORDER BY 1"
    )
    assert rows[0] == (date(2024, 1, 31), 1, 1, 3, 1200)
    assert rows[10] == (date(2024, 11, 30), 1, 1, 3, 1200)
    assert rows[11] == (date(2024, 12, 31), 0, 0, 0, 0)


def test_claim_figures_are_those_of_the_worked_example(insurer: Database) -> None:
    policy = _policy(insurer, "2023-01-01", "2024-01-01")
    _cover(insurer, policy, "2023-01-01", "2024-01-01", units=2000)
    _premium(insurer, policy, "900000", "2023-01-01", "2024-01-01", "2023-01-01")
    claims = [_claim(insurer, policy, "2023-05-01") for _ in range(160)]
    for claim in claims:
        _entry(insurer, claim, "PAYMENT", "2625", "2023-06-01")
        _entry(insurer, claim, "RECOVERY", "125", "2023-07-01")
        _entry(insurer, claim, "RESERVE", "600", "2023-08-01")
    kpi = insurer.rows(
        "SELECT reported, open, exposure, earned_premium, paid, incurred, frequency, severity,"
        " pure_premium, loss_ratio FROM report.claim_kpi('2023-12-31') WHERE segment = 'MOTOR'"
    )
    assert kpi[0][:6] == (160, 160, 2000, 900000, 420000, 496000)
    assert kpi[0][6:] == pytest.approx((0.08, 3100, 248, 0.551111), rel=1e-5)


def test_a_large_claim_is_capped_on_its_total_and_an_orphan_stays_out_of_ratios(
    insurer: Database,
) -> None:
    policy = _policy(insurer, "2023-01-01", "2024-01-01")
    _premium(insurer, policy, "100000", "2023-01-01", "2024-01-01", "2023-01-01")
    for holder, amounts in ((policy, ["30000"]), (policy, ["90000", "160000"]), (None, ["500"])):
        claim = _claim(insurer, holder, "2023-05-01")
        for amount in amounts:
            _entry(insurer, claim, "PAYMENT", amount, "2023-06-01")
    capped = insurer.rows(
        "SELECT sum(incurred_capped), sum(excess), count(*) FILTER (WHERE is_large)"
        " FROM report.claim_position('2023-12-31') WHERE segment = 'MOTOR'"
    )
    ratios = insurer.rows(
        "SELECT segment, reported, incurred, loss_ratio, large_count, excess"
        " FROM report.claim_kpi('2023-12-31') ORDER BY 1"
    )
    assert capped == [(130000, 150000, 1)]
    assert ratios == [
        ("ALL", 3, 280500, 2.8, 1, 150000),
        ("MOTOR", 2, 280000, 2.8, 1, 150000),
        ("UNKNOWN", 1, 500, None, 0, 0),
    ]


def test_the_triangle_ages_from_the_start_of_the_accident_year(insurer: Database) -> None:
    policy = _policy(insurer, "2021-01-01", "2024-01-01")
    paid = {2021: ["1000", "500", "150"], 2022: ["1100", "600"], 2023: ["1300"]}
    for origin, payments in paid.items():
        claim = _claim(insurer, policy, f"{origin}-11-30")
        for year, amount in enumerate(payments, origin):
            _entry(insurer, claim, "PAYMENT", amount, f"{year}-12-15")
    cells = insurer.rows(
        "SELECT origin_year, dev_lag_months, cumulative FROM report.triangle('2023-12-31')"
        " WHERE segment = 'ALL' AND measure = 'paid' ORDER BY 1, 2"
    )
    assert cells == [
        (2021, 12, 1000), (2021, 24, 1500), (2021, 36, 1650),
        (2022, 12, 1100), (2022, 24, 1700), (2023, 12, 1300),
    ]  # fmt: skip


def test_the_capped_triangle_takes_the_increment_of_the_capped_sum(insurer: Database) -> None:
    claim = _claim(insurer, None, "2021-03-01", closed="2022-02-01")
    _entry(insurer, claim, "PAYMENT", "80000", "2021-06-01")
    _entry(insurer, claim, "PAYMENT", "170000", "2022-01-15")
    rows = insurer.rows(
        "SELECT measure, dev_lag_months, incremental FROM report.triangle('2022-12-31')"
        " WHERE segment = 'UNKNOWN' AND origin_year = 2021 AND measure IN ('paid_capped_100000',"
        " 'reported_count', 'closed_with_payment_count') ORDER BY 1, 2"
    )
    assert rows == [
        ("closed_with_payment_count", 12, 0), ("closed_with_payment_count", 24, 1),
        ("paid_capped_100000", 12, 80000), ("paid_capped_100000", 24, 20000),
        ("reported_count", 12, 1), ("reported_count", 24, 0),
    ]  # fmt: skip


def test_nothing_booked_after_the_valuation_is_seen(insurer: Database) -> None:
    policy = _policy(insurer, "2023-01-01", "2024-01-01")
    _premium(insurer, policy, "365.00", "2023-01-01", "2024-01-01", "2023-03-10")
    claim = _claim(insurer, policy, "2023-02-01", closed="2023-08-01")
    _entry(insurer, claim, "RESERVE", "100", "2023-02-01")
    _entry(insurer, claim, "RESERVE", "-100", "2023-08-01")
    _entry(insurer, claim, "PAYMENT", "90", "2023-08-01")
    assert insurer.rows("SELECT * FROM report.premium_month('2023-03-09')") == []
    position = "SELECT status, closed_on, paid, case_reserve FROM report.claim_position(%s)"
    assert insurer.rows(position, "2023-07-31") == [("OPEN", None, 0, 100)]
    assert insurer.rows(position, "2023-08-01") == [("CLOSED", date(2023, 8, 1), 90, 0)]


def test_the_reserve_moves_as_in_the_worked_example(insurer: Database) -> None:
    old, new = (_claim(insurer, None, f"{year}-05-01") for year in (2023, 2024))
    _entry(insurer, old, "RESERVE", "80", "2023-05-01")
    _entry(insurer, new, "RESERVE", "30", "2024-05-01")
    _entry(insurer, old, "RESERVE", "-12", "2024-06-01")
    _entry(insurer, old, "PAYMENT", "25", "2024-07-01")
    row = insurer.rows(
        "SELECT opening_case_reserve, set_up, strengthening, release, eroded_by_payment,"
        " closing_case_reserve, calendar_year_incurred, open_claims"
        " FROM report.reserve_movement('2024-12-31') WHERE segment = 'ALL' AND calendar_year = 2024"
    )
    assert row == [(80, 30, 0, 12, 0, 98, 43, 2)]


def test_factors_and_ultimates_are_those_of_the_worked_example(insurer: Database) -> None:
    policy = _policy(insurer, "2021-01-01", "2024-01-01")
    _premium(insurer, policy, "3000", "2023-01-01", "2024-01-01", "2023-01-01")
    paid = {2021: ["1000", "500", "150"], 2022: ["1100", "600"], 2023: ["1300"]}
    reserve = {2021: "10", 2022: "90", 2023: "650"}
    for origin, payments in paid.items():
        claim = _claim(insurer, policy, f"{origin}-11-30")
        for year, amount in enumerate(payments, origin):
            _entry(insurer, claim, "PAYMENT", amount, f"{year}-12-15")
        _entry(insurer, claim, "RESERVE", reserve[origin], "2023-12-31")
    factors = insurer.rows(
        "SELECT from_lag_months, round(ldf::numeric, 5), round(cdf_to_ultimate::numeric, 5)"
        " FROM report.ldf('2023-12-31')"
        " WHERE segment = 'MOTOR' AND measure = 'paid' AND average = 'volume' ORDER BY 1"
    )
    years = insurer.rows(
        "SELECT origin_year, ultimate, ibnr, bf_ultimate"
        " FROM report.ultimate('2023-12-31')"
        " WHERE segment = 'MOTOR' AND measure = 'paid' ORDER BY 1"
    )
    assert factors == [(12, D("1.52381"), D("1.67619")), (24, D("1.1"), D("1.1"))]
    assert years == [
        (2021, 1650, -10, None),
        (2022, 1870, 80, None),
        (2023, D("2179.05"), D("229.05"), D("2086.65")),
    ]
