"""What customers did and what they owe, by party and valuation date."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from dlt_pipelines.transforms.versions import current

# Bookings of a contract that the customer asked for. A renewal counts by its binding.
_REQUESTS = ("ENDORSEMENT", "CANCELLATION", "REINSTATEMENT")


def contacts(
    terms: DataFrame, versions: DataFrame, claims: DataFrame, payments: DataFrame
) -> DataFrame:
    """One row per event of a party: `party_id`, `contact_on`, `bound_or_paid_on`, one of them null.

    A contact is a first quote, a binding, an endorsement, cancellation or reinstatement, and the
    report of a claim. A payment is none, because a direct debit needs no customer.

    Args:
        terms: from `customer_terms`.
        versions: silver_policy_version.
        claims: versions of silver_claim.
        payments: silver_payment.
    """
    owners = terms.select("policy_id", "party_id")
    bookings = [
        versions.where(F.col("txn_type").isin(*_REQUESTS)).selectExpr(
            "policy_id", "to_date(booked_at) AS contact_on"
        ),
        current(claims).selectExpr("policy_id", "to_date(reported_at) AS contact_on"),
        payments.where("status = 'SETTLED' AND amount > 0").selectExpr(
            "policy_id", "to_date(paid_at) AS bound_or_paid_on"
        ),
    ]
    first_quotes = terms.where("term_no = 1").selectExpr("party_id", "quoted_on AS contact_on")
    bindings = terms.selectExpr(
        "party_id", "bound_on AS contact_on", "bound_on AS bound_or_paid_on"
    )
    days = bindings.unionByName(first_quotes, allowMissingColumns=True)
    stacked = reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), bookings)
    events = stacked.join(owners, "policy_id").drop("policy_id").unionByName(days)
    return events.where("coalesce(contact_on, bound_or_paid_on) IS NOT NULL")


def at_first_valuation(events: DataFrame, valuations: DataFrame, day: str) -> DataFrame:
    """Events with the first `valuation_date` that sees them; those after the last one are left out.

    A running maximum over valuation dates then gives the latest event as at each of them, without
    a row for each event and date.
    """
    first = valuations.agg(F.min("valuation_date").alias("_first"))
    return (
        events.crossJoin(F.broadcast(first))
        .withColumn("_day", F.expr(f"greatest({day}, _first)"))
        .join(F.broadcast(_calendar(valuations)), "_day")
        .drop("_day", "_first")
    )


def _calendar(valuations: DataFrame) -> DataFrame:
    """Every `_day` from the first to the last valuation, and the first valuation that sees it.

    Days meet it in a hash join: to search the valuations for each event is ten times as slow.
    """
    dates = valuations.agg(F.array_sort(F.collect_list("valuation_date")).alias("_dates"))
    days = dates.withColumn(
        "_day", F.explode(F.expr("sequence(array_min(_dates), array_max(_dates))"))
    )
    seen_by = F.expr("filter(_dates, valuation -> valuation >= _day)[0]")
    return days.select("_day", seen_by.alias("valuation_date"))


def overdue(
    invoices: DataFrame, payments: DataFrame, owners: DataFrame, valuations: DataFrame
) -> DataFrame:
    """`overdue_invoices` by party and valuation date; no row where there are none.

    An invoice is overdue from the day after it was due until settled payments reach its amount,
    or it is written off. A void invoice was never due.

    Args:
        invoices: silver_invoice.
        payments: silver_payment.
        owners: `policy_id`, `party_id`.
        valuations: `valuation_date`.
    """
    in_order = Window.partitionBy("invoice_id").orderBy("paid_at", "payment_id")
    paid = payments.where("status = 'SETTLED'").select(
        "invoice_id",
        F.to_date("paid_at").alias("paid_on"),
        F.sum("amount").over(in_order).alias("settled"),
    )
    settled_on = F.min(F.when(F.col("settled") >= F.col("amount"), F.col("paid_on")))
    written_off = F.when(F.col("status") == "WRITTEN_OFF", F.to_date("updated_at"))
    return (
        invoices.where("amount > 0 AND status <> 'VOID'")
        .join(paid, "invoice_id", "left")
        .groupBy("invoice_id", "policy_id", "due_date", written_off.alias("written_off"))
        .agg(settled_on.alias("settled_on"))
        .withColumn("until", F.least("settled_on", "written_off"))
        .where("until IS NULL OR until > due_date")
        .join(owners, "policy_id")
        .crossJoin(F.broadcast(valuations.select("valuation_date")))
        .where("due_date < valuation_date AND coalesce(valuation_date < until, true)")
        .groupBy("party_id", "valuation_date")
        .agg(F.count("*").alias("overdue_invoices"))
    )
