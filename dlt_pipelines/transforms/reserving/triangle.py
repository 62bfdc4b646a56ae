"""Development triangles: how much of an accident year was known at each age."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from dlt_pipelines.assumptions import BySegment
from dlt_pipelines.transforms.claims import CLOSED_STATUSES
from dlt_pipelines.transforms.versions import ALL


def triangle(positions: DataFrame, cap: BySegment, first_origin_year: BySegment) -> DataFrame:
    """One row per segment (and ALL), measure, origin year and age in months of that year's start.

    A diagonal is a valuation: the cumulative cell is the total of the claim positions at that
    year end, or at the latest date for the year under way. So the last diagonal is the claim
    total, and a row booked before its accident year still counts at the first age. Every observed
    cell is there, zero movement included; cells beyond the valuation are not.

    Args:
        positions: claim positions at every year end and at the latest valuation, no other date.
        cap: gives the capped measure its amount and its name, `paid_capped_<cap>`. In ALL every
            claim meets the general cap.
        first_origin_year: earlier origin years are left out, also of ALL.
    """
    eligible = positions.where(
        F.col("accident_year") >= F.coalesce(first_origin_year.of(F.col("segment")), F.lit(0))
    ).withColumn("segment", F.explode(F.array("segment", F.lit(ALL))))
    observed = eligible.select(
        "segment",
        F.col("accident_year").alias("origin_year"),
        F.year("valuation_date").alias("year"),
        F.inline(_measures(cap)),
    )
    cells = (
        observed.unionByName(_empty_cells(eligible, cap))
        .where("year >= origin_year")
        .groupBy("segment", "measure", "origin_year", "year")
        .agg(F.sum("value").cast("decimal(18,2)").alias("cumulative"))
    )
    by_age = Window.partitionBy("segment", "measure", "origin_year").orderBy("year")
    before = F.lag("cumulative", 1, 0).over(by_age)
    return cells.select(
        "segment",
        "measure",
        "origin_year",
        F.expr("12 * (year - origin_year + 1)").alias("dev_lag_months"),
        (F.col("cumulative") - before).cast("decimal(18,2)").alias("incremental"),
        "cumulative",
    )


def _measures(cap: BySegment) -> Column:
    """The measures of one claim position, as an array of (measure, value)."""
    return F.array(*(_pair(name, value) for name, value in _named_measures(cap)))


def _named_measures(cap: BySegment) -> list[tuple[Column, Column]]:
    segment = F.col("segment")
    settled = F.when(F.col("status").isin(*CLOSED_STATUSES) & (F.col("paid") > 0), 1).otherwise(0)
    return [
        (F.lit("paid"), F.col("paid")),
        (F.lit("incurred"), F.col("incurred")),
        (F.lit("reported_count"), F.expr("if(reported_on <= valuation_date, 1, 0)")),
        (F.lit("closed_with_payment_count"), settled),
        (_capped_name(cap), F.least(F.col("paid"), cap.of(segment))),
    ]


def _empty_cells(eligible: DataFrame, cap: BySegment) -> DataFrame:
    """A zero for every cell of a segment, from its first origin year to the latest diagonal."""
    spans = eligible.groupBy("segment").agg(
        F.min("accident_year").alias("first"), F.max(F.year("valuation_date")).alias("last")
    )
    names = F.array(*(name for name, _ in _named_measures(cap)))
    return (
        spans.withColumn("origin_year", F.explode(F.sequence("first", "last")))
        .withColumn("year", F.explode(F.sequence("origin_year", "last")))
        .withColumn("measure", F.explode(names))
        .select("segment", "origin_year", "year", "measure", _zero().alias("value"))
    )


def _capped_name(cap: BySegment) -> Column:
    return F.concat(F.lit("paid_capped_"), cap.text_of(F.col("segment")))


def _pair(name: Column, value: Column) -> Column:
    return F.struct(name.alias("measure"), value.cast("decimal(18,2)").alias("value"))


def _zero() -> Column:
    return F.lit(0).cast("decimal(18,2)")
