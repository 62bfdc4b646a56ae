"""Bands of whole numbers: ages, bonus levels, densities, price changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
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
    table = bands.agg(F.collect_list(F.struct("band", "lower", "upper", "label")).alias("_bands"))
    numbered = frame.withColumns({f"_{name}": F.expr(n).cast("int") for name, n in numbers.items()})
    labelled = numbered.crossJoin(F.broadcast(table)).withColumns(
        {name: _label(name) for name in numbers}
    )
    return labelled.drop("_bands", *(f"_{name}" for name in numbers))


def _label(name: str) -> Column:
    inside = f"""filter(_bands, b -> b.band = '{name}' AND b.lower <= _{name}
                                 AND (_{name} < b.upper OR b.upper IS NULL))"""
    return F.expr(f"coalesce(try_element_at({inside}, 1).label, '{UNKNOWN}')")


def whole_years(start: str, end: str) -> str:
    """SQL: whole years between two dates. One born on 29 February has a birthday on 1 March."""
    day_in_year = "100 * month({0}) + day({0})"
    is_before = f"{day_in_year.format(end)} < {day_in_year.format(start)}"
    return f"(year({end}) - year({start}) - if({is_before}, 1, 0))"
