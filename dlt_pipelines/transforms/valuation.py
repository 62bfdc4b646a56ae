"""The dates at which the book is valued. No figure of gold depends on today's date."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def valuation_dates(
    business: DataFrame, losses: DataFrame, newest: DataFrame, latest: date | None
) -> DataFrame:
    """One row per valuation date: `valuation_date`, `is_year_end`, `is_month_end`, `is_latest`.

    Every year end since the first loss, the last twelve month ends and the latest closed day. That
    is the last business date not after the day of the newest commit: a payment dated years ahead
    moves no valuation (the rule `not dated ahead` counts it).

    Args:
        business: `business_date`, the dates of everything booked.
        losses: `loss_date` of the claims.
        newest: `newest_commit` of the changes delivered; no row with a time = no limit.
        latest: the latest valuation; None = as above.
    """
    limit = newest.agg(F.to_date(F.max("newest_commit")).alias("limit"))
    in_time = business.crossJoin(F.broadcast(limit)).where(
        "limit IS NULL OR business_date <= limit"
    )
    last = in_time.agg(F.max("business_date").alias("last"))
    bounds = last.crossJoin(losses.agg(F.min("loss_date").alias("first_loss")))
    if latest is not None:
        bounds = bounds.withColumn("last", F.lit(latest))
    dates = F.array_distinct(F.concat(_year_ends(), _month_ends(), F.array("last")))
    return (
        bounds.where("last IS NOT NULL")
        .select("last", F.explode(dates).alias("valuation_date"))
        .select(
            "valuation_date",
            F.expr("month(valuation_date) = 12 AND day(valuation_date) = 31").alias("is_year_end"),
            F.expr("valuation_date = last_day(valuation_date)").alias("is_month_end"),
            F.expr("valuation_date = last").alias("is_latest"),
        )
    )


def _year_ends() -> Column:
    """Each 31 December from the first loss to the latest day; none without losses."""
    return F.expr(
        """coalesce(
             filter(
               sequence(
                 make_date(least(year(first_loss), year(last)), 12, 31),
                 make_date(year(last), 12, 31), INTERVAL 1 YEAR),
               day -> day <= last),
             array())"""
    )


def _month_ends() -> Column:
    return F.expr(
        """transform(
             sequence(0, 11),
             back -> last_day(add_months(date_sub(trunc(date_add(last, 1), 'MM'), 1), -back)))"""
    )
