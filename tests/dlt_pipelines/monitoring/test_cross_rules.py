"""Rules across rows: each breaks on the row it means, and on no other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines.transforms.monitoring import cross_rules as cross
from dlt_pipelines.transforms.monitoring.cross_rules import breaking
from tests.dlt_pipelines.conftest import Silver
from tests.dlt_pipelines.local_frame import local_frame

Valued = Callable[..., DataFrame]
NEWEST = datetime(2024, 6, 1, 12)
POLICY = {"policy_id": 1, "start_date": "2024-01-01", "end_date": "2025-01-01"}


def broken(frame: DataFrame, table: str, amount: str | None = None) -> list[tuple[str, Any]]:
    """(rule, amount) of every row that breaks a rule."""
    if "newest_commit" not in frame.columns:
        frame = frame.withColumn("newest_commit", F.lit(NEWEST))
    for column, kind in (("currency", "string"), ("average_rate", "int"), ("closing_rate", "int")):
        if column not in frame.columns:
            frame = frame.withColumn(column, F.lit(None).cast(kind))
    return sorted((row.rule, row.amount) for row in breaking(frame, table, amount).collect())


def test_an_address_of_nobody_and_a_policy_without_product(silver: Silver) -> None:
    parties, products = silver("party", {"party_id": 7}), silver("product", {"product_id": 3})
    addresses = silver("party_address", {"address_id": 1, "party_id": 7},
                       {"address_id": 2, "party_id": 8})  # fmt: skip
    assert broken(cross.with_parent(addresses, parties, "party"), "party_address") == [
        ("party known", None)
    ]
    policies = silver("policy", POLICY | {"party_id": 7, "product_id": 4},
                      POLICY | {"policy_id": 2})  # fmt: skip
    named = cross.with_parent(cross.with_parent(policies, parties, "party"), products, "product")
    assert broken(named, "policy") == [("product known", None)]


@pytest.mark.parametrize(
    ("currency", "rate", "rules"),
    [(None, None, []), ("USD", 2, []), ("USD", None, ["exchange rate known"])],
)
def test_a_booking_in_another_currency(
    silver: Silver, currency: str | None, rate: int | None, rules: list[str]
) -> None:
    booking = {"policy_id": 1, "amount": "80.00", "earn_from": "2024-01-01",
               "earn_to": "2025-01-01", "booked_on": "2024-06-01"}  # fmt: skip
    rows = silver("premium_transaction", booking).withColumns(
        {"currency": F.lit(currency).cast("string"), "average_rate": F.lit(rate).cast("int")}
    )
    dated = cross.with_term(rows, silver("policy", POLICY), "earn_from", "earn_to")
    assert [rule for rule, _ in broken(dated, "premium_transaction")] == rules


@pytest.mark.parametrize(
    ("booking", "rules"),
    [
        ({}, []),
        ({"policy_id": 9}, ["policy known"]),
        ({"earn_from": "2023-12-31"}, ["inside the term"]),
        ({"earn_to": "2025-01-02"}, ["inside the term"]),
        ({"booked_on": "2024-06-02"}, ["not dated ahead"]),
    ],
)
def test_a_premium_booking(silver: Silver, booking: dict[str, Any], rules: list[str]) -> None:
    usual = {"policy_id": 1, "amount": "-80.00", "earn_from": "2024-01-01",
             "earn_to": "2025-01-01", "booked_on": "2024-06-01"}  # fmt: skip
    rows = silver("premium_transaction", usual | booking)
    dated = cross.with_term(rows, silver("policy", POLICY), "earn_from", "earn_to")
    assert broken(dated, "premium_transaction") == [(rule, Decimal("80.00")) for rule in rules]


def test_a_gap_in_the_versions_of_a_policy(silver: Silver) -> None:
    versions = silver(
        "policy_version",
        *({"policy_id": 1, "version_no": number, "effective_date": "2024-02-01",
           "annual_premium": "10", "booked_at": "2024-02-01"} for number in (1, 2, 4)),
    )  # fmt: skip
    dated = cross.with_term(
        cross.numbered(versions), silver("policy", POLICY), "effective_date", "effective_date"
    )
    assert broken(dated, "policy_version") == [("versions without gap", 10)]


def test_segments_that_overlap_and_those_that_touch(silver: Silver) -> None:
    def segment(key: int, start: str, end: str, code: str = "TPL") -> dict[str, Any]:
        return {"coverage_id": key, "policy_id": 1, "coverage_code": code, "effective_from": start,
                "effective_to": end, "annual_premium": "5", "risk_object_id": 2}  # fmt: skip

    rows = silver(
        "coverage",
        segment(1, "2024-01-01", "2024-03-01"), segment(2, "2024-03-01", "2024-06-01"),
        segment(3, "2024-05-31", "2025-01-01"), segment(4, "2024-05-01", "2024-05-01"),
        segment(5, "2024-01-01", "2025-01-01", "COLL"),
    )  # fmt: skip
    dated = cross.with_term(
        cross.followed(rows), silver("policy", POLICY), "effective_from", "effective_to"
    )
    assert broken(dated, "coverage") == [("segments do not overlap", 5)]


def test_more_was_settled_than_is_due(silver: Silver) -> None:
    invoices = silver("invoice", *({"invoice_id": key, "amount": "90"} for key in (1, 2, 3)))
    payments = silver(
        "payment",
        {"invoice_id": 1, "amount": "90", "status": "SETTLED", "paid_at": "2024-01-01"},
        {"invoice_id": 1, "amount": "25", "status": "BOUNCED", "paid_at": "2024-01-01"},
        {"invoice_id": 2, "amount": "60", "status": "SETTLED", "paid_at": "2024-01-01"},
        {"invoice_id": 2, "amount": "60", "status": "SETTLED", "paid_at": "2024-01-01"},
        {"invoice_id": 9, "amount": "60", "status": "SETTLED", "paid_at": "2024-01-01"},
    )
    excess = "settled - greatest(amount, 0)"
    assert broken(cross.settled(invoices, payments), "invoice", excess) == [("not overpaid", 30)]
    assert broken(cross.with_parent(payments, invoices, "invoice"), "payment") == [
        ("invoice known", 60)
    ]


@pytest.mark.parametrize(
    ("claim", "position", "booked", "rules"),
    [
        ({}, {}, "2024-03-20", []),
        ({"policy_id": None}, {"policy_number": None}, "2024-03-20", ["policy known"]),
        ({"policy_id": 9}, {"policy_number": None}, "2024-03-20", ["policy known"]),
        ({"loss_date": "2025-01-01"}, {}, "2024-03-20", ["loss inside cover"]),
        ({}, {"status": "CLOSED", "case_reserve": 5}, "2024-03-20", ["closed without reserve"]),
        ({}, {}, "2024-04-11", ["booked in time"]),
        ({}, {}, None, ["booked in time"]),
        ({}, {"valuation_date": "2024-04-10"}, None, []),  # it has one day left
    ],
)
def test_a_claim(
    spark: SparkSession, silver: Silver, claim: dict[str, Any], position: dict[str, Any],
    booked: str | None, rules: list[str],
) -> None:  # fmt: skip
    usual = {"claim_id": 1, "policy_id": 1, "loss_date": "2024-03-10", "reported_at": "2024-03-11"}
    claims = cross.with_parent(
        silver("claim", usual | claim), silver("policy", POLICY | {"policy_number": "P1"}), "policy"
    )
    figures = {"claim_id": 1, "policy_number": "P1", "incurred": 700, "case_reserve": 0,
               "valuation_date": "2024-06-30", "status": "OPEN"} | position  # fmt: skip
    kinds = "claim_id BIGINT, policy_number STRING, incurred INT, case_reserve INT," + (
        " valuation_date STRING, status STRING"
    )
    positions = local_frame(spark, [tuple(figures.values())], kinds).withColumn(
        "valuation_date", F.to_date("valuation_date")
    )
    segments = spark.sql("SELECT 'P1' AS policy_number, DATE'2024-01-01' AS risk_from,"
                         " DATE'2025-01-01' AS risk_to")  # fmt: skip
    ledger = silver("claim_transaction", *([{"claim_id": 1, "accounting_date": booked}]
                                           if booked else []))  # fmt: skip
    frame = cross.with_cover(cross.valued(claims, positions), segments, ledger, 30)
    assert broken(frame, "claim", "incurred") == [(rule, 700) for rule in rules]


def test_claim_bookings_before_the_loss_and_below_zero(silver: Silver) -> None:
    def booking(key: int, kind: str, amount: str, day: str, claim: int = 1) -> dict[str, Any]:
        return {"claim_txn_id": key, "claim_id": claim, "txn_type": kind, "amount": amount,
                "accounting_date": day}  # fmt: skip

    rows = silver(
        "claim_transaction",
        booking(1, "RESERVE", "10", "2024-03-09"),  # before the loss
        booking(2, "RESERVE", "-11", "2024-03-12"),  # one below zero
        booking(3, "RESERVE", "1", "2024-03-13"),
        booking(4, "PAYMENT", "-3", "2024-03-13"),
        booking(5, "PAYMENT", "7", "2024-03-13", claim=9),
    )
    claims = silver("claim", {"claim_id": 1, "loss_date": "2024-03-10"})
    frame = cross.with_parent(cross.with_balances(rows), claims, "claim", "loss_date")
    assert broken(frame, "claim_transaction") == [
        ("booked after the loss", 10), ("case reserve not negative", 11),
        ("claim known", 7), ("paid not negative", 3),
    ]  # fmt: skip


def test_prices_that_jump_or_grow_old(silver: Silver, valued_at: Valued) -> None:
    prices = [("A", "2024-05-01", "1.00"), ("A", "2024-05-02", "1.20"), ("A", "2024-05-03", "1.45"),
              ("B", "2024-04-27", "2.00"), ("B", "2024-06-01", "9.00")]  # fmt: skip
    rows = silver(
        "fund_price",
        *({"fund_code": fund, "price_date": day, "bid_price": bid} for fund, day, bid in prices),
    )
    frame = cross.with_neighbours(rows, valued_at("2024-05-03"), 5, Decimal("0.20"))
    breaks = breaking(frame, "fund_price").select("rule", F.col("day").cast("string")).collect()
    assert sorted(tuple(row) for row in breaks) == [
        ("price moves little", "2024-05-03"), ("price not stale", "2024-04-27"),
    ]  # fmt: skip
