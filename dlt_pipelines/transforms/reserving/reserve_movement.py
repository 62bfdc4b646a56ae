"""How the case reserve moved in a calendar year, from its opening to its closing balance."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from dlt_pipelines.transforms.versions import ALL, UNKNOWN

_SUM = "decimal(18,2)"
_MONEY = (
    "set_up", "strengthening", "release", "eroded_by_payment", "reserve_change", "paid",
    "recovered", "recovery_reserve_change",
)  # fmt: skip


def reserve_movements(ledger: DataFrame, positions: DataFrame, latest: DataFrame) -> DataFrame:
    """One row per calendar year and segment, and `ALL`, from the first claim to the valuation.

    closing = opening + set_up + strengthening - release - eroded_by_payment, to the cent, and
    opening is the closing of the year before. A year without a booking has its row, because every
    claim has a position at every year end after its report. Source: insurance model (b) 5.

    Args:
        ledger: the claim ledger; rows booked after the valuation are left out.
        positions: claim positions at every year end and at the latest valuation, which give the
            segment and the open claims.
        latest: one row, the latest `valuation_date`.
    """
    current_positions = positions.join(F.broadcast(latest), "valuation_date", "left_semi")
    segments = current_positions.select("claim_id", "segment")
    booked = ledger.crossJoin(F.broadcast(latest)).where("accounting_date <= valuation_date")
    money = _by_year(_bookings_of_a_day(booked).join(segments, "claim_id", "left"))
    open_claims = positions.select(
        F.year("valuation_date").alias("calendar_year"),
        "segment",
        F.expr("if(status IN ('OPEN', 'REOPENED'), 1, 0)").alias("open_claims"),
    )
    summed = (
        money.unionByName(open_claims, allowMissingColumns=True)
        .fillna(UNKNOWN, ["segment"])
        .withColumn("segment", F.explode(F.array("segment", F.lit(ALL))))
        .groupBy("calendar_year", "segment")
        .agg(
            *(_total(name).cast(_SUM).alias(name) for name in _MONEY),
            _total("open_claims").alias("open_claims"),
        )
    )
    return _with_balances(summed)


def _bookings_of_a_day(booked: DataFrame) -> DataFrame:
    """The ledger by claim, component and day: the reserve change, and the part a payment eroded.

    The claim system writes a negative reserve row next to a payment. What such rows of one claim,
    component and day take off, up to the amount paid, is eroded; a payment taken back restores it.
    The rest is set-up in the claim's first reserved year, and strengthening or release later.
    """
    first_year = F.min(F.when(F.col("txn_type") == "RESERVE", F.year("accounting_date")))
    days = (
        booked.withColumn("first_year", first_year.over(Window.partitionBy("claim_id")))
        .groupBy("claim_id", "component", "accounting_date", "first_year")
        .agg(
            _sum_if("txn_type = 'RESERVE'", "reserve_change"),
            _sum_if("txn_type = 'RESERVE' AND amount < 0", "reductions"),
            _sum_if("txn_type = 'RESERVE' AND amount > 0", "increases"),
            _sum_if("txn_type = 'PAYMENT'", "paid"),
            _sum_if("txn_type = 'RECOVERY'", "recovered"),
            _sum_if("txn_type = 'RECOVERY_RESERVE'", "recovery_reserve_change"),
        )
    )
    return days.selectExpr(
        "*",
        "year(accounting_date) AS calendar_year",
        "if(paid >= 0, least(paid, -reductions), greatest(paid, -increases)) AS eroded_by_payment",
    ).selectExpr("*", "reserve_change + eroded_by_payment AS revision")


def _by_year(days: DataFrame) -> DataFrame:
    return days.selectExpr(
        "calendar_year", "segment", "reserve_change", "eroded_by_payment", "paid", "recovered",
        "recovery_reserve_change",
        "if(calendar_year = first_year, revision, 0) AS set_up",
        "if(calendar_year > first_year, greatest(revision, 0), 0) AS strengthening",
        "if(calendar_year > first_year, greatest(-revision, 0), 0) AS release",
    )  # fmt: skip


def _with_balances(summed: DataFrame) -> DataFrame:
    by_year = Window.partitionBy("segment").orderBy("calendar_year")
    closing = F.sum("reserve_change").over(by_year)
    return summed.select(
        "calendar_year",
        "segment",
        (closing - F.col("reserve_change")).cast(_SUM).alias("opening_case_reserve"),
        *_MONEY[:5],
        closing.cast(_SUM).alias("closing_case_reserve"),
        "paid",
        "recovered",
        F.expr(f"CAST(paid - recovered + reserve_change AS {_SUM})").alias(
            "calendar_year_incurred"
        ),
        "open_claims",
        "recovery_reserve_change",
    )


def _sum_if(condition: str, name: str) -> Column:
    return F.sum(F.expr(f"if({condition}, amount, 0)")).alias(name)


def _total(name: str) -> Column:
    return F.coalesce(F.sum(name), F.lit(0))
