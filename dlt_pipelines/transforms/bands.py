"""Bands of whole numbers: ages, bonus levels, densities, price changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from dlt_pipelines.transforms.versions import UNKNOWN

Band = tuple[str, int, int | None, str]


def band_rows(edges: Mapping[str, Sequence[int]]) -> list[Band]:
    """(band, lower, upper, label) from the lower edges of each band; upper is exclusive.

    Labels are `lo-hi` with both ends inside, and `lo+` for the last one, which has no upper edge.
    """
    return [
        (name, lower, upper, f"{lower}+" if upper is None else f"{lower}-{upper - 1}")
        for name, lowers in edges.items()
        for lower, upper in zip(lowers, [*lowers[1:], None], strict=True)
    ]


def with_bands(frame: DataFrame, bands: DataFrame, numbers: Mapping[str, str]) -> DataFrame:
    """Adds a column for each band of `numbers` (band name to SQL of a number) with its label.

    A number that is null or below the lowest edge is UNKNOWN.

    Args:
        frame: any rows.
        bands: the table ref_band.
        numbers: which number falls into which band.
    """
    tops = (F.max(F.when(F.col("band") == name, F.col("lower"))) for name in numbers)
    top_of = bands.agg(
        *(top.alias(f"_top_{name}") for name, top in zip(numbers, tops, strict=True))
    )
    labelled = frame.crossJoin(F.broadcast(top_of))
    for name, number in numbers.items():
        clipped = f"CAST(if({number} > _top_{name}, _top_{name}, {number}) AS INT)"
        numbered = labelled.withColumn(f"_{name}", F.expr(clipped))
        labelled = numbered.join(F.broadcast(_labels(bands, name)), f"_{name}", "left")
    helpers = [f"{prefix}_{name}" for prefix in ("", "_top") for name in numbers]
    return labelled.fillna(UNKNOWN, list(numbers)).drop(*helpers)


def _labels(bands: DataFrame, name: str) -> DataFrame:
    """The label of each whole number up to the lower edge of the last band.

    Numbers meet their label in a hash join: to search the bands of each row is ten times as slow.
    """
    numbers = F.expr("explode(sequence(lower, coalesce(upper - 1, lower)))")
    return bands.where(F.col("band") == name).select(
        numbers.alias(f"_{name}"), F.col("label").alias(name)
    )


def whole_years(start: str, end: str) -> str:
    """SQL: whole years between two dates. One born on 29 February has a birthday on 1 March."""
    day_in_year = "100 * month({0}) + day({0})"
    is_before = f"{day_in_year.format(end)} < {day_in_year.format(start)}"
    return f"(year({end}) - year({start}) - if({is_before}, 1, 0))"
