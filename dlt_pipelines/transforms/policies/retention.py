"""Which contracts are renewed when a term ends, and at what price."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from dlt_pipelines.transforms.bands import whole_years, with_bands
from dlt_pipelines.transforms.risk import NEVER_BOUND
from dlt_pipelines.transforms.versions import UNKNOWN, current

# Statuses that say that a term was bound. ACTIVE is the original system's word for IN_FORCE.
RENEWED_STATUSES = ("BOUND", "IN_FORCE", "ACTIVE", "EXPIRED", "RENEWED", "LAPSED")

FACTORS = ("policy_type", "channel", "region_code", "payment_plan", "tenure_years",
           "price_change_band")  # fmt: skip
_COUNTS = {
    "expiring": "is_expiring",
    "renewed": "is_renewed",
    "cancelled_mid_term": "NOT is_expiring",
}
_PREMIUMS = {
    "expiring_premium": ("is_expiring", "premium"),
    "renewed_premium": ("is_renewed", "next_premium"),
    "expiring_premium_of_renewed": ("is_renewed", "premium"),
}


def terms_that_end(policies: DataFrame, versions: DataFrame, latest: DataFrame) -> DataFrame:
    """One row per bound term whose end date is not after the latest valuation.

    `is_expiring`: not cancelled before its end. `is_renewed`: expiring, and the next term of the
    number was bound by the valuation; an offer does not count. A term that was cancelled from its
    first day was never there. The premium of a term is that of its last version.

    Columns: policy_id, policy_number, policy_type, agent_id, payment_plan, end_date,
    valuation_date, is_expiring, is_renewed, premium, next_premium, tenure_years.

    Args:
        policies: versions of silver_policy.
        versions: silver_policy_version.
        latest: one row, the latest `valuation_date`.
    """
    valuation = F.broadcast(latest.select("valuation_date"))
    priced = current(policies).join(_last_premiums(versions, valuation), "policy_id", "left")
    return (
        _with_next_term(priced)
        .crossJoin(valuation)
        .where("NOT is_offer AND end_date <= valuation_date")
        .where("coalesce(cancelled_on > start_date, true)")
        .selectExpr(
            "policy_id", "policy_number", "policy_type", "agent_id", "payment_plan", "end_date",
            "valuation_date", "is_expiring",
            "is_expiring AND coalesce(next.was_bound AND next.term_no = term_no + 1, false)"
            " AND coalesce(next.bound_on <= valuation_date, true) AS is_renewed",
            "premium",
            "if(next.term_no = term_no + 1, next.premium, NULL) AS next_premium",
            f"greatest(term_no, {whole_years('first_start', 'end_date')}) AS tenure_years",
        )
    )  # fmt: skip


def _last_premiums(versions: DataFrame, valuation: DataFrame) -> DataFrame:
    """The `premium` of the last version of each policy by the valuation."""
    return (
        versions.crossJoin(valuation)
        .where("to_date(booked_at) <= valuation_date")
        .groupBy("policy_id")
        .agg(F.max_by("annual_premium", "version_no").alias("premium"))
    )


def _with_next_term(terms: DataFrame) -> DataFrame:
    """Terms with the `next` one of their number, and whether they are offers and run to the end."""
    contract = Window.partitionBy("policy_number")
    following = F.struct(
        "term_no",
        F.to_date("bound_at").alias("bound_on"),
        _was_bound().alias("was_bound"),
        "premium",
    )
    is_offer = F.coalesce(F.col("status").isin(*NEVER_BOUND), F.lit(False))
    return terms.withColumns(
        {
            "is_offer": is_offer,
            "first_start": F.min(F.when(~is_offer, F.col("start_date"))).over(contract),
            "next": F.lead(following).over(contract.orderBy("term_no")),
            "is_expiring": F.expr("cancelled_on IS NULL OR cancelled_on >= end_date"),
        }
    )


def _was_bound() -> Column:
    is_bound = F.col("status").isin(*RENEWED_STATUSES)
    return is_bound | F.expr("status = 'CANCELLED' AND coalesce(cancelled_on > start_date, true)")


def retention_cohorts(
    terms: DataFrame, agents: DataFrame, risk_objects: DataFrame, bands: DataFrame,
    mature_after_days: int,
) -> DataFrame:  # fmt: skip
    """One row per expiry month, factor and level; every ratio is a sum over a sum.

    The factor `(all)` has the level `(all)`; a level that is not known is UNKNOWN. The price
    change is the renewal premium in percent of the expiring one, so it is known only where the
    source recorded a price for the next term. `retention_12m` also counts as lost the terms that
    were cancelled before their end. Source: insurance model (b) 3.

    Args:
        terms: from `terms_that_end`.
        agents: versions of silver_agent.
        risk_objects: versions of silver_risk_object; the region is that of the first object.
        bands: the table ref_band.
        mature_after_days: days from the end of an expiry month until late answers are in.
    """
    levels = [("(all)", F.lit("(all)"))]
    levels += [(name, F.coalesce(F.col(name), F.lit(UNKNOWN))) for name in FACTORS]
    pairs = F.array(*(F.struct(F.lit(n).alias("factor"), c.alias("level")) for n, c in levels))
    return (
        _described(terms, agents, risk_objects, bands)
        .withColumn("expiry_month", F.expr("CAST(trunc(end_date, 'MM') AS DATE)"))
        .select("*", F.inline(pairs))
        .groupBy("expiry_month", "factor", "level", "valuation_date")
        .agg(
            *(F.expr(f"count_if({rows})").alias(name) for name, rows in _COUNTS.items()),
            *(_sum(rows, premium).alias(name) for name, (rows, premium) in _PREMIUMS.items()),
        )
        .selectExpr(
            "expiry_month", "factor", "level", "expiring", "renewed", *_PREMIUMS, *_RATIOS,
            f"date_add(last_day(expiry_month), {mature_after_days}) <= valuation_date AS mature",
            "cancelled_mid_term",
        )
    )  # fmt: skip


_RATIOS = (
    "renewed / CAST(nullif(expiring, 0) AS DOUBLE) AS renewal_ratio",
    "1 - renewed / CAST(nullif(expiring, 0) AS DOUBLE) AS lapse_ratio",
    "CAST(renewed_premium AS DOUBLE) / CAST(nullif(expiring_premium, 0) AS DOUBLE)"
    " AS premium_retention",
    "CAST(renewed_premium AS DOUBLE) / CAST(nullif(expiring_premium_of_renewed, 0) AS DOUBLE) - 1"
    " AS rate_change_on_renewed",
    "renewed / CAST(nullif(expiring + cancelled_mid_term, 0) AS DOUBLE) AS retention_12m",
)


def _described(
    terms: DataFrame, agents: DataFrame, risk_objects: DataFrame, bands: DataFrame
) -> DataFrame:
    channels = current(agents).select("agent_id", "channel")
    regions = (
        current(risk_objects)
        .groupBy("policy_id")
        .agg(F.min_by("region_code", "risk_object_id").alias("region_code"))
    )
    percent = "CAST(floor(100 * next_premium / nullif(premium, 0)) AS INT)"
    described = (
        terms.join(channels, "agent_id", "left")
        .join(regions, "policy_id", "left")
        .withColumn("tenure_years", F.col("tenure_years").cast("string"))
    )
    return with_bands(described, bands, {"price_change_band": percent})


def _sum(condition: str, name: str) -> Column:
    total = F.sum(F.expr(f"if({condition}, {name}, 0)"))
    return F.coalesce(total, F.lit(0)).cast("decimal(18,2)")
