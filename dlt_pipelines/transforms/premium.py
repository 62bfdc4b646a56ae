"""Premium: written when booked, earned day by day over each row's own window.

A row's share of a period is amount * days in the period / days of its window. The denominator is
the row's own day count, so a term over 29 February divides by 366 without a special case.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from dlt_pipelines.transforms.versions import UNKNOWN, as_known, current

SUM = "decimal(18,2)"
_GRAIN = ("month", "policy_type", "coverage_code", "channel")


def booked_premium(
    ledger: DataFrame, policies: DataFrame, agents: DataFrame, latest: DataFrame
) -> DataFrame:
    """The premium ledger booked by the latest valuation, with `policy_type` and `channel`.

    The channel is that of the agent whom the policy named when the row was booked, as far as that
    was recorded by then. A row without a policy keeps its money under UNKNOWN. An empty earning
    window is one day long: what cannot be spread is earned at once.
    """
    rows = _booked_by(ledger, latest)
    # The agent as known at booking, the type as it is: losses are divided by premium of one type.
    latest_type = F.max_by("policy_type", "known_from").over(Window.partitionBy("policy_id"))
    terms = as_known(policies, "policy_id").select(
        "policy_id", "agent_id", "known_from", "known_to",
        F.when(F.col("exists"), latest_type).alias("policy_type"),
    )  # fmt: skip
    channels = as_known(agents, "agent_id").select("agent_id", "channel", "known_from", "known_to")
    with_term = _known_at_booking(rows, terms, "policy_id")
    return _known_at_booking(with_term, channels, "agent_id").fillna(
        UNKNOWN, ["policy_type", "channel"]
    )


def premium_by_type(ledger: DataFrame, policies: DataFrame, latest: DataFrame) -> DataFrame:
    """The same rows with their `policy_type` only, for figures that ask for no channel."""
    types = current(policies).select("policy_id", "policy_type")
    return (
        _booked_by(ledger, latest).join(types, "policy_id", "left").fillna(UNKNOWN, ["policy_type"])
    )


def _booked_by(ledger: DataFrame, latest: DataFrame) -> DataFrame:
    """What is booked by the valuation. An empty earning window is one day long: earned at once."""
    return (
        ledger.crossJoin(F.broadcast(latest.select("valuation_date")))
        .where("booked_on <= valuation_date")
        .withColumn("earn_to", F.expr("greatest(earn_to, date_add(earn_from, 1))"))
    )


def _known_at_booking(rows: DataFrame, versions: DataFrame, key: str) -> DataFrame:
    versions = versions.withColumnRenamed(key, "_key")
    dated = (
        (F.col(key) == F.col("_key"))
        & (F.col("known_from") <= F.col("booked_on"))
        & (F.col("booked_on") < F.col("known_to"))
    )
    return rows.join(versions, dated, "left").drop("_key", "known_from", "known_to")


def premium_by_month(booked: DataFrame) -> DataFrame:
    """Written, earned and unearned premium: one row per month, type, coverage code and channel.

    Months run from a group's first booking or cover to the valuation; the month of the valuation
    ends on its day. `earned_premium` is the effective view: a late booking restates past months.
    `earned_premium_accounting` is written premium less the change of the unearned premium: a late
    booking catches up when it is booked. It is taken from the rounded balances, as in the books,
    so that the identity holds to the cent.
    """
    months = _shares_by_month(booked)
    balances = months.groupBy(*_GRAIN).agg(
        *(F.sum(name).cast(SUM).alias(name) for name in ("written", "tax", "commission")),
        # Cents and days are whole until here: the only division is the one by the window.
        *(
            F.expr(f"CAST(sum(CAST({name} AS DECIMAL(20,0)) / (100 * window_days)) AS {SUM})")
            .alias(name)
            for name in ("earned", "unearned")
        ),
    )  # fmt: skip
    before = F.lag("unearned", 1, 0).over(Window.partitionBy(*_GRAIN[1:]).orderBy("month"))
    return balances.withColumn("before", before.cast(SUM)).select(
        *_GRAIN,
        F.col("written").alias("written_premium"),
        F.col("earned").alias("earned_premium"),
        F.expr(f"CAST(written - (unearned - before) AS {SUM})").alias("earned_premium_accounting"),
        F.col("before").alias("unearned_premium_start"),
        F.col("unearned").alias("unearned_premium_end"),
        "tax",
        "commission",
    )


def _shares_by_month(booked: DataFrame) -> DataFrame:
    """Cents times days, earned in a month and unearned after it, by the length of the window."""
    shares = {
        "window_days": F.expr("to_day - from_day"),
        "earned": F.expr(
            "cents * greatest(least(to_day, next_day) - greatest(from_day, month_day), 0)"
        ),
        "unearned": F.expr(
            "if(booked_day < next_day, cents * greatest(to_day - greatest(from_day,"
            " next_day), 0), 0)"
        ),
        "now": F.expr("month = booked_month"),
    }
    return (
        _in_months(booked)
        .withColumns(shares)
        .groupBy(*_GRAIN, "window_days")
        .agg(
            F.sum("earned").alias("earned"),
            F.sum("unearned").alias("unearned"),
            F.expr("sum(if(now, amount, 0))").alias("written"),
            F.expr("sum(if(now, tax_amount, 0))").alias("tax"),
            F.expr("sum(if(now, commission_amount, 0))").alias("commission"),
        )
    )


def _in_months(booked: DataFrame) -> DataFrame:
    """Every ledger row times every month, as cents and as days since 1970.

    Whole numbers only, because this is where the work is.
    """
    rows = booked.selectExpr(
        *_GRAIN[1:],
        "amount", "tax_amount", "commission_amount",
        "CAST(100 * amount AS BIGINT) AS cents",
        "unix_date(earn_from) AS from_day",
        "unix_date(earn_to) AS to_day",
        "unix_date(booked_on) AS booked_day",
        "unix_date(valuation_date) + 1 AS unseen_day",
        "trunc(booked_on, 'MM') AS booked_month",
        f"explode({_MONTHS}) AS month",
    )  # fmt: skip
    return rows.selectExpr(
        "*",
        "unix_date(month) AS month_day",
        "least(unix_date(add_months(month, 1)), unseen_day) AS next_day",
    )


def earned_by_year(booked: DataFrame, *by: str) -> DataFrame:
    """Premium earned by the valuation: one row per `accident_year` and `by`, unrounded.

    Losses of a year are divided by this; it is not the sum of rounded months. Without `by` the rows
    are by `policy_type`.
    """
    keys = ("accident_year", *(by or ("policy_type",)))
    return (
        _in_years(booked)
        .groupBy(*keys, F.expr("datediff(earn_to, earn_from)").alias("window_days"))
        # Cents and days are whole until here: the only division is the one by the window.
        .agg(F.sum(F.expr(f"CAST(100 * amount AS BIGINT) * {_DAYS_OF_YEAR}")).alias("earned"))
        .groupBy(*keys)
        .agg(
            F.expr("sum(CAST(earned AS DECIMAL(20,0)) / (100 * window_days))").alias(
                "earned_premium"
            )
        )
    )


def shares_of_years(booked: DataFrame) -> DataFrame:
    """Every ledger row with each `accident_year` and its `earned_premium` of that year, unrounded.

    For sums by so many keys that to add up equal windows first would save nothing.
    """
    share = f"amount * {_DAYS_OF_YEAR} / datediff(earn_to, earn_from)"
    return _in_years(booked).withColumn("earned_premium", F.expr(share))


def _in_years(booked: DataFrame) -> DataFrame:
    years = "sequence(year(earn_from), year(least(date_sub(earn_to, 1), valuation_date)))"
    earning = booked.where("earn_from <= valuation_date")
    return earning.withColumn("accident_year", F.explode(F.expr(years)))


_DAYS_OF_YEAR = """greatest(datediff(
    least(earn_to, make_date(accident_year + 1, 1, 1), date_add(valuation_date, 1)),
    greatest(earn_from, make_date(accident_year, 1, 1))), 0)"""
# Every month in which a row is booked, earned, or waits between the two.
_MONTHS = """sequence(
    trunc(least(booked_on, earn_from), 'MM'),
    trunc(least(greatest(booked_on, date_sub(earn_to, 1)), valuation_date), 'MM'),
    INTERVAL 1 MONTH)"""
