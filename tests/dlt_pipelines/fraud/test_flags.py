"""Fraud flags and scores: the rules and the example of the insurance model, section b9."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from dlt_pipelines.fraud_rules import FRAUD_RULES
from dlt_pipelines.transforms.fraud.flags import EVIDENCE, flags, scores
from tests.dlt_pipelines.local_frame import local_frame

RULES = {rule.rule_id: rule for rule in FRAUD_RULES}
CLAIM = {
    "claim_id": "BIGINT", "policy_id": "BIGINT", "loss_date": "DATE", "reported_on": "DATE",
    "report_lag_days": "INT", "cause_code": "STRING", "police_report": "STRING",
    "incurred": "DECIMAL(18,2)", "days_since_inception": "INT", "cancelled_on": "DATE",
    "usual_delay_days": "DOUBLE", "siu_status": "STRING",
}  # fmt: skip
USUAL: dict[str, Any] = {
    "claim_id": 1, "policy_id": 7, "loss_date": date(2024, 3, 10), "reported_on": date(2024, 3, 12),
    "report_lag_days": 2, "cause_code": "COLLISION", "incurred": Decimal("812.50"),
    "days_since_inception": 200, "is_covered": True, "usual_delay_days": 20.0, "party_claims": 1,
    "siu_status": "NONE",
}  # fmt: skip


def claims(spark: SparkSession, *rows: dict[str, Any]) -> Any:
    columns = CLAIM | EVIDENCE
    ddl = ", ".join(f"`{name}` {kind}" for name, kind in columns.items())
    assert all(set(row) <= set(columns) for row in rows)
    values = [tuple((USUAL | row).get(name) for name in columns) for row in rows]
    return local_frame(spark, values, ddl)


def raised(spark: SparkSession, **claim: Any) -> dict[str, Row]:
    return {row.rule: row for row in flags(claims(spark, claim), RULES).collect()}


def test_an_ordinary_claim_shows_nothing(spark: SparkSession) -> None:
    assert raised(spark) == {}


@pytest.mark.parametrize(
    ("claim", "rule", "points"),
    [
        ({"days_since_inception": -1, "is_covered": None}, "loss_before_inception", 40),
        ({"is_covered": None}, "outside_cover", 40),
        ({"days_since_inception": 0}, "early_claim", 20),
        ({"days_since_inception": 30}, "early_claim", 20),
        ({"days_since_inception": 31}, "early_claim", 10),
        ({"days_since_inception": 60}, "early_claim", 10),
        ({"increased_on": date(2024, 3, 1)}, "cover_increase", 20),
        ({"report_lag_days": 31}, "late_report", 10),
        ({"report_lag_days": 46, "usual_delay_days": 45.5}, "late_report", 10),
        ({"party_claims": 3}, "repeat_claims", 15),
        ({"peers": (2, "g", 30, 10.0, 3.1, 0.0)}, "amount_vs_peers", 15),
        ({"of_z": (0, "g", 30, 10.0, 0.1, -3.6)}, "robust_outlier", 15),
        ({"bank_sharers": 2}, "shared_bank", 30),
        ({"phone_sharers": 2}, "shared_phone", 15),
        ({"address_sharers": 2}, "shared_address", 10),
        ({"cancelled_on": date(2024, 3, 11)}, "cancelled_then_claimed", 15),
        ({"overdue_since": date(2024, 1, 1)}, "cancelled_then_claimed", 15),
        ({"incurred": Decimal("3000.00")}, "round_amount", 5),
        ({"cause_code": "THEFT", "police_report": "NO"}, "no_police_report", 5),
        ({"cause_code": "INJURY"}, "no_police_report", 5),
    ],
)
def test_a_claim_shows_one_indicator(
    spark: SparkSession, claim: dict[str, Any], rule: str, points: int
) -> None:
    indicators = raised(spark, **claim)
    assert {name: row.points for name, row in indicators.items()} == {rule: points}
    assert indicators[rule].evidence and indicators[rule].policy_id == 7


@pytest.mark.parametrize(
    "claim",
    [
        {"days_since_inception": 61},
        {"days_since_inception": None, "is_covered": None, "policy_id": None},  # an orphan
        {"report_lag_days": 30},
        {"report_lag_days": 45, "usual_delay_days": 45.0},
        {"party_claims": 2},
        {"peers": (2, "g", 29, 10.0, 9.0, 9.0)},
        {"peers": (2, "g", 30, 10.0, 3.0, 9.0)},
        {"of_z": (0, "g", 30, 10.0, 0.1, 3.5)},
        {"cancelled_on": date(2024, 4, 10)},  # the loss is 31 days before
        {"cancelled_on": date(2024, 3, 12)},  # reported on the day
        {"cancelled_on": date(2024, 3, 9)},  # the loss is later
        {"incurred": Decimal("0.00")},
        {"incurred": Decimal("1000.50")},
        {"cause_code": "THEFT", "police_report": "YES"},
    ],
)
def test_a_claim_at_the_limit_shows_nothing(spark: SparkSession, claim: dict[str, Any]) -> None:
    assert raised(spark, **claim) == {}


def test_each_flag_keeps_its_own_figures(spark: SparkSession) -> None:
    indicators = raised(
        spark, peers=(2, "MOTOR / FIRE / MAJOR", 40, 250.0, 3.25, 1.0),
        of_z=(1, "MOTOR / FIRE", 90, 100.0, 8.1, 5.5), phone_sharers=4,
    )  # fmt: skip
    assert (indicators["amount_vs_peers"].peer_n, indicators["amount_vs_peers"].robust_z) == (
        40,
        None,
    )
    outlier = indicators["robust_outlier"]
    assert (outlier.peer_group, outlier.peer_ratio, outlier.robust_z) == ("MOTOR / FIRE", 8.1, 5.5)
    assert (indicators["shared_phone"].sharers, indicators["shared_phone"].peer_n) == (4, None)


def test_a_rule_that_is_switched_off_raises_nothing(spark: SparkSession) -> None:
    rules = RULES | {"early_claim": replace(RULES["early_claim"], active=False)}
    rows = flags(claims(spark, {"days_since_inception": 25}), rules).collect()
    assert [(row.rule, row.points) for row in rows] == [("early_claim", 10)]
    rules["early_claim_later"] = replace(rules["early_claim_later"], active=False)
    assert flags(claims(spark, {"days_since_inception": 25}), rules).count() == 0


def test_the_example_scores_65_and_is_high(spark: SparkSession) -> None:
    frame = claims(
        spark,
        {"days_since_inception": 25, "peers": (2, "g", 50, 500.0, 3.4, 2.0), "bank_sharers": 2},
        {"claim_id": 2},
        {"claim_id": 3, "bank_sharers": 9, "siu_status": "REFERRED"},
        {"claim_id": 4, "bank_sharers": 9, "phone_sharers": 9, "is_covered": None,
         "increased_on": date(2024, 3, 1)},
    )  # fmt: skip
    rows = {row.claim_id: row for row in scores(frame, flags(frame, RULES), 60, 30).collect()}
    assert {key: (row.score, row.band) for key, row in rows.items()} == {
        1: (65, "HIGH"), 2: (0, "LOW"), 3: (30, "MEDIUM"), 4: (100, "HIGH"),
    }  # fmt: skip
    assert rows[1].rules == ["amount_vs_peers", "early_claim", "shared_bank"]
    assert (rows[2].rules, rows[3].siu_status) == ([], "REFERRED")


def test_without_claims_there_are_neither_flags_nor_scores(spark: SparkSession) -> None:
    nothing = claims(spark)
    assert scores(nothing, flags(nothing, RULES), 60, 30).count() == 0
