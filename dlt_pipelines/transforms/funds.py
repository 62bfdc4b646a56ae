"""Fund units at the price of a date, and why their value moved since the valuation before."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from dlt_pipelines.transforms.versions import current


def units_known(holdings: DataFrame, policies: DataFrame) -> DataFrame:
    """Versions of holdings with the days on which their units stood: `held_from`, `held_to`.

    The business day of a version is that of its `updated_at`. History is in the order of the
    change sequence: a clock that goes back at the source moves a version's day up to that of the
    version before it. The first version stands for the days before it, back to the start of its
    contract, and is marked `pit_fallback` there. A holding deleted at the source ends on the day
    of the deletion.
    """
    in_order = Window.partitionBy("fund_unit_id").orderBy("__START_AT")
    day = F.max(F.to_date("updated_at")).over(in_order)
    starts = current(policies).select("policy_id", "start_date")
    return (
        holdings.where("__START_AT IS NOT NULL")
        .withColumn("updated_on", day)
        .withColumns(
            {
                "is_first": F.row_number().over(in_order) == 1,
                "held_to": F.coalesce(
                    F.lead("updated_on").over(in_order), F.to_date("__END_AT._commit_ts")
                ),
            }
        )
        .join(starts, "policy_id", "left")
        .selectExpr(
            "fund_code", "party_id", "units", "updated_on",
            "if(is_first, start_date, updated_on) AS held_from", "held_to",
        )
    )  # fmt: skip


def fund_valuations(
    versions: DataFrame,
    prices: DataFrame,
    valuations: DataFrame,
    rates: DataFrame,
    reporting: str,
    stale_days: int,
) -> DataFrame:
    """One row per fund, party and valuation date: units at the last bid price, and its movement.

    value = units * bid price of the last price date by the valuation; null without a price, never
    0. From the valuation before, price_effect = units then * change of the price, unit_effect =
    change of the units * price now; units that were not there before are all unit effect. Source:
    insurance model (b) 10.

    Args:
        versions: from `units_known`.
        prices: the price ledger.
        valuations: `valuation_date`.
        rates: from `exchange.closing_rates`; a price in another currency without one is no price.
        reporting: the reporting currency.
        stale_days: a price older than this is stale: it values, but is marked.
    """
    dates = F.broadcast(valuations.select("valuation_date"))
    valued = (
        _units_at(versions, dates)
        .join(_last_prices(prices, dates), ["fund_code", "valuation_date"], "left")
        .join(F.broadcast(rates), ["currency", "valuation_date"], "left")
        .withColumn("price", F.expr(_REPORTED.format(reporting=reporting)))
    )
    return _with_movement(valued, stale_days)


def _with_movement(valued: DataFrame, stale_days: int) -> DataFrame:
    """Values and, from the valuation before, the effects of price and units on them."""
    by_date = Window.partitionBy("fund_code", "party_id").orderBy("valuation_date")
    before = {
        "before": F.lag("units", 1, 0).over(by_date).cast("decimal(20,6)"),
        "price_before": F.lag("price").over(by_date),
    }
    return valued.withColumns(before).selectExpr(
        "fund_code", "party_id", "valuation_date", "units", "bid_price", "price_date",
        f"datediff(valuation_date, price_date) > {stale_days} AS is_stale",
        "CAST(units * price AS DECIMAL(18,2)) AS value",
        "CAST(if(before = 0, 0, before * (price - price_before)) AS DECIMAL(18,2))"
        " AS price_effect",
        "CAST((units - before) * price AS DECIMAL(18,2)) AS unit_effect",
        "pit_fallback",
    )  # fmt: skip


def _units_at(versions: DataFrame, dates: DataFrame) -> DataFrame:
    """The units of a party in a fund at each valuation date."""
    return (
        versions.crossJoin(dates)
        .where("coalesce(held_from <= valuation_date, true)")
        .where("coalesce(valuation_date < held_to, true)")
        .groupBy("fund_code", "party_id", "valuation_date")
        .agg(
            F.sum("units").cast("decimal(20,6)").alias("units"),
            F.max(F.expr("valuation_date < updated_on")).alias("pit_fallback"),
        )
    )


_REPORTED = """CAST(if(coalesce(currency, '{reporting}') = '{reporting}', bid_price,
                        bid_price * closing_rate) AS DECIMAL(18,6))"""


def _last_prices(prices: DataFrame, dates: DataFrame) -> DataFrame:
    """The price of the last date by each valuation: one row per fund and valuation date."""
    return (
        prices.select("fund_code", "price_date", "bid_price", F.trim("currency").alias("currency"))
        .crossJoin(dates)
        .where("price_date <= valuation_date")
        .groupBy("fund_code", "valuation_date")
        .agg(
            F.max_by("bid_price", "price_date").alias("bid_price"),
            F.max_by("currency", "price_date").alias("currency"),
            F.max("price_date").alias("price_date"),
        )
    )
