"""Money of other currencies in the reporting currency.

A row without a rate is left out of sums, never added up as if it were in the reporting currency;
the rule `exchange rate known` of gold_dq_metric counts it with its amount. The currency of a
booking is that of its policy; a policy that is not known is taken to be in the reporting currency.

Bookings count at the average rate of their month. Annual premium is not booked but in force: it
counts at the closing rate of the latest valuation, in every year [choice]. A change of exchange
rates is then no change of premium, and the movement of premium in force balances.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from dlt_pipelines.transforms.versions import current


def foreign_policies(policies: DataFrame, reporting: str) -> DataFrame:
    """`policy_id`, `currency` of the policies in another currency: usually few."""
    foreign = current(policies).where(F.trim("currency") != reporting)
    return foreign.select("policy_id", F.trim("currency").alias("currency"))


def foreign_claims(claims: DataFrame, foreign: DataFrame) -> DataFrame:
    """`claim_id`, `currency` of the claims on policies in another currency."""
    return current(claims).join(F.broadcast(foreign), "policy_id").select("claim_id", "currency")


def with_rate(
    ledger: DataFrame, foreign: DataFrame, rates: DataFrame, key: str, day: str
) -> DataFrame:
    """Ledger rows with `currency` (null = reporting) and the `average_rate` of their month.

    Args:
        ledger: bookings.
        foreign: the rows of `key` that are in another currency.
        rates: `month`, `currency`, `average_rate`; one unit in the reporting currency.
        key: such as policy_id.
        day: the column with the day of the booking.
    """
    averages = rates.select("currency", F.col("month").alias("_month"), "average_rate")
    return (
        ledger.join(F.broadcast(foreign), key, "left")
        .withColumn("_month", F.trunc(day, "MM"))
        .join(F.broadcast(averages), ["currency", "_month"], "left")
        .drop("_month")
    )


def converted(rated: DataFrame, *columns: str) -> DataFrame:
    """The rows of `with_rate` in the reporting currency, without those that have no rate."""
    summable = rated.where("currency IS NULL OR average_rate IS NOT NULL")
    amounts = {name: F.expr(_converted(name, "average_rate")) for name in columns}
    return summable.withColumns(amounts).drop("average_rate")


def _converted(name: str, rate: str) -> str:
    return f"if(currency IS NULL, {name}, CAST({name} * {rate} AS DECIMAL(14,2)))"


def closing_rates(rates: DataFrame, valuations: DataFrame) -> DataFrame:
    """The last closing rate by each valuation: `currency`, `valuation_date`, `closing_rate`."""
    return (
        rates.crossJoin(F.broadcast(valuations.select("valuation_date")))
        .where("month <= valuation_date")
        .groupBy("currency", "valuation_date")
        .agg(F.max_by("closing_rate", "month").alias("closing_rate"))
    )


def at_closing_rate(rows: DataFrame, foreign: DataFrame, column: str) -> DataFrame:
    """Rows of policies with an amount in the reporting currency; null where there is no rate.

    Args:
        rows: any rows with a `policy_id`.
        foreign: `policy_id`, `currency`, `closing_rate` of the policies in another currency.
        column: the amount.
    """
    rated = rows.join(F.broadcast(foreign), "policy_id", "left")
    amount = F.expr(_converted(column, "closing_rate"))
    return rated.withColumn(column, amount).drop("currency", "closing_rate")
