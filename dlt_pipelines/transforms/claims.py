"""Claims valued at a date: money from the ledger, status from the claim's own history."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from dlt_pipelines.assumptions import BySegment
from dlt_pipelines.transforms.versions import UNKNOWN, current

CLOSED_STATUSES = ("CLOSED", "REJECTED", "WITHDRAWN")


def claims_with_changes(versions: DataFrame) -> DataFrame:
    """The current row of every claim, and `changes`: when its status changed, oldest first.

    `changes` is an array of (at, status). A claim row knows only its last closing and reopening;
    the recorded versions hold the earlier ones, so all versions are read. A refusal without
    a closing time counts from the update that recorded it.
    """
    closed = F.when(
        F.col("status").isin(*CLOSED_STATUSES), F.coalesce("closed_at", "updated_at")
    ).otherwise(F.col("closed_at"))
    closed_as = F.when(F.col("status").isin(*CLOSED_STATUSES), F.col("status")).otherwise("CLOSED")
    happened = F.array(
        F.struct(closed.alias("at"), closed_as.alias("status")),
        F.struct(F.col("reopened_at").alias("at"), F.lit("REOPENED").alias("status")),
    )
    changes = F.array_sort(F.array_distinct(F.flatten(F.collect_list("_happened"))))
    return (
        versions.withColumn(
            "_happened", F.filter(happened, lambda change: change["at"].isNotNull())
        )
        .groupBy("claim_id")
        .agg(
            F.max_by(F.struct(*_CLAIM_COLUMNS), "__START_AT").alias("now"),
            F.bool_or(F.col("__END_AT").isNull()).alias("_exists"),
            changes.alias("changes"),
        )
        .where("_exists")
        .select("claim_id", "now.*", "changes")
    )


_CLAIM_COLUMNS = (
    "claim_number", "policy_id", "coverage_id", "loss_date", "reported_at", "cause_code",
    "catastrophe_code", "litigated",
)  # fmt: skip


def ledger_totals(ledger: DataFrame, valuations: DataFrame, rates: DataFrame) -> DataFrame:
    """Sums of the claim ledger as at each valuation: one row per claim and valuation date.

    A recovery reserve is stored negative, so incurred is a plain sum. Reserves in another currency
    are converted at the last closing rate by the valuation.

    Args:
        ledger: in the reporting currency, with `currency` (null = reporting) and `own_amount`.
        valuations: `valuation_date`.
        rates: from `exchange.closing_rates`.
    """
    return (
        ledger.crossJoin(F.broadcast(valuations.select("valuation_date")))
        .where("accounting_date <= valuation_date")
        .join(F.broadcast(rates), ["currency", "valuation_date"], "left")
        .withColumn("amount", F.expr(_VALUED))
        .groupBy("claim_id", "valuation_date")
        .agg(
            _total("txn_type = 'PAYMENT'", "paid"),
            _total("txn_type = 'PAYMENT' AND component = 'INDEMNITY'", "paid_indemnity"),
            _total("txn_type = 'PAYMENT' AND component = 'EXPENSE'", "paid_expense"),
            _total("txn_type = 'RECOVERY'", "recovered"),
            _total("txn_type = 'RESERVE'", "case_reserve"),
            _total("txn_type = 'RECOVERY_RESERVE'", "recovery_reserve"),
        )
    )


def claim_positions(
    claims: DataFrame,
    totals: DataFrame,
    policies: DataFrame,
    coverages: DataFrame,
    valuations: DataFrame,
    cap: BySegment,
) -> DataFrame:
    """One row per claim and valuation date from its report (or first booking) on.

    Args:
        claims: from `claims_with_changes`.
        totals: from `ledger_totals`. Money of a claim that is not there keeps a row.
        policies: versions; the segment is the policy's type, UNKNOWN for an orphan.
        coverages: versions.
        valuations: `valuation_date`.
        cap: where a claim counts as large, on its net incurred at the valuation.
    """
    terms = current(policies).select("policy_id", "policy_number", "policy_type")
    covers = current(coverages).select("coverage_id", "coverage_code")
    described = claims.join(terms, "policy_id", "left").join(covers, "coverage_id", "left")
    dated = described.crossJoin(F.broadcast(valuations.select("valuation_date")))
    keys = ["claim_id", "valuation_date"]
    return (
        dated.join(totals, keys, "full")
        .where("paid IS NOT NULL OR to_date(reported_at) <= valuation_date")
        .fillna(0, list(_MONEY_COLUMNS))
        .fillna(UNKNOWN, ["policy_type"])
        .withColumnRenamed("policy_type", "segment")
        .withColumns({"_change": _last_change(), "incurred": F.expr(_INCURRED)})
        .withColumn("incurred_capped", F.least("incurred", cap.of(F.col("segment"))))
        .select(*keys, *_described(), *_money_columns())
    )


def _last_change() -> Column:
    """The latest status change by the end of the valuation day; null if none."""
    return F.expr(
        "try_element_at(filter(changes, change -> to_date(change.at) <= valuation_date), -1)"
    )


def _described() -> list[Column]:
    status = F.coalesce(F.col("_change.status"), F.lit("OPEN"))
    closed_on = F.when(status.isin(*CLOSED_STATUSES), F.to_date("_change.at"))
    return [
        F.col("claim_number"),
        F.col("policy_id"),
        F.col("policy_number"),
        F.col("segment"),
        F.col("coverage_code"),
        F.col("cause_code"),
        F.col("catastrophe_code"),
        F.col("loss_date"),
        F.year("loss_date").alias("accident_year"),
        F.to_date("reported_at").alias("reported_on"),
        F.datediff(F.to_date("reported_at"), "loss_date").alias("report_lag_days"),
        F.when(F.col("claim_number").isNotNull(), status).alias("status"),
        closed_on.alias("closed_on"),
        F.col("litigated"),
    ]


def _money_columns() -> list[Column]:
    money = {name: F.col(name) for name in (*_MONEY_COLUMNS, "incurred", "incurred_capped")}
    money["excess"] = F.col("incurred") - F.col("incurred_capped")
    columns = [column.cast("decimal(18,2)").alias(name) for name, column in money.items()]
    return [*columns, (F.col("incurred") > F.col("incurred_capped")).alias("is_large")]


_MONEY_COLUMNS = (
    "paid", "paid_indemnity", "paid_expense", "recovered", "case_reserve", "recovery_reserve",
)  # fmt: skip
_INCURRED = "paid - recovered + case_reserve + recovery_reserve"


_VALUED = """if(currency IS NULL OR txn_type NOT LIKE '%RESERVE', amount,
                CAST(own_amount * closing_rate AS DECIMAL(14,2)))"""


def _total(condition: str, name: str) -> Column:
    return F.sum(F.expr(f"if({condition}, amount, 0)")).cast("decimal(18,2)").alias(name)
