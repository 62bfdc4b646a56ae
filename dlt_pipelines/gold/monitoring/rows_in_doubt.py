"""rows_in_doubt: rows that break a rule which looks at several rows; not published."""

from functools import reduce

import dlt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines import settings
from dlt_pipelines.source_tables import SOURCE_TABLES, History
from dlt_pipelines.transforms.exchange import foreign_claims, foreign_policies, with_rate
from dlt_pipelines.transforms.monitoring import cross_rules as cross
from dlt_pipelines.transforms.versions import current

spark: SparkSession  # put here by the pipeline runtime

_WITH_VERSIONS = {table.name for table in SOURCE_TABLES if table.history is History.VERSIONS}


@dlt.table(
    comment="Rows that break a rule across rows: one row per source table, day and rule",
    table_properties={"quality": "gold"},
    temporary=True,
)
def rows_in_doubt() -> DataFrame:
    """See transforms/monitoring/cross_rules.py for the rules."""
    frames = [*_parties_and_policies(), *_bookings(), *_claims(), _prices()]
    return (
        reduce(DataFrame.unionByName, frames)
        .groupBy("table_name", "day", "rule")
        .agg(F.count("*").alias("failed"), F.sum("amount").alias("amount_at_stake"))
    )


def _rows(name: str) -> DataFrame:
    rows = spark.read.table(f"silver_{name}")
    return current(rows) if name in _WITH_VERSIONS else rows


def _dated(name: str) -> DataFrame:
    """Rows of a table with `newest_commit`, the time of the newest commit of all tables."""
    newest = spark.read.table("rows_delivered").agg(F.max("newest_commit").alias("newest_commit"))
    return _rows(name).crossJoin(F.broadcast(newest))


def _parties_and_policies() -> list[DataFrame]:
    parties, products = _rows("party"), _rows("product")
    policies = cross.with_parent(_rows("policy"), products, "product")
    return [
        cross.breaking(
            cross.with_parent(_rows("party_address"), parties, "party"), "party_address"
        ),
        cross.breaking(cross.with_parent(policies, parties, "party"), "policy"),
        cross.breaking(cross.with_parent(_rows("claim_party"), parties, "party"), "claim_party"),
    ]


def _bookings() -> list[DataFrame]:
    policies, invoices, payments = _rows("policy"), _rows("invoice"), _dated("payment")
    closing = F.broadcast(spark.read.table("foreign_policy"))
    versions = cross.numbered(_dated("policy_version").join(closing, "policy_id", "left"))
    segments = cross.followed(_rows("coverage").join(closing, "policy_id", "left"))
    rated = with_rate(_dated("premium_transaction"), _foreign(), _rates(), "policy_id", "booked_on")
    premium = cross.with_term(rated, policies, "earn_from", "earn_to")
    return [
        cross.breaking(
            cross.with_term(versions, policies, "effective_date", "effective_date"),
            "policy_version",
        ),
        cross.breaking(
            cross.with_term(segments, policies, "effective_from", "effective_to"), "coverage"
        ),
        cross.breaking(premium, "premium_transaction"),
        cross.breaking(
            cross.settled(invoices, payments), "invoice", "settled - greatest(amount, 0)"
        ),
        cross.breaking(cross.with_parent(payments, invoices, "invoice"), "payment"),
    ]


def _claims() -> list[DataFrame]:
    ledger = _rows("claim_transaction")
    segments = spark.read.table("segment_on_risk")
    positions = spark.read.table("gold_claim_position").join(_latest(), "valuation_date")
    claims = cross.with_parent(_dated("claim"), _rows("policy"), "policy")
    foreign = foreign_claims(spark.read.table("silver_claim"), _foreign())
    bookings = cross.with_balances(
        with_rate(_dated("claim_transaction"), foreign, _rates(), "claim_id", "accounting_date")
    )
    return [
        cross.breaking(
            cross.with_cover(
                cross.valued(claims, positions), segments, ledger, settings.days_to_book(spark)
            ),
            "claim",
            "incurred",
        ),
        cross.breaking(
            cross.with_parent(bookings, _rows("claim"), "claim", "loss_date"), "claim_transaction"
        ),
    ]


def _foreign() -> DataFrame:
    return foreign_policies(spark.read.table("silver_policy"), settings.reporting_currency(spark))


def _rates() -> DataFrame:
    return spark.read.table("ref_exchange_rate")


def _prices() -> DataFrame:
    neighbours = cross.with_neighbours(
        _rows("fund_price"),
        _latest(),
        settings.stale_price_days(spark),
        settings.largest_price_move(spark),
    )
    return cross.breaking(neighbours, "fund_price")


def _latest() -> DataFrame:
    latest = spark.read.table("ref_valuation").where("is_latest").select("valuation_date")
    return F.broadcast(latest)
