"""Other currencies: the average rate of a booking's month, the closing rate of a valuation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines import settings
from dlt_pipelines.transforms.claims import ledger_totals
from dlt_pipelines.transforms.exchange import (
    at_closing_rate,
    closing_rates,
    converted,
    foreign_claims,
    foreign_policies,
    with_rate,
)
from dlt_pipelines.transforms.monitoring.cross_rules import breaking, followed, with_term
from dlt_pipelines.transforms.risk import in_force_at_month_ends, segments_on_risk
from tests.dlt_pipelines.conftest import Silver
from tests.dlt_pipelines.local_frame import local_frame

Valued = Callable[..., DataFrame]
RATE = "month DATE, currency STRING, average_rate DECIMAL(18,8), closing_rate DECIMAL(18,8)"


@pytest.fixture
def rates(spark: SparkSession) -> DataFrame:
    """A dollar is 0.90 on average and 0.80 at the end of January, then 0.95 and 1.10."""
    rows = [
        (date(2024, 1, 1), "USD", Decimal("0.90"), Decimal("0.80")),
        (date(2024, 2, 1), "USD", Decimal("0.95"), Decimal("1.10")),
    ]
    return local_frame(spark, rows, RATE)


@pytest.fixture
def policies(silver: Silver) -> DataFrame:
    """One policy in euros, one in dollars, one in pounds, for which there is no rate."""
    currencies = {1: "EUR", 2: "USD", 3: "GBP"}
    return silver("policy", *({"policy_id": k, "currency": c} for k, c in currencies.items()))


@pytest.fixture
def rated(silver: Silver, policies: DataFrame, rates: DataFrame) -> DataFrame:
    """A booking of 100 in January on each policy, on one that is not there, and in March."""
    bookings = [(1, "2024-01-31"), (2, "2024-01-31"), (3, "2024-01-31"), (9, "2024-01-31"),
                (2, "2024-03-01")]  # fmt: skip
    ledger = silver(
        "premium_transaction",
        *({"premium_txn_id": key, "policy_id": policy, "amount": "100.00", "tax_amount": "10.01",
           "booked_on": day} for key, (policy, day) in enumerate(bookings)),
    )  # fmt: skip
    return with_rate(ledger, foreign_policies(policies, "EUR"), rates, "policy_id", "booked_on")


def test_bookings_count_at_the_average_rate_of_their_month_and_not_without_one(
    rated: DataFrame,
) -> None:
    rows = converted(rated, "amount", "tax_amount").collect()
    assert {row.premium_txn_id: (str(row.amount), str(row.tax_amount)) for row in rows} == {
        0: ("100.00", "10.01"), 1: ("90.00", "9.01"), 3: ("100.00", "10.01"),
    }  # fmt: skip


def test_bookings_without_a_rate_are_counted_with_their_own_amount(rated: DataFrame) -> None:
    facts = {"newest_commit": F.lit(None).cast("timestamp"), "has_policy": F.lit(True)}
    dates = dict.fromkeys(
        ("start_date", "end_date", "first_day", "last_day"), F.lit(None).cast("date")
    )
    rows = breaking(rated.withColumns(facts | dates), "premium_transaction").collect()
    assert sorted((row.rule, str(row.day), int(row.amount)) for row in rows) == [
        ("exchange rate known", "2024-01-31", 100), ("exchange rate known", "2024-03-01", 100),
    ]  # fmt: skip


def test_reserves_count_at_the_last_closing_rate_and_payments_at_their_average(
    silver: Silver, policies: DataFrame, rates: DataFrame, valued_at: Valued
) -> None:
    claims = silver("claim", {"claim_id": 5, "policy_id": 2}, {"claim_id": 6, "policy_id": 1})
    ledger = silver(
        "claim_transaction",
        *({"claim_id": claim, "txn_type": kind, "component": "INDEMNITY", "amount": "100.00",
           "accounting_date": "2024-01-15"}
          for claim in (5, 6) for kind in ("RESERVE", "PAYMENT")),
    ).withColumn("own_amount", F.col("amount"))  # fmt: skip
    foreign = foreign_claims(claims, foreign_policies(policies, "EUR"))
    bookings = converted(with_rate(ledger, foreign, rates, "claim_id", "accounting_date"), "amount")
    days = valued_at("2024-01-31", "2024-02-29", "2024-03-31")
    totals = ledger_totals(bookings, days, closing_rates(rates, days)).collect()
    amounts = {
        (row.claim_id, row.valuation_date.month): (str(row.paid), str(row.case_reserve))
        for row in totals
    }
    assert amounts == {
        (5, 1): ("90.00", "80.00"), (5, 2): ("90.00", "110.00"), (5, 3): ("90.00", "110.00"),
        **{(6, month): ("100.00", "100.00") for month in (1, 2, 3)},
    }  # fmt: skip


def test_annual_premium_counts_at_the_closing_rate_of_the_latest_valuation_or_not_at_all(
    silver: Silver, rates: DataFrame, valued_at: Valued
) -> None:
    year = {"start_date": "2024-01-01", "end_date": "2025-01-01", "policy_type": "MOTOR"}
    policies = silver("policy", *(
        year | {"policy_id": key, "policy_number": f"P{key}", "currency": currency}
        for key, currency in enumerate(("EUR", "USD", "GBP"))
    ))  # fmt: skip
    coverages = silver("coverage", *(
        {"coverage_id": key, "policy_id": key, "effective_from": "2024-01-01", "unit_count": 1,
         "effective_to": "2025-01-01", "annual_premium": "100.00"} for key in range(3)
    ))  # fmt: skip
    latest = valued_at("2024-03-31")
    closing = closing_rates(rates, latest).drop("valuation_date")
    rated = foreign_policies(policies, "EUR").join(closing, "currency", "left")
    segments = at_closing_rate(segments_on_risk(coverages, policies), rated, "annual_premium")
    in_force = in_force_at_month_ends(segments, latest).collect()
    assert {(row.coverages, str(row.in_force_premium)) for row in in_force} == {(3, "210.00")}
    assert len(in_force) == 3

    doubtful = with_term(
        followed(coverages.join(rated, "policy_id", "left")), policies,
        "effective_from", "effective_to",
    )  # fmt: skip
    (row,) = breaking(doubtful, "coverage").collect()
    assert (row.rule, str(row.amount)) == ("exchange rate known", "100.00")


def test_currency_and_rates_are_configured(spark: SparkSession) -> None:
    session = spark.newSession()
    assert settings.reporting_currency(session) == "EUR"
    assert settings.exchange_rates(session) == []
    session.conf.set("insurance.exchange_rate.USD.2024-01", "0.91, 0.92")
    assert settings.exchange_rates(session) == [
        (date(2024, 1, 1), "USD", Decimal("0.91"), Decimal("0.92"))
    ]
    for wrong in ("USD.2024-13", "USD"):
        session.conf.set(f"insurance.exchange_rate.{wrong}", "0.91, 0.92")
        with pytest.raises(ValueError, match=wrong):
            settings.exchange_rates(session)
        session.conf.unset(f"insurance.exchange_rate.{wrong}")
    session.conf.set("insurance.exchange_rate.USD.2024-02", "0.91")
    with pytest.raises(ValueError, match="<average rate>,<closing rate>"):
        settings.exchange_rates(session)
