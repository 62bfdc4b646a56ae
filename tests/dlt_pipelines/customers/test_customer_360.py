"""The row of a customer: what counts, from when, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from dlt_pipelines.settings import BAND_EDGES
from dlt_pipelines.transforms.bands import band_rows
from dlt_pipelines.transforms.customers.activity import contacts, overdue
from dlt_pipelines.transforms.customers.customer_360 import (
    claims_in_window,
    customer_360,
    customers,
    earned_in_window,
    terms_in_window,
)
from dlt_pipelines.transforms.customers.customer_line import customer_lines
from dlt_pipelines.transforms.customers.homes import addresses_at
from dlt_pipelines.transforms.customers.parties import customer_terms, survivors
from dlt_pipelines.transforms.premium import premium_by_type
from dlt_pipelines.transforms.risk import segments_on_risk
from tests.dlt_pipelines.local_frame import local_frame

TABLES = (
    "party", "party_address", "product", "agent", "policy", "policy_version", "coverage",
    "premium_transaction", "invoice", "payment", "claim",
)  # fmt: skip
POSITION = "policy_id BIGINT, valuation_date DATE, loss_date DATE, incurred DECIMAL(18,2)"
Rows = dict[tuple[int, str], Row]


@pytest.fixture
def build(
    spark: SparkSession, silver: Any, valued_at: Callable[..., DataFrame]
) -> Callable[..., Rows]:
    """`build(days, positions, table=[rows], …)`: the rows by party and valuation date."""

    def frame(days: list[str], positions: str = "", **rows: list[dict[str, Any]]) -> Rows:
        t = {name: silver(name, *rows.get(name, [])) for name in TABLES}
        valuations, links = valued_at(*days), survivors(t["party"])
        terms = customer_terms(t["policy"], t["product"], t["agent"], links)
        owners = terms.select("policy_id", "party_id")
        claims = local_frame(spark, [], POSITION)
        if positions:
            names = "policy_id, valuation_date, loss_date, incurred"
            claims = spark.sql(f"SELECT * FROM VALUES {positions} AS t({names})")
        booked = premium_by_type(t["premium_transaction"], t["policy"], valued_at(max(days)))
        bands = local_frame(
            spark, band_rows(BAND_EDGES), "band STRING, lower INT, upper INT, label STRING"
        )
        lines = customer_lines(segments_on_risk(t["coverage"], t["policy"]), terms, valuations)
        result = customer_360(
            customers(terms, valuations),
            lines,
            [
                terms_in_window(terms, valuations),
                claims_in_window(claims, owners),
                earned_in_window(booked, owners, valuations),
                overdue(t["invoice"], t["payment"], owners, valuations),
            ],
            contacts(terms, t["policy_version"], t["claim"], t["payment"]),
            addresses_at(t["party_address"], links, valuations),
            t["party"],
            bands,
            valuations,
        )
        return {(row.party_id, str(row.valuation_date)): row for row in result.collect()}

    return frame


def policy(policy_id: int, party_id: int, start: str, end: str, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"policy_id": policy_id, "policy_number": f"P{policy_id}", "term_no": 1}
    row |= {"party_id": party_id, "policy_type": "MOTOR", "status": "IN_FORCE"}
    return row | {"start_date": start, "end_date": end} | more


def cover(policy_id: int, start: str, end: str, premium: str) -> dict[str, Any]:
    row: dict[str, Any] = {"coverage_id": policy_id, "policy_id": policy_id, "unit_count": 1}
    row |= {"effective_from": start, "effective_to": end, "annual_premium": premium}
    return row | {"coverage_code": "TPL"}


def test_what_is_in_force_at_each_date_and_merged_parties_are_one(
    build: Callable[..., Rows],
) -> None:
    year = ("2023-07-01", "2024-07-01")
    rows = build(
        ["2023-06-30", "2023-12-31", "2024-12-31"],
        party=[
            {"party_id": 1, "status": "ACTIVE", "birth_date": "1980-01-01"},
            {"party_id": 2, "status": "MERGED", "merged_into_party_id": 1},
            {"party_id": 3, "status": "ERASED"},
        ],
        party_address=[
            {"party_id": 1, "address_id": 1, "address_type": "HOME", "postal_code": "r1-010",
             "valid_from": "2020-01-01"},
        ],
        product=[{"product_id": 5, "line_of_business": "HOME"}],
        agent=[{"agent_id": 9, "channel": "BROKER"}],
        policy=[
            policy(1, 1, *year, bound_at="2023-06-20T10:00", agent_id=9, term_no=4),
            policy(2, 2, *year, product_id=5),
            policy(3, 3, *year),
            policy(4, 1, *year, status="NOT_TAKEN", quoted_at="2023-11-11T09:00"),
        ],
        coverage=[cover(1, *year, "300.00"), cover(2, *year, "200.50"), cover(3, *year, "9")],
    )  # fmt: skip
    assert {party for party, _ in rows} == {1}
    before, during, after = (rows[1, day] for day in ("2023-06-30", "2023-12-31", "2024-12-31"))
    assert (before.policies_in_force, before.tenure_years, before.next_expiry_on) == (0, 0, None)
    assert (during.policies_in_force, during.distinct_lines) == (2, 2)
    assert str(during.in_force_premium) == "500.50"
    assert (during.tenure_years, str(during.next_expiry_on)) == (4, "2024-07-01")
    assert (during.age_band, during.postal_area, during.terms_36m) == ("36-45", "R1", 2)
    assert (str(before.last_contact_on), str(during.last_contact_on)) == (
        "2023-06-20", "2023-11-11",
    )  # fmt: skip
    assert (after.policies_in_force, after.tenure_years) == (0, 1)
    assert before.channel == "BROKER"


def test_claims_and_premium_of_the_36_months_to_the_valuation(build: Callable[..., Rows]) -> None:
    rows = build(
        ["2023-12-31", "2024-12-31"],
        """(1, DATE'2024-12-31', DATE'2021-12-31', 700.00BD), (1, DATE'2024-12-31',
            DATE'2022-01-01', 146.00BD), (1, DATE'2023-12-31', DATE'2022-01-01', 100.00BD)""",
        party=[{"party_id": 1}],
        policy=[policy(1, 1, "2021-01-01", "2023-01-01")],
        premium_transaction=[
            {"premium_txn_id": 1, "policy_id": 1, "amount": "730", "earn_from": "2021-01-01",
             "earn_to": "2023-01-01", "booked_on": "2021-01-01"},
        ],
    )  # fmt: skip
    late = rows[1, "2024-12-31"]
    assert (late.claims_36m, str(late.incurred_36m)) == (1, "146.00")
    assert (str(late.earned_premium_36m), late.loss_ratio_36m) == ("365.00", 0.4)
    assert str(rows[1, "2023-12-31"].earned_premium_36m) == "730.00"


def test_a_customer_without_premium_has_no_loss_ratio(build: Callable[..., Rows]) -> None:
    row = build(["2024-12-31"], policy=[policy(1, 1, "2024-01-01", "2025-01-01")])[1, "2024-12-31"]
    assert (row.loss_ratio_36m, row.overdue_invoices, row.claims_36m) == (None, 0, 0)
    assert row.age_band == "UNKNOWN"  # the party is not there, its contract is


def test_an_invoice_is_overdue_until_it_is_settled_or_written_off(
    build: Callable[..., Rows],
) -> None:
    def invoice(number: int, status: str, due: str = "2024-01-31") -> dict[str, Any]:
        row = {"invoice_id": number, "policy_id": 1, "due_date": due, "amount": "100"}
        return row | {"status": status, "updated_at": "2024-03-10T10:00"}

    def payment(number: int, invoice: int, amount: str, on: str, status: str = "SETTLED") -> Any:
        row = {"payment_id": number, "invoice_id": invoice, "policy_id": 1, "amount": amount}
        return row | {"paid_at": f"{on}T12:00", "status": status}

    rows = build(
        ["2024-01-31", "2024-02-29", "2024-03-31"],
        party=[{"party_id": 1}],
        policy=[policy(1, 1, "2024-01-01", "2025-01-01")],
        invoice=[invoice(1, "PAID"), invoice(2, "OVERDUE"), invoice(3, "WRITTEN_OFF"),
                 invoice(4, "VOID"), invoice(5, "PAID")],
        payment=[
            payment(1, 1, "50", "2024-02-10"), payment(2, 1, "50", "2024-03-05"),
            payment(3, 2, "100", "2024-02-01", status="BOUNCED"),
            payment(4, 5, "100", "2024-01-31"),
        ],
    )  # fmt: skip
    counts = {day: row.overdue_invoices for (_, day), row in rows.items()}
    assert counts == {"2024-01-31": 0, "2024-02-29": 3, "2024-03-31": 1}
