"""Agents: premium, renewals and claims of one policy go to one agent."""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession

from dlt_pipelines.transforms.policies.agent_scorecard import agent_scorecards
from dlt_pipelines.transforms.policies.retention import terms_that_end
from dlt_pipelines.transforms.premium import premium_by_type
from tests.dlt_pipelines.policies.conftest import term


def test_an_agent_and_what_no_agent_sold(spark: SparkSession, silver: Any, valued_at: Any) -> None:
    latest = valued_at("2024-12-31")
    policies = silver(
        "policy",
        term(1, "2023-07-01", "2024-07-01", agent_id=9, status="RENEWED"),
        term(2, "2024-07-01", "2025-07-01", agent_id=9, policy_number="P1", term_no=2),
        term(3, "2023-01-01", "2024-01-01"),
    )
    ledger = [
        {"policy_id": n, "amount": amount, "commission_amount": "12", "earn_from": start,
         "earn_to": end, "booked_on": start}
        for n, amount, start, end in (
            (1, "366", "2023-07-01", "2024-07-01"), (2, "365", "2024-07-01", "2025-07-01"),
            (3, "100", "2023-01-01", "2024-01-01"), (99, "7", "2024-01-01", "2024-01-02"),
        )
    ]  # fmt: skip
    positions = spark.sql(
        "SELECT * FROM VALUES (1, 2024, 91.00BD), (99, 2024, 5.00BD) AS t(policy_id, accident_year,"
        " incurred)"
    ).selectExpr("*", "DATE'2024-02-02' AS reported_on", "DATE'2024-12-31' AS valuation_date")
    cards = agent_scorecards(
        premium_by_type(silver("premium_transaction", *ledger), policies, latest),
        terms_that_end(policies, silver("policy_version"), latest),
        positions,
        policies,
        silver("agent", {"agent_id": 9, "channel": "TIED"}),
    )
    rows = {(row.agent_id, row.calendar_year): row for row in cards.collect()}
    agent = rows[9, 2024]
    assert (agent.channel, str(agent.written_premium), str(agent.commission)) == (
        "TIED", "365.00", "12.00",
    )  # fmt: skip
    assert str(agent.earned_premium) == "366.00"  # 182 of 366 days and 184 of 365
    assert (agent.expiring, agent.renewed, agent.renewal_ratio) == (1, 1, 1.0)
    assert (agent.claims, agent.loss_ratio) == (1, 91 / 366)
    nobody = rows[None, 2024]
    assert (nobody.channel, str(nobody.earned_premium), nobody.claims) == ("UNKNOWN", "7.00", 1)
    assert (nobody.expiring, nobody.renewal_ratio) == (1, 0.0)  # term 3 ends on 1 January 2024
    assert str(rows[None, 2023].earned_premium) == "100.00"
    assert rows[None, 2023].renewal_ratio is None
