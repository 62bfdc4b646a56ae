"""Rules that look at several rows: parents that are missing, terms that are left, sums that fail.

Nothing is dropped for them: a row with money stays in every total, under UNKNOWN where its parent
is missing. Each function gives the rows of one table that break a rule, once for each, as
`table_name`, `rule`, `day` and `amount` (the money at stake, null where a row has none).
"""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from dlt_pipelines.quality import not_null
from dlt_pipelines.source_tables import SOURCE_TABLES

_TABLES = {table.name: table for table in SOURCE_TABLES}
_INSIDE_TERM = "first_day >= start_date AND last_day <= end_date OR start_date IS NULL"
_RATE_KNOWN = "currency IS NULL OR average_rate IS NOT NULL"
_CLOSING_RATE_KNOWN = "currency IS NULL OR closing_rate IS NOT NULL"
_NOT_AHEAD = "to_date({day}) <= to_date(newest_commit) OR newest_commit IS NULL"

# What must be true, by table and rule; null counts as true.
CROSS_RULES: dict[str, dict[str, str]] = {
    "party_address": {"party known": "has_party"},
    "policy": {
        "party known": "has_party OR party_id IS NULL",
        "product known": "has_product OR product_id IS NULL",
    },
    "policy_version": {
        "versions without gap": "version_no = position",
        "inside the term": _INSIDE_TERM,
        "exchange rate known": _CLOSING_RATE_KNOWN,
        "not dated ahead": _NOT_AHEAD.format(day="booked_at"),
    },
    "coverage": {
        "segments do not overlap": "effective_from = effective_to OR next_from >= effective_to",
        "inside the term": _INSIDE_TERM,
        "exchange rate known": _CLOSING_RATE_KNOWN,
    },
    "premium_transaction": {
        "policy known": "has_policy",
        "inside the term": _INSIDE_TERM,
        "exchange rate known": _RATE_KNOWN,
        "not dated ahead": _NOT_AHEAD.format(day="booked_on"),
    },
    "invoice": {"not overpaid": "settled <= greatest(amount, 0)"},
    "payment": {
        "invoice known": "has_invoice OR invoice_id IS NULL",
        "not dated ahead": _NOT_AHEAD.format(day="paid_at"),
    },
    "claim": {
        "policy known": "has_policy",
        "loss inside cover": "is_covered OR NOT has_policy",
        "closed without reserve": "status_at_v <> 'CLOSED' OR case_reserve = 0",
        "booked in time": "least(valuation_date, first_booking)"
        " <= date_add(to_date(reported_at), days_to_book)",
        "not dated ahead": _NOT_AHEAD.format(day="reported_at"),
    },
    "claim_party": {"party known": "has_party OR party_id IS NULL"},
    "claim_transaction": {
        "claim known": "has_claim",
        "booked after the loss": "accounting_date >= loss_date",
        "paid not negative": "txn_type <> 'PAYMENT' OR paid >= 0",
        "case reserve not negative": "txn_type <> 'RESERVE' OR reserve >= 0",
        "exchange rate known": _RATE_KNOWN,
        "not dated ahead": _NOT_AHEAD.format(day="accounting_date"),
    },
    "fund_price": {
        "price moves little": "abs(bid_price - before) <= largest_move * abs(before)",
        "price not stale": "is_last = false OR age_days <= stale_days",
    },
}


def breaking(rows: DataFrame, table: str, amount: str | None = None) -> DataFrame:
    """The rows of a table that break its rules, once for each; `amount`: what is at stake."""
    names = [
        f"if(coalesce({rule}, true), NULL, '{name}')" for name, rule in CROSS_RULES[table].items()
    ]
    money = amount or _TABLES[table].at_stake or "NULL"
    return rows.selectExpr(
        f"'{table}' AS table_name",
        f"explode({not_null(names)}) AS rule",
        f"to_date({_TABLES[table].day}) AS day",
        f"abs(CAST({money} AS DECIMAL(18,2))) AS amount",
    )


def with_parent(rows: DataFrame, parents: DataFrame, name: str, *columns: str) -> DataFrame:
    """Rows with `has_<name>`: whether the row they name in `<name>_id` is there; and columns."""
    key = f"{name}_id"
    marked = parents.select(key, *columns, F.lit(True).alias("_there"))
    has_parent = F.coalesce("_there", F.lit(False)).alias(f"has_{name}")
    return rows.join(marked, key, "left").select("*", has_parent).drop("_there")


def with_term(rows: DataFrame, policies: DataFrame, first_day: str, last_day: str) -> DataFrame:
    """Rows with `has_policy`, the dates of their term, and their own first and last day."""
    return with_parent(rows, policies, "policy", "start_date", "end_date").withColumns(
        {"first_day": F.col(first_day), "last_day": F.col(last_day)}
    )


def numbered(versions: DataFrame) -> DataFrame:
    """Policy versions with their `position` in the history of the policy."""
    in_order = Window.partitionBy("policy_id").orderBy("version_no")
    return versions.withColumn("position", F.row_number().over(in_order))


def followed(segments: DataFrame) -> DataFrame:
    """Coverage segments with the start of the next one of the same object and code."""
    in_order = Window.partitionBy("policy_id", "risk_object_id", "coverage_code").orderBy(
        "effective_from", "coverage_id"
    )
    return segments.withColumn("next_from", F.lead("effective_from").over(in_order))


def settled(invoices: DataFrame, payments: DataFrame) -> DataFrame:
    """Invoices with what was `settled`."""
    paid = payments.where("status = 'SETTLED'").groupBy("invoice_id")
    return invoices.join(paid.agg(F.sum("amount").alias("settled")), "invoice_id", "left")


def valued(claims: DataFrame, positions: DataFrame) -> DataFrame:
    """Current claims with what they cost and how they stand at one valuation."""
    money = positions.select(
        "claim_id", "policy_number", "incurred", "case_reserve", "valuation_date",
        F.col("status").alias("status_at_v"),
    )  # fmt: skip
    return claims.join(money, "claim_id", "left")


def with_cover(
    claims: DataFrame, segments: DataFrame, ledger: DataFrame, days_to_book: int
) -> DataFrame:
    """Valued claims with `is_covered` at the loss, and when the first booking was and is due."""
    first = ledger.groupBy("claim_id").agg(F.min("accounting_date").alias("first_booking"))
    on_risk = segments.select("policy_number", "risk_from", "risk_to")
    covered = (
        claims.select("claim_id", "policy_number", "loss_date")
        .join(on_risk, "policy_number")
        .where("risk_from <= loss_date AND loss_date < risk_to")
        .select("claim_id", F.lit(True).alias("_covered"))
        .distinct()
    )
    return (
        claims.join(first, "claim_id", "left")
        .join(covered, "claim_id", "left")
        .withColumn("is_covered", F.coalesce("_covered", F.lit(False)))
        .withColumn("days_to_book", F.lit(days_to_book))
    )


def with_balances(ledger: DataFrame) -> DataFrame:
    """Claim bookings with what was `paid` and in `reserve` after each of them."""
    to_date = Window.partitionBy("claim_id").orderBy("accounting_date", "claim_txn_id")
    balances = {
        name: F.sum(F.when(F.col("txn_type") == kind, F.col("amount")).otherwise(0)).over(to_date)
        for name, kind in (("paid", "PAYMENT"), ("reserve", "RESERVE"))
    }
    return ledger.withColumns(balances)


def with_neighbours(
    prices: DataFrame, latest: DataFrame, stale_days: int, largest_move: Decimal
) -> DataFrame:
    """Fund prices by the latest valuation with the price `before` and their age at it."""
    in_order = Window.partitionBy("fund_code").orderBy("price_date")
    return (
        prices.crossJoin(F.broadcast(latest))
        .where("price_date <= valuation_date")
        .withColumns(
            {
                "before": F.lag("bid_price").over(in_order),
                "is_last": F.lead("price_date").over(in_order).isNull(),
                "age_days": F.datediff("valuation_date", "price_date"),
                "stale_days": F.lit(stale_days),
                "largest_move": F.lit(largest_move),
            }
        )
    )
