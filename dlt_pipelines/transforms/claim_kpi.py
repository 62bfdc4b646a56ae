"""Claims by accident year: counts, money, and the ratios to exposure and premium."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from dlt_pipelines.transforms.claims import CLOSED_STATUSES
from dlt_pipelines.transforms.versions import ALL, UNKNOWN


def claim_kpis(positions: DataFrame, exposures: DataFrame, earned: DataFrame) -> DataFrame:
    """One row per accident year and segment, and `ALL`; every ratio is a sum over a sum.

    Claims of no known policy count in ALL, but neither they nor the segment UNKNOWN enter a ratio
    to exposure or premium: they have no premium here.

    Args:
        positions: claims as at one valuation.
        exposures: `calendar_year`, `policy_type`, `exposure`.
        earned: `accident_year`, `policy_type`, `earned_premium`.
    """
    stacked = _measured(positions).unionByName(
        exposures.select(
            F.col("calendar_year").alias("accident_year"),
            F.col("policy_type").alias("segment"),
            "exposure",
        ).unionByName(earned.withColumnRenamed("policy_type", "segment"), allowMissingColumns=True),
        allowMissingColumns=True,
    )
    summed = (
        stacked.where("accident_year IS NOT NULL")
        .withColumn("matched", F.col("segment") != UNKNOWN)
        .withColumn("segment", F.explode(F.array("segment", F.lit(ALL))))
        .groupBy("accident_year", "segment")
        .agg(*_sums())
    )
    return summed.select("accident_year", "segment", *_figures())


_COUNTS = {
    "reported": "reported_on <= valuation_date",
    "open": "status IN ('OPEN', 'REOPENED')",
    "closed_with_payment": f"status IN {CLOSED_STATUSES} AND paid > 0",
    "closed_no_payment": f"status IN {CLOSED_STATUSES} AND paid <= 0",
    "reopened": "status = 'REOPENED'",
    "paid_claims": "paid > 0",
    "large_count": "is_large",
}


def _measured(positions: DataFrame) -> DataFrame:
    counts = [F.expr(f"if({rule}, 1, 0)").alias(name) for name, rule in _COUNTS.items()]
    money = ["paid", "incurred", "excess"]
    paid_claims = F.expr("if(paid > 0, incurred, 0)").alias("incurred_paid_claims")
    return positions.select("accident_year", "segment", *counts, *money, paid_claims)


def _sums() -> list[Column]:
    whole = (*_COUNTS, "paid", "incurred", "excess", "incurred_paid_claims")
    sums = [F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in whole]
    matched = [
        F.sum(F.when(F.col("matched"), F.coalesce(name, F.lit(0)))).alias(f"{name}_matched")
        for name in ("reported", "incurred", "exposure", "earned_premium")
    ]
    bases = [F.sum(name).alias(name) for name in ("exposure", "earned_premium")]
    return [*sums, *matched, *bases]


def _figures() -> list[Column]:
    counts = ("reported", "open", "closed_with_payment", "closed_no_payment", "reopened")
    return [
        *(F.col(name) for name in counts),
        F.coalesce("exposure", F.lit(0.0)).alias("exposure"),
        _money("earned_premium"),
        _money("paid"),
        _money("incurred"),
        _ratio("reported_matched", "exposure_matched").alias("frequency"),
        _ratio("incurred", "reported").alias("severity"),
        _ratio("incurred_paid_claims", "paid_claims").alias("severity_paid_claims"),
        _ratio("incurred_matched", "exposure_matched").alias("pure_premium"),
        _ratio("incurred_matched", "earned_premium_matched").alias("loss_ratio"),
        F.col("large_count"),
        _money("excess"),
    ]


def _money(name: str) -> Column:
    return F.coalesce(F.col(name), F.lit(0)).cast("decimal(18,2)").alias(name)


def _ratio(top: str, bottom: str) -> Column:
    """Sum over sum as a double; null where the bottom is zero or absent."""
    return F.expr(f"CAST({top} AS DOUBLE) / nullif(CAST({bottom} AS DOUBLE), 0)")
