"""Days that stand out: baselines of the same weekday, z, the Poisson tail, and silence."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from dlt_pipelines.assumptions import AnomalyLimits
from dlt_pipelines.transforms.fraud.anomalies import anomalies, claim_events, policy_events
from tests.dlt_pipelines.conftest import Silver
from tests.dlt_pipelines.local_frame import local_frame

LAST = date(2024, 6, 28)
LIMITS = AnomalyLimits(
    days=366, weeks=8, fewest_points=6, z=Decimal("3.5"), tail=Decimal("0.001"), small_count=10
)
EVENT = "day DATE, segment STRING, metric STRING, amount DOUBLE, events INT"
Valued = Callable[..., DataFrame]
Judge = Callable[..., Row]


@pytest.fixture
def judge(spark: SparkSession, valued_at: Valued) -> Judge:
    """`judge(counts…)`: the row of the last day; one count a week, oldest first."""

    def last_day(*counts: int, amount: float = 1.0) -> Row:
        weeks = range(len(counts) - 1, -1, -1)
        rows = [
            (LAST - timedelta(weeks=back), "MOTOR", "new_claims", count * amount, count)
            for back, count in zip(weeks, counts, strict=True)
        ]
        events, nothing = local_frame(spark, rows, EVENT), local_frame(spark, [], EVENT)
        frame = anomalies(events, nothing, valued_at(str(LAST)), LIMITS)
        row = frame.where(f"segment = 'MOTOR' AND day = '{LAST}'").first()
        assert row is not None
        return row

    return last_day


def test_a_busy_day_is_measured_against_the_same_weekday(judge: Judge) -> None:
    row = judge(20, 22, 18, 24, 20, 22, 18, 24, 60)
    assert (row.method, row.points, row.baseline) == ("robust_z", 8, 21.0)
    assert row.z == pytest.approx(0.6745 * (60 - 21) / 2)
    assert row.flagged


def test_silence_is_an_anomaly_and_an_ordinary_day_is_none(judge: Judge) -> None:
    assert judge(20, 22, 18, 24, 20, 22, 18, 24, 0).flagged
    assert not judge(20, 22, 18, 24, 20, 22, 18, 24, 25).flagged


def test_only_the_eight_weeks_before_count(judge: Judge) -> None:
    row = judge(900, 900, 20, 22, 18, 24, 20, 22, 18, 24, 21)
    assert (row.points, row.baseline) == (8, 21.0)


@pytest.mark.parametrize(("count", "flagged"), [(1, False), (2, False), (3, True)])
def test_small_counts_follow_the_poisson_distribution(
    judge: Judge, count: int, flagged: bool
) -> None:
    row = judge(0, 0, 0, 0, 0, 0, 0, 0, count)  # one event in eight weeks at most
    assert (row.method, row.flagged) == ("poisson", flagged)
    tail = 1 - sum(math.exp(-1 / 8) * (1 / 8) ** k / math.factorial(k) for k in range(count))
    assert (tail < 0.001) is flagged


def test_equal_counts_have_no_z_and_are_tested_by_their_tail(judge: Judge) -> None:
    row = judge(*[30] * 8, 55)
    assert (row.method, row.z, row.flagged) == ("poisson", None, True)
    assert not judge(*[30] * 8, 40).flagged


def test_fewer_than_six_earlier_days_flag_nothing(judge: Judge) -> None:
    row = judge(20, 22, 18, 24, 20, 900)
    assert (row.points, row.method, row.flagged) == (5, "none", False)


def test_an_amount_of_few_events_is_judged_by_their_number(judge: Judge) -> None:
    row = judge(1, 2, 1, 0, 1, 2, 1, 1, 2, amount=50_000.0)
    assert (row.value, row.method, row.flagged) == (100_000.0, "poisson", False)


def test_every_day_has_its_row_and_all_adds_the_segments(
    spark: SparkSession, valued_at: Valued
) -> None:
    first = LAST - timedelta(days=3)
    rows = [(first, "MOTOR", "quotes", 1.0, 1), (first, "HOME", "quotes", 1.0, 1),
            (LAST + timedelta(days=1), "HOME", "quotes", 1.0, 1)]  # fmt: skip
    volumes = local_frame(spark, [(LAST, "ALL", "rows_party", 5.0, 5)], EVENT)
    frame = anomalies(local_frame(spark, rows, EVENT), volumes, valued_at(str(LAST)), LIMITS)
    values = {(row.segment, row.metric, str(row.day)): row.value for row in frame.collect()}
    assert values.pop(("ALL", "rows_party", str(LAST))) == 5.0
    assert len(values) == 3 * 4
    assert values["ALL", "quotes", str(first)] == 2.0
    assert values["ALL", "quotes", str(LAST)] == 0.0


def test_only_the_last_days_are_shown_but_older_ones_make_their_baseline(
    spark: SparkSession, valued_at: Valued
) -> None:
    rows = [(LAST - timedelta(days=back), "MOTOR", "quotes", 20.0, 20) for back in range(100)]
    nothing = local_frame(spark, [], EVENT)
    frame = anomalies(
        local_frame(spark, rows, EVENT), nothing, valued_at(str(LAST)), replace(LIMITS, days=3)
    )
    assert {(row.points, row.baseline) for row in frame.collect()} == {(8, 20.0)}
    assert frame.count() == 2 * 3


def test_without_events_there_are_no_rows(spark: SparkSession, valued_at: Valued) -> None:
    nothing = local_frame(spark, [], EVENT)
    assert anomalies(nothing, nothing, valued_at(str(LAST)), LIMITS).count() == 0


def test_events_come_from_reports_payments_quotes_and_cancellations(
    spark: SparkSession, silver: Silver
) -> None:
    positions = local_frame(
        spark, [(1, "MOTOR", LAST)], "claim_id BIGINT, segment STRING, reported_on DATE"
    )
    ledger = silver(
        "claim_transaction",
        {"claim_id": 1, "txn_type": "PAYMENT", "amount": "9.50", "accounting_date": LAST},
        {"claim_id": 1, "txn_type": "RESERVE", "amount": "7", "accounting_date": LAST},
    )
    policies = silver("policy", {"policy_id": 5, "policy_type": "HOME", "quoted_at": str(LAST)})
    bookings = silver(
        "policy_version",
        {"policy_id": 5, "txn_type": "CANCELLATION", "booked_at": str(LAST)},
        {"policy_id": 6, "txn_type": "CANCELLATION", "booked_at": str(LAST)},
        {"policy_id": 5, "txn_type": "NEW", "booked_at": str(LAST)},
    )
    events = claim_events(positions, ledger).unionByName(policy_events(policies, bookings))
    amounts = sorted((row.metric, row.segment, row.amount) for row in events.collect())
    assert amounts == [
        ("cancellations", "HOME", 1.0), ("cancellations", "UNKNOWN", 1.0),
        ("new_claims", "MOTOR", 1.0), ("paid", "MOTOR", 9.5), ("quotes", "HOME", 1.0),
    ]  # fmt: skip
