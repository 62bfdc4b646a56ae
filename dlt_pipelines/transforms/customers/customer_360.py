"""All that is known of a customer at a valuation, in one row."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from dlt_pipelines.transforms.bands import whole_years, with_bands
from dlt_pipelines.transforms.customers.activity import at_first_valuation
from dlt_pipelines.transforms.premium import SUM
from dlt_pipelines.transforms.versions import current

_KEY = ("party_id", "valuation_date")
_WINDOW_FROM = "add_months(valuation_date, -36)"  # exclusive: the 36 months to the valuation


def customers(terms: DataFrame, valuations: DataFrame) -> DataFrame:
    """One row per party and valuation date from the day its first term was bound.

    `channel` is that of the agent of the term bound last.

    Args:
        terms: from `customer_terms`.
        valuations: `valuation_date`.
    """
    in_order = Window.partitionBy("party_id").orderBy("bound_on", "policy_id")
    bound = terms.where("bound_on IS NOT NULL").select(
        "party_id", "policy_id", "bound_on", "channel"
    )
    seen = at_first_valuation(bound, valuations, "bound_on").withColumnsRenamed(
        {"valuation_date": "seen_at"}
    )
    return (
        seen.withColumn("until", F.lead("seen_at").over(in_order))
        .crossJoin(F.broadcast(valuations.select("valuation_date")))
        .where("seen_at <= valuation_date AND coalesce(valuation_date < until, true)")
        .select(*_KEY, "channel")
    )


def terms_in_window(terms: DataFrame, valuations: DataFrame) -> DataFrame:
    """`first_start`, and `terms_36m`: terms that started in the 36 months to each valuation."""
    in_window = f"count_if(start_date > {_WINDOW_FROM} AND start_date <= valuation_date)"
    return (
        terms.crossJoin(F.broadcast(valuations.select("valuation_date")))
        .where("bound_on <= valuation_date")
        .groupBy(*_KEY)
        .agg(F.min("start_date").alias("first_start"), F.expr(in_window).alias("terms_36m"))
    )


def claims_in_window(positions: DataFrame, owners: DataFrame) -> DataFrame:
    """`claims_36m` and `incurred_36m`, of losses in the 36 months to each valuation."""
    return (
        positions.where(f"loss_date > {_WINDOW_FROM} AND loss_date <= valuation_date")
        .join(owners, "policy_id")
        .groupBy(*_KEY)
        .agg(F.count("*").alias("claims_36m"), F.sum("incurred").cast(SUM).alias("incurred_36m"))
    )


def earned_in_window(booked: DataFrame, owners: DataFrame, valuations: DataFrame) -> DataFrame:
    """`earned_36m`: premium earned in the 36 months to each valuation, of what was booked by it.

    Args:
        booked: from `premium_by_type`.
        owners: `policy_id`, `party_id`.
        valuations: `valuation_date`.
    """
    days = f"""greatest(datediff(least(earn_to, date_add(valuation_date, 1)),
                                 greatest(earn_from, date_add({_WINDOW_FROM}, 1))), 0)"""
    return (
        booked.join(owners, "policy_id")
        .groupBy("party_id", "earn_from", "earn_to", "booked_on")
        .agg(F.sum(F.expr("CAST(100 * amount AS BIGINT)")).alias("cents"))
        .crossJoin(F.broadcast(valuations.select("valuation_date")))
        .where("booked_on <= valuation_date AND earn_from <= valuation_date")
        .where(f"earn_to > {_WINDOW_FROM}")
        .groupBy(*_KEY, F.expr("datediff(earn_to, earn_from)").alias("window_days"))
        # Cents and days are whole until here: decimals cost five times as much.
        .agg(F.sum(F.expr(f"cents * {days}")).alias("earned"))
        .groupBy(*_KEY)
        .agg(F.expr("sum(CAST(earned AS DECIMAL(20,0)) / (100 * window_days))").alias("earned_36m"))
    )


def customer_360(
    base: DataFrame,
    lines: DataFrame,
    facts: list[DataFrame],
    events: DataFrame,
    addresses: DataFrame,
    parties: DataFrame,
    bands: DataFrame,
    valuations: DataFrame,
) -> DataFrame:
    """One row per party and valuation date, from the binding of its first term on.

    tenure_years is the highest term number in force, or the whole years since the first start if
    they are more. A party merged into another counts there; one that was erased has no row. A
    ratio without premium is null. Source: insurance model (b) 7.

    Args:
        base: from `customers`.
        lines: from `customer_lines`.
        facts: frames of numbers and dates by party and valuation date: `terms_in_window`,
            `claims_in_window`, `earned_in_window`, `overdue`.
        events: from `contacts`.
        addresses: from `addresses_at`.
        parties: versions of silver_party.
        bands: the table ref_band.
        valuations: `valuation_date`.
    """
    contact_days = at_first_valuation(events, valuations, "coalesce(contact_on, bound_or_paid_on)")
    described = (
        base.join(_combined([_in_force(lines), *facts, contact_days]), [*_KEY], "left")
        .join(addresses.select(*_KEY, "postal_area"), [*_KEY], "left")
        .join(current(parties).select("party_id", "birth_date", "status"), "party_id", "left")
        .where("coalesce(status <> 'ERASED', true)")
    )
    banded = with_bands(described, bands, {"age_band": whole_years("birth_date", "valuation_date")})
    return banded.selectExpr(*_COLUMNS)


def _combined(frames: list[DataFrame]) -> DataFrame:
    """The columns of all frames in one row per party and valuation date."""
    stacked = reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), frames)
    return (
        # No text among them: Spark sorts all rows to aggregate one.
        stacked.groupBy(*_KEY)
        .agg(*(F.max(name).alias(name) for name in stacked.columns if name not in _KEY))
        .withColumns({name: _so_far(name) for name in ("contact_on", "bound_or_paid_on")})
    )


def _in_force(lines: DataFrame) -> DataFrame:
    return lines.groupBy(*_KEY).agg(
        F.sum("policies_in_force").alias("policies_in_force"),
        F.countDistinct("line").alias("distinct_lines"),
        F.sum("in_force_premium").cast(SUM).alias("in_force_premium"),
        F.max("term_no").alias("term_no"),
        F.min("next_expiry_on").alias("next_expiry_on"),
    )


def _so_far(name: str) -> Column:
    """The latest of the dates up to the valuation."""
    return F.max(name).over(Window.partitionBy("party_id").orderBy("valuation_date"))


_COLUMNS = (
    *_KEY,
    "coalesce(policies_in_force, 0) AS policies_in_force",
    "coalesce(distinct_lines, 0) AS distinct_lines",
    "CAST(coalesce(in_force_premium, 0) AS DECIMAL(18,2)) AS in_force_premium",
    "CAST(greatest(coalesce(term_no, 0), "
    f"{whole_years('first_start', 'valuation_date')}, 0) AS INT) AS tenure_years",
    "channel",
    "coalesce(claims_36m, 0) AS claims_36m",
    "CAST(coalesce(incurred_36m, 0) AS DECIMAL(18,2)) AS incurred_36m",
    "CAST(coalesce(incurred_36m, 0) AS DOUBLE) / nullif(CAST(earned_36m AS DOUBLE), 0)"
    " AS loss_ratio_36m",
    "contact_on AS last_contact_on",
    "coalesce(overdue_invoices, 0) AS overdue_invoices",
    "next_expiry_on",
    "age_band",
    "postal_area",
    "CAST(coalesce(earned_36m, 0) AS DECIMAL(18,2)) AS earned_premium_36m",
    "terms_36m",
    "coalesce(bound_or_paid_on, first_start) AS last_bound_or_paid_on",
)
