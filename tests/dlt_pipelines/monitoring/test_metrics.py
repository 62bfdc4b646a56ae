"""Quality metrics: what passed, what failed, and the money at stake, by day and rule."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import dms, quality
from dlt_pipelines.source_tables import SOURCE_TABLES
from dlt_pipelines.transforms.monitoring.metrics import metrics
from dlt_pipelines.transforms.monitoring.row_counts import (
    checked,
    count_checked,
    count_delivered,
    count_gold_checked,
    count_refused,
    delivered,
    gold_checked,
    refused,
    warned_on_raw,
)
from tests.dlt_pipelines.conftest import Silver
from tests.dlt_pipelines.local_frame import local_frame

TABLES = {table.name: table for table in SOURCE_TABLES}
DAY = date(2024, 5, 1)


def text_rows(spark: SparkSession, table: str, *rows: dict[str, Any]) -> DataFrame:
    columns = [*dms.file_columns(TABLES[table]), dms.RESCUED]
    ddl = ", ".join(f"`{name}` STRING" for name in columns) + ", _reasons ARRAY<STRING>"
    usual = {dms.OP: "I", dms.COMMIT_TIME: "2024-05-02 08:00:00.000001"}
    values = [tuple((usual | row).get(name) for name in [*columns, "_reasons"]) for row in rows]
    return local_frame(spark, values, ddl)


def test_delivered_rows_count_on_the_day_they_were_written_or_else_committed(
    spark: SparkSession,
) -> None:
    rows = text_rows(
        spark, "premium_transaction", {"booked_on": "2024-05-01"}, {"booked_on": "2024-05-01"},
        {"booked_on": "soon", dms.COMMIT_TIME: "2024-05-03 08:00:00.000001"},
    )  # fmt: skip
    counts = count_delivered([delivered(rows, TABLES["premium_transaction"])]).collect()
    assert sorted((str(row.day), row["rows"]) for row in counts) == [
        ("2024-05-01", 2), ("2024-05-03", 1),
    ]  # fmt: skip
    assert max(str(row.newest_commit) for row in counts) == "2024-05-03 08:00:00.000001"


def test_a_refused_row_counts_for_each_rule_with_the_amount_that_can_be_read(
    spark: SparkSession,
) -> None:
    rows = text_rows(
        spark, "payment",
        {"updated_at": "2024-05-01 10:00:00", "amount": "-12.50", "_reasons": ["a", "b"]},
        {"updated_at": "2024-05-01 11:00:00", "amount": "much", "_reasons": ["a"]},
    )  # fmt: skip
    counts = count_refused([refused(rows, TABLES["payment"])]).collect()
    assert sorted((row.rule, row.failed, str(row.amount_at_stake)) for row in counts) == [
        ("a", 2, "12.50"), ("b", 1, "12.50"),
    ]  # fmt: skip


def test_a_warning_on_hidden_values_is_measured_on_the_delivered_text(spark: SparkSession) -> None:
    rows = text_rows(
        spark, "party", {"party_id": "1", "email": "a@b.eu", "updated_at": "2024-05-01"},
        {"party_id": "2", "email": "nonsense", "updated_at": "2024-05-01"},
    ).drop("_reasons")  # fmt: skip
    counts = count_refused([warned_on_raw(rows, TABLES["party"])]).collect()
    assert [(row.rule, row.failed, row.day) for row in counts] == [("email well formed", 1, DAY)]


@pytest.fixture
def measured(spark: SparkSession, silver: Silver) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Two payments came, one was refused; one of two in silver has no invoice; one is unknown."""
    payments = silver(
        "payment",
        {"payment_id": 1, "amount": "30", "updated_at": "2024-05-01", "invoice_id": 4},
        {"payment_id": 2, "amount": "40", "updated_at": "2024-05-01"},
    )
    came = local_frame(spark, [("payment", DAY, 3)], "table_name STRING, day DATE, rows BIGINT")
    failure = "table_name STRING, day DATE, rule STRING, failed BIGINT, amount_at_stake INT"
    no_amount = local_frame(spark, [("payment", DAY, "amount present", 1, None)], failure)
    unknown = local_frame(spark, [("payment", DAY, "invoice known", 1, 30)], failure)
    rules = local_frame(
        spark,
        [("payment", "amount present", "drop", "change"),
         ("payment", "payment_id present", "drop", "change"),
         ("payment", "invoice named", "warn", "row"),
         ("payment", "invoice known", "warn", "cross")],
        "table_name STRING, rule STRING, action STRING, basis STRING",
    )  # fmt: skip
    frame = metrics(
        came, no_amount, count_checked([checked(payments, TABLES["payment"])]), unknown, rules
    )
    return {
        (row.action, row.rule): (row.day, row.passed, row.failed, row.amount_at_stake)
        for row in frame.collect()
    }


def test_every_rule_has_its_row_measured_against_the_rows_it_looks_at(
    measured: dict[tuple[str, str], tuple[Any, ...]],
) -> None:
    assert measured == {
        ("drop", "amount present"): (DAY, 2, 1, None),
        ("drop", "payment_id present"): (DAY, 3, 0, None),
        ("warn", "invoice named"): (DAY, 1, 1, 40),
        ("warn", "invoice known"): (DAY, 1, 1, 30),
    }


def test_rows_of_gold_count_with_their_money_at_the_latest_valuation(spark: SparkSession) -> None:
    balances = "closing_in_force INT, opening_in_force INT, new_business INT, reinstated INT,"
    balances += " cancelled INT, lapsed INT, surrendered INT, claims INT, closing_premium INT,"
    balances += " opening_premium INT, new_premium INT, exited_premium INT, premium_change INT"
    rows = [
        (1, 0, 1, 0, 0, 0, 0, 0, 100, 0, 100, 0, 0),
        (5, 0, 1, 0, 0, 0, 0, 0, -70, 0, 100, 0, 0),
        (None, 0, 1, 0, 0, 0, 0, 0, 8, 8, 0, 0, 0),
    ]
    movements = local_frame(spark, rows, balances)
    latest = local_frame(spark, [(DAY,)], "valuation_date DATE")
    checked_rows = gold_checked(movements, "gold_inforce_movement")
    counts = count_gold_checked([checked_rows], latest).collect()
    assert {tuple(row.broken): (row.day, row["rows"], row.amount_at_stake) for row in counts} == {
        (): (DAY, 1, 100),
        ("movement balances", "premium balances"): (DAY, 1, 70),
        ("movement balances",): (DAY, 1, 8),
    }


def test_rules_of_one_table_have_names_of_their_own() -> None:
    from dlt_pipelines.transforms.monitoring.cross_rules import CROSS_RULES

    for name, table in TABLES.items():
        names = [
            *quality.drop_rules(table), *quality.raw_warn_rules(table),
            *quality.warn_rules(table), *CROSS_RULES.get(name, {}),
        ]  # fmt: skip
        assert len(names) == len(set(names)), name
