"""Chain ladder: development factors of a triangle, and the ultimates they lead to."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from dlt_pipelines.assumptions import BySegment
from dlt_pipelines.transforms.versions import ALL, UNKNOWN

OVERRIDE = "override"  # the average that holds an actuary's own factors
_LINK = ("segment", "measure", "from_lag_months")


def development_factors(
    triangle: DataFrame,
    year_ends: DataFrame,
    overrides: DataFrame,
    average: str,
    tail: Decimal,
) -> DataFrame:
    """One row per segment, measure, average and age: the factor to the next age.

    `volume` is a sum over a sum, `simple` a mean of ratios; `volume_3` and `volume_5` take the
    latest 3 and 5 origin years; `volume_closed` leaves out the diagonal of a year under way. A
    factor whose base is 0 is null, and every factor to ultimate that needs it; `zero_bases`
    counts the origin years whose base is 0. Source: insurance model (b) 6.

    Args:
        triangle: cumulative cells.
        year_ends: `valuation_date` of the year ends.
        overrides: `segment`, `measure`, `from_lag_months`, `ldf`. A segment and measure with an
            override gets the average `override`, which is the chosen one elsewhere.
        average: the average that ultimates use where nobody overrides it.
        tail: development after the last age, the last term of every product.
    """
    averages = _averages(_links(triangle, year_ends))
    factors = averages.unionByName(_overridden(averages, overrides, average))
    later = (
        Window.partitionBy("segment", "measure", "average")
        .orderBy(F.desc("from_lag_months"))
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    product = F.exp(F.sum(F.ln("ldf")).over(later)) * F.lit(float(tail))
    all_positive = F.min(F.coalesce("ldf", F.lit(0.0))).over(later) > 0
    return factors.select(
        "segment", "measure", "average", "from_lag_months", "to_lag_months", "ldf",
        F.when(all_positive, product).alias("cdf_to_ultimate"),
        "zero_bases",
        _is_selected(average).alias("selected"),
    )  # fmt: skip


def _links(triangle: DataFrame, year_ends: DataFrame) -> DataFrame:
    """Neighbours of the triangle: cumulative at an age (`base`) and at the next one (`next`)."""
    by_age = Window.partitionBy("segment", "measure", "origin_year").orderBy("dev_lag_months")
    newest_first = Window.partitionBy(*_LINK).orderBy(F.desc("origin_year"))
    closed_years = year_ends.select(F.year("valuation_date").alias("year"), F.lit(1).alias("one"))
    return (
        triangle.select(
            "segment",
            "measure",
            "origin_year",
            F.col("dev_lag_months").alias("from_lag_months"),
            F.lead("dev_lag_months").over(by_age).alias("to_lag_months"),
            F.col("cumulative").cast("double").alias("base"),
            F.lead("cumulative").over(by_age).cast("double").alias("next"),
        )
        .where("to_lag_months IS NOT NULL")
        .withColumn("year", F.expr("origin_year + to_lag_months DIV 12 - 1").cast("int"))
        .join(F.broadcast(closed_years), "year", "left")
        .withColumn("recency", F.row_number().over(newest_first))
    )


# Which links enter an average.
_VOLUME = {
    "volume": "true",
    "volume_3": "recency <= 3",
    "volume_5": "recency <= 5",
    "volume_closed": "one IS NOT NULL",
}


def _averages(links: DataFrame) -> DataFrame:
    averages = [
        _average(name, f"sum(next) FILTER (WHERE {rows})", f"sum(base) FILTER (WHERE {rows})", rows)
        for name, rows in _VOLUME.items()
    ]
    ratios = "sum(next / base) FILTER (WHERE base <> 0)"
    averages.append(_average("simple", ratios, "count_if(base <> 0)", "true"))
    return (
        links.groupBy(*_LINK, "to_lag_months")
        .agg(F.expr(f"array({', '.join(averages)})").alias("averages"))
        .select(*_LINK, "to_lag_months", F.inline("averages"))
        .where("links > 0")
        .drop("links")
    )


def _average(name: str, top: str, bottom: str, rows: str) -> str:
    """SQL struct of an average: a sum over a sum, null where the bottom is zero."""
    return (
        f"struct('{name}' AS average, {top} / nullif(CAST({bottom} AS DOUBLE), 0) AS ldf,"
        f" count_if(base = 0 AND {rows}) AS zero_bases, count_if({rows}) AS links)"
    )


def _overridden(averages: DataFrame, overrides: DataFrame, average: str) -> DataFrame:
    """The whole chain of a segment and measure for which some factor was set by hand."""
    manual_factors = overrides.select(*_LINK, F.col("ldf").alias("own_ldf"))
    return (
        averages.where(F.col("average") == average)
        .join(F.broadcast(manual_factors), list(_LINK), "left")
        .withColumn("any", F.count("own_ldf").over(Window.partitionBy("segment", "measure")))
        .where("any > 0")
        .select(
            *_LINK,
            "to_lag_months",
            F.lit(OVERRIDE).alias("average"),
            F.coalesce("own_ldf", "ldf").alias("ldf"),
            "zero_bases",
        )
    )


def _is_selected(average: str) -> Column:
    by_measure = Window.partitionBy("segment", "measure")
    is_override = F.col("average") == OVERRIDE
    return F.when(F.max(is_override).over(by_measure), is_override).otherwise(
        F.col("average") == average
    )


def ultimates(
    triangle: DataFrame,
    factors: DataFrame,
    earned: DataFrame,
    expected_loss_ratio: BySegment,
    tail: Decimal,
) -> DataFrame:
    """One row per segment, measure and origin year: what the latest diagonal develops to.

    ultimate = latest * factor to ultimate. `ibnr` = ultimate - incurred, also from paid claims;
    for counts it is ultimate - reported. `bf_ultimate` (Bornhuetter-Ferguson, paid and incurred
    only) = latest + expected losses * (1 - 1 / factor to ultimate). The segment ALL expects what
    its segments expect. Source: insurance model (b) 6.

    Args:
        triangle: cumulative cells.
        factors: from `development_factors`.
        earned: `accident_year`, `segment`, `earned_premium`.
        expected_loss_ratio: expected losses / earned premium, by segment.
        tail: the factor of the last age.
    """
    selected = factors.where("selected").selectExpr(*_LINK, "cdf_to_ultimate", "true AS has_link")
    by_origin = Window.partitionBy("segment", "origin_year")
    return (
        _latest_diagonal(triangle)
        .join(selected, list(_LINK), "left")
        .join(_expected(earned, expected_loss_ratio), ["segment", "origin_year"], "left")
        .withColumn("cdf_to_ultimate", _cdf(tail))
        .withColumn("ultimate", F.expr("CAST(latest * cdf_to_ultimate AS DECIMAL(18,2))"))
        .withColumn("incurred", _latest_of("incurred").over(by_origin))
        .withColumn("reported", _latest_of("reported_count").over(by_origin))
        .selectExpr(
            "segment", "measure", "origin_year", "from_lag_months AS latest_lag_months", "latest",
            "cdf_to_ultimate", "ultimate",
            "CAST(ultimate - latest AS DECIMAL(18,2)) AS to_come",
            f"CAST(ultimate - {_REPORTED_VALUE} AS DECIMAL(18,2)) AS ibnr",
            f"CAST({_BORNHUETTER_FERGUSON} AS DECIMAL(18,2)) AS bf_ultimate",
        )
    )  # fmt: skip


_REPORTED_VALUE = """CASE WHEN measure IN ('paid', 'incurred') THEN incurred
                          WHEN measure LIKE '%_count' THEN reported END"""
_BORNHUETTER_FERGUSON = """
    CASE WHEN measure IN ('paid', 'incurred')
         THEN latest + expected_losses * (1 - 1 / nullif(cdf_to_ultimate, 0)) END"""


def _latest_diagonal(triangle: DataFrame) -> DataFrame:
    return triangle.groupBy("segment", "measure", "origin_year").agg(
        F.max("dev_lag_months").alias("from_lag_months"),
        F.max_by("cumulative", "dev_lag_months").alias("latest"),
    )


def _cdf(tail: Decimal) -> Column:
    """The factor of the age; past the last link of a triangle there is only the tail."""
    age = F.col("from_lag_months")
    last_link = F.max(F.when(F.col("has_link"), age)).over(Window.partitionBy("segment", "measure"))
    return F.when(age > F.coalesce(last_link, F.lit(0)), F.lit(float(tail))).otherwise(
        F.col("cdf_to_ultimate")
    )


def _latest_of(measure: str) -> Column:
    return F.max(F.when(F.col("measure") == measure, F.col("latest")))


def _expected(earned: DataFrame, ratio: BySegment) -> DataFrame:
    """Expected losses of an origin year; a segment whose policies are unknown has none."""
    return (
        earned.where(~F.col("segment").isin(ALL, UNKNOWN))
        .withColumn("losses", F.col("earned_premium") * ratio.of(F.col("segment")))
        .withColumn("segment", F.explode(F.array("segment", F.lit(ALL))))
        .groupBy("segment", F.col("accident_year").alias("origin_year"))
        .agg(F.sum("losses").cast("double").alias("expected_losses"))
    )
