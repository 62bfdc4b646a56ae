"""Cover at the loss, earlier claims, unpaid premium, and identifiers that people share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from dlt_pipelines.transforms.fraud.circumstances import (
    claims_to_judge,
    cover_at_loss,
    overdue_premium,
    repeats,
)
from dlt_pipelines.transforms.fraud.sharers import claim_owners, sharers
from tests.dlt_pipelines.conftest import Silver
from tests.dlt_pipelines.local_frame import local_frame

LOSS = date(2024, 3, 31)
CLAIM = (
    "claim_id BIGINT, policy_id BIGINT, policy_number STRING, party_id BIGINT,"
    " coverage_code STRING, loss_date DATE"
)
SEGMENT = (
    "policy_number STRING, coverage_code STRING, risk_from DATE, risk_to DATE,"
    " limit_amount DECIMAL(14,2)"
)
Claims = Callable[..., DataFrame]


@pytest.fixture
def claims(spark: SparkSession) -> Claims:
    """`claims((claim, policy number, party), …)`: one claim for each, all lost on LOSS."""

    def frame(*rows: tuple[int, str | None, int | None], loss: date = LOSS) -> DataFrame:
        full = [(key, key, number, party, "TPL", loss) for key, number, party in rows]
        return local_frame(spark, full, CLAIM)

    return frame


def cover(spark: SparkSession, claims: Claims, *segments: tuple[Any, ...]) -> Row | None:
    """Segments as (code, days before the loss it starts, days after it ends, limit)."""
    rows = [
        ("P1", code, LOSS - timedelta(start), LOSS + timedelta(end), Decimal(limit))
        for code, start, end, limit in segments
    ]
    frame = local_frame(spark, rows, SEGMENT)
    return cover_at_loss(claims((1, "P1", 7)), frame, Decimal("1.25"), 30).first()


@pytest.mark.parametrize(
    ("segments", "days_before"),
    [
        ([("TPL", 200, 100, 100)], None),  # there from the beginning
        ([("COLL", 200, 100, 100), ("TPL", 30, 100, 100)], 30),  # added
        ([("COLL", 200, 100, 100), ("TPL", 31, 100, 100)], None),  # too long ago
        ([("TPL", 200, -10, 100), ("TPL", 10, 90, 125)], 10),  # raised by a quarter
        ([("TPL", 200, -10, 100), ("TPL", 10, 90, 124)], None),
        ([("COLL", 200, -10, 100), ("COLL", 10, 90, 900), ("TPL", 200, 90, 1)], None),  # other
        ([("TPL", 200, 0, 100), ("TPL", -1, 90, 900)], None),  # after the loss
        ([("TPL", 300, -200, 500), ("TPL", 200, -5, 100), ("TPL", 5, 9, 200)], 5),
    ],
)
def test_cover_that_went_up_shortly_before_the_loss(
    spark: SparkSession, claims: Claims, segments: list[Any], days_before: int | None
) -> None:
    row = cover(spark, claims, *segments)
    assert row is not None
    expected = None if days_before is None else LOSS - timedelta(days_before)
    assert row.increased_on == expected


def test_a_loss_on_the_last_day_is_covered_and_on_the_end_is_not(
    spark: SparkSession, claims: Claims
) -> None:
    inside, outside = (cover(spark, claims, ("TPL", 9, end, 1)) for end in (1, 0))
    assert inside is not None and outside is not None
    assert (inside.is_covered, outside.is_covered) == (True, None)


def test_claims_of_a_party_are_counted_back_to_a_year_but_not_as_witness(
    spark: SparkSession, silver: Silver
) -> None:
    losses = {1: 0, 2: 365, 3: 366, 4: 100, 5: 200}
    rows = [
        (key, key, "P", 7 if key in (1, 3) else 50 + key, "TPL", LOSS - timedelta(days))
        for key, days in losses.items()
    ]
    involved = silver(
        "claim_party",
        {"claim_party_id": 1, "claim_id": 2, "party_id": 7, "role": "THIRD_PARTY"},
        {"claim_party_id": 2, "claim_id": 4, "party_id": 7, "role": "WITNESS"},
        {"claim_party_id": 3, "claim_id": 5, "party_id": 7, "role": "INSURED"},
        {"claim_party_id": 4, "claim_id": 5, "party_id": 7, "role": "DRIVER"},  # twice on one
    )
    frame = repeats(local_frame(spark, rows, CLAIM), involved, 365)
    counts = {row.claim_id: row.n for row in frame.groupBy("claim_id")
              .agg({"party_claims": "max"}).toDF("claim_id", "n").collect()}  # fmt: skip
    assert counts == {1: 3, 2: 2, 3: 1, 4: 1, 5: 3}


@pytest.mark.parametrize(
    ("due_days_before", "paid_days_before", "status", "is_overdue"),
    [
        (31, None, "OPEN", True),
        (30, None, "OPEN", False),
        (31, 0, "PAID", False),
        (31, -1, "PAID", True),  # paid a day after the loss
        (31, None, "VOID", False),
    ],
)
def test_premium_overdue_at_the_loss(
    claims: Claims, silver: Silver, due_days_before: int, paid_days_before: int | None,
    status: str, is_overdue: bool,
) -> None:  # fmt: skip
    due = LOSS - timedelta(due_days_before)
    invoices = silver("invoice", {"invoice_id": 5, "policy_id": 1, "due_date": due,
                                  "amount": "90.00", "status": status})  # fmt: skip
    part = {"invoice_id": 5, "amount": "45.00", "status": "SETTLED"}
    paid = []
    if paid_days_before is not None:
        day = str(LOSS - timedelta(paid_days_before))
        paid = [part | {"payment_id": number, "paid_at": f"{day} 10:00:00"} for number in (1, 2)]
    bounced = part | {"payment_id": 3, "paid_at": "2024-01-01", "status": "BOUNCED"}
    payments = silver("payment", bounced, *paid)
    rows = overdue_premium(claims((1, "P1", 7)), invoices, payments, 30).collect()
    assert [row.overdue_since for row in rows] == ([due] if is_overdue else [])


def test_days_since_the_first_bound_term_and_the_usual_delay_of_the_cause(
    spark: SparkSession, silver: Silver
) -> None:
    positions = local_frame(
        spark,
        [(1, 12, "P1", LOSS, "FIRE", 2), (2, 12, "P1", LOSS, "FIRE", 12), (3, None, None, LOSS,
          "FIRE", 22)],
        "claim_id BIGINT, policy_id BIGINT, policy_number STRING, loss_date DATE,"
        " cause_code STRING, report_lag_days INT",
    )  # fmt: skip
    terms = [
        {"policy_id": 10, "policy_number": "P1", "status": "NOT_TAKEN", "start_date": "2022-01-01"},
        {"policy_id": 11, "policy_number": "P1", "status": "EXPIRED", "start_date": "2023-03-31"},
        {"policy_id": 12, "policy_number": "P1", "status": "IN_FORCE", "start_date": "2024-03-31",
         "party_id": 7, "cancelled_on": "2024-05-01"},
    ]  # fmt: skip
    claim_rows = [{"claim_id": key, "siu_status": "NONE"} for key in (1, 2, 3)]
    frame = claims_to_judge(
        positions, silver("claim", *claim_rows), silver("policy", *terms), Decimal("0.5")
    )
    rows = {row.claim_id: row for row in frame.collect()}
    assert (rows[1].days_since_inception, rows[1].party_id) == (366, 7)
    assert {row.usual_delay_days for row in rows.values()} == {12.0}
    assert (rows[3].days_since_inception, rows[3].siu_status) == (None, "NONE")


def home(party: int, line: str | None, kind: str = "HOME", **more: Any) -> dict[str, Any]:
    return {"address_id": party * 10 + len(kind), "party_id": party, "address_type": kind,
            "line1": line, "postal_code": "1000", "valid_from": "2020-01-01", **more}  # fmt: skip


def shared(claims: DataFrame, silver: Silver, addresses: list[Any], **on_claim: str) -> set[int]:
    """The claims with an identifier of several people; each claim party carries `on_claim`."""
    keys = [(row.claim_id, row.party_id) for row in claims.collect()]
    parties = [
        {"party_id": party, "merged_into_party_id": 1 if party == 9 else None} for _, party in keys
    ]
    unique = {row["party_id"]: row for row in parties if row["party_id"]}
    owners = claim_owners(
        claims, silver("party", *unique.values()), silver("party_address", *addresses), 12
    )
    involved = silver(
        "claim_party",
        *({"claim_party_id": key, "claim_id": key, "role": "INSURED", **on_claim}
          for key, _ in keys),
    )  # fmt: skip
    rows = sharers(owners, involved, silver("claim_transaction")).collect()
    return {row.claim_id for row in rows}


def test_an_account_of_two_households_with_two_policies_is_shared(
    claims: Claims, silver: Silver
) -> None:
    frame = claims((1, "P1", 1), (2, "P2", 2))
    apart = [home(1, "a"), home(2, "b")]
    assert shared(frame, silver, apart, bank_account_token="T") == {1, 2}
    assert shared(frame, silver, [home(1, "a"), home(2, "a")], bank_account_token="T") == set()


def test_one_customer_and_one_policy_do_not_share_with_themselves(
    claims: Claims, silver: Silver
) -> None:
    apart = [home(1, "a"), home(2, "b")]
    same_party = claims((1, "P1", 1), (2, "P2", 1))
    same_policy = claims((1, "P1", 1), (2, "P1", 2))
    merged = claims((1, "P1", 1), (2, "P2", 9))
    for frame in (same_party, same_policy, merged):
        assert shared(frame, silver, apart, phone="X") == set()


def test_an_address_outside_the_household_is_shared_but_not_that_of_an_institution(
    claims: Claims, silver: Silver
) -> None:
    frame = claims((1, "P1", 1), (2, "P2", 2))
    mailing = [home(party, "dock", "MAILING") for party in (1, 2)]
    assert shared(frame, silver, [home(1, "a"), home(2, "b"), *mailing]) == {1, 2}
    many = [home(party, "a") for party in range(1, 12 + 2)]
    assert shared(frame, silver, many) == set()
    ended = [home(party, "dock", "MAILING", valid_to="2021-01-01") for party in (1, 2)]
    assert shared(frame, silver, [home(1, "a"), home(2, "b"), *ended]) == set()


def test_claims_without_policyholder_share_nothing_by_being_unknown(
    claims: Claims, silver: Silver
) -> None:
    frame = claims((1, None, None), (2, None, None))
    assert shared(frame, silver, [], bank_account_token="T") == set()
