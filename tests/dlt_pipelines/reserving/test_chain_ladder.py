"""Chain ladder: the example of the insurance model, section b6, and the package chainladder."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from dlt_pipelines.assumptions import BySegment
from dlt_pipelines.transforms.reserving.chain_ladder import development_factors, ultimates
from tests.dlt_pipelines.local_frame import local_frame

CELL = (
    "segment STRING, measure STRING, origin_year INT, dev_lag_months INT, cumulative DECIMAL(18,2)"
)
EARNED = "accident_year INT, segment STRING, earned_premium DECIMAL(18,2)"
OVERRIDE = "segment STRING, measure STRING, from_lag_months INT, ldf DOUBLE"
Valued = Callable[..., DataFrame]
Cells = dict[int, list[str]]

PAID: Cells = {2021: ["1000", "1500", "1650"], 2022: ["1100", "1700"], 2023: ["1300"]}
INCURRED: Cells = {2021: ["1500", "1600", "1660"], 2022: ["1600", "1790"], 2023: ["1950"]}


def triangle(spark: SparkSession, segment: str = "MOTOR", **measures: Cells) -> DataFrame:
    rows = [
        (segment, measure, year, 12 * age, Decimal(value))
        for measure, cells in measures.items()
        for year, values in cells.items()
        for age, value in enumerate(values, 1)
    ]
    return local_frame(spark, rows, CELL)


@pytest.fixture
def develop(spark: SparkSession, valued_at: Valued) -> Callable[..., DataFrame]:
    """`develop(triangle, overrides…, average=, tail=)`: the factors of a triangle to 2023."""

    def factors(
        cells: DataFrame, *overrides: tuple[Any, ...], average: str = "volume", tail: str = "1"
    ) -> DataFrame:
        year_ends = valued_at("2021-12-31", "2022-12-31", "2023-12-31")
        manual_factors = local_frame(spark, list(overrides), OVERRIDE)
        return development_factors(cells, year_ends, manual_factors, average, Decimal(tail))

    return factors


def by_age(frame: DataFrame, average: str = "volume", measure: str = "paid") -> dict[int, Row]:
    rows = frame.where(f"average = '{average}' AND measure = '{measure}'").collect()
    return {row.from_lag_months: row for row in rows}


def test_volume_weighted_factors_are_those_of_the_example(
    spark: SparkSession, develop: Callable[..., DataFrame]
) -> None:
    rows = by_age(develop(triangle(spark, paid=PAID)))
    assert {age: (row.to_lag_months, f"{row.ldf:.5f}", f"{row.cdf_to_ultimate:.5f}")
            for age, row in rows.items()} == {
        12: (24, "1.52381", "1.67619"),
        24: (36, "1.10000", "1.10000"),
    }  # fmt: skip


def test_the_simple_average_is_a_mean_of_ratios(
    spark: SparkSession, develop: Callable[..., DataFrame]
) -> None:
    rows = by_age(develop(triangle(spark, paid=PAID)), "simple")
    assert rows[12].ldf == pytest.approx((1500 / 1000 + 1700 / 1100) / 2)


def test_ultimates_and_ibnr_are_those_of_the_example(
    spark: SparkSession, develop: Callable[..., DataFrame]
) -> None:
    cells = triangle(spark, paid=PAID, incurred=INCURRED)
    rows = project(spark, cells, develop(cells))
    assert {year: (f"{row.ultimate:.1f}", f"{row.ibnr:.1f}") for year, row in rows.items()} == {
        2021: ("1650.0", "-10.0"),
        2022: ("1870.0", "80.0"),
        2023: ("2179.0", "229.0"),
    }
    assert f"{sum(row.ibnr for row in rows.values()):.1f}" == "299.0"
    assert [str(rows[year].to_come) for year in (2021, 2022, 2023)] == ["0.00", "170.00", "879.05"]


def test_bornhuetter_ferguson_is_that_of_the_example(
    spark: SparkSession, develop: Callable[..., DataFrame]
) -> None:
    cells = triangle(spark, paid=PAID, incurred=INCURRED)
    row = project(spark, cells, develop(cells), (2023, "MOTOR", Decimal(3000)))[2023]
    assert str(row.bf_ultimate) == "2086.65"
    assert f"{1 - 1 / row.cdf_to_ultimate:.5f}" == "0.40341"


def project(
    spark: SparkSession, cells: DataFrame, factors: DataFrame, *earned: tuple[Any, ...],
    measure: str = "paid", segment: str = "MOTOR", tail: str = "1",
) -> dict[int, Row]:  # fmt: skip
    premium = local_frame(spark, list(earned), EARNED)
    ratio = BySegment(Decimal("0.65"), {"HOME": Decimal("0.50")})
    frame = ultimates(cells, factors, premium, ratio, Decimal(tail))
    rows = frame.where(f"measure = '{measure}' AND segment = '{segment}'").collect()
    return {row.origin_year: row for row in rows}


def test_the_tail_develops_every_year_and_the_last_age_by_itself(
    spark: SparkSession, develop: Callable[..., DataFrame]
) -> None:
    cells = triangle(spark, paid=PAID)
    rows = project(spark, cells, develop(cells, tail="1.050"), tail="1.050")
    assert str(rows[2021].ultimate) == "1732.50"
    assert rows[2023].cdf_to_ultimate == pytest.approx(1.67619 * 1.05, rel=1e-5)


def test_a_factor_without_a_base_is_null_and_so_is_what_needs_it(
    spark: SparkSession, develop: Callable[..., DataFrame]
) -> None:
    cells = triangle(
        spark, paid={2021: ["0", "5", "6"], 2022: ["0", "7"], 2023: ["3"]}, incurred=INCURRED
    )
    factors = develop(cells)
    rows, simple = by_age(factors), by_age(factors, "simple")
    assert (rows[12].ldf, rows[12].cdf_to_ultimate, rows[12].zero_bases) == (None, None, 2)
    assert (simple[12].ldf, simple[12].zero_bases) == (None, 2)
    assert rows[24].cdf_to_ultimate == pytest.approx(1.2)
    projected = project(spark, cells, factors, (2023, "MOTOR", Decimal(100)))
    assert (projected[2023].ultimate, projected[2023].bf_ultimate) == (None, None)
    assert str(projected[2022].ultimate) == "8.40"


def test_a_factor_that_is_not_positive_has_no_product(
    spark: SparkSession, develop: Callable[..., DataFrame]
) -> None:
    cells = triangle(spark, paid={2021: ["10", "-5", "-5"], 2022: ["10", "-5"], 2023: ["1"]})
    rows = by_age(develop(cells))
    assert (rows[12].ldf, rows[12].cdf_to_ultimate) == (-0.5, None)


def test_a_single_origin_year_has_no_factors_and_stays_as_it_is(
    spark: SparkSession, develop: Callable[..., DataFrame]
) -> None:
    cells = triangle(spark, paid={2023: ["40"]}, incurred={2023: ["55"]})
    assert develop(cells).count() == 0
    row = project(spark, cells, develop(cells))[2023]
    assert (str(row.ultimate), row.cdf_to_ultimate, str(row.ibnr)) == ("40.00", 1.0, "-15.00")


def test_an_empty_triangle_has_neither_factors_nor_ultimates(
    spark: SparkSession, develop: Callable[..., DataFrame]
) -> None:
    cells = triangle(spark)
    assert develop(cells).count() == 0
    assert project(spark, cells, develop(cells)) == {}


def test_counts_are_compared_with_reported_counts_and_capped_paid_with_nothing(
    spark: SparkSession, develop: Callable[..., DataFrame]
) -> None:
    counts: Cells = {2022: ["10", "12"], 2023: ["20"]}
    cells = triangle(
        spark, reported_count=counts, closed_with_payment_count={2022: ["4", "8"], 2023: ["6"]},
        paid_capped_1000=counts,
    )  # fmt: skip
    factors = develop(cells)
    settled = project(spark, cells, factors, measure="closed_with_payment_count")[2023]
    capped = project(spark, cells, factors, measure="paid_capped_1000")[2023]
    assert (str(settled.ultimate), str(settled.ibnr), settled.bf_ultimate) == (
        "12.00", "-8.00", None,
    )  # fmt: skip
    assert (str(capped.ultimate), capped.ibnr, capped.bf_ultimate) == ("24.00", None, None)


def test_an_actuarys_factor_takes_its_place_in_the_chain(
    spark: SparkSession, develop: Callable[..., DataFrame]
) -> None:
    cells = triangle(spark, paid=PAID, incurred=INCURRED)
    factors = develop(cells, ("MOTOR", "paid", 24, 1.2))
    overrides = by_age(factors, "override")
    assert overrides[12].ldf == by_age(factors)[12].ldf
    assert overrides[12].cdf_to_ultimate == pytest.approx(3200 / 2100 * 1.2)
    selected = {(row.measure, row.average) for row in factors.where("selected").collect()}
    assert selected == {("paid", "override"), ("incurred", "volume")}
    assert str(project(spark, cells, factors)[2022].ultimate) == "2040.00"


def test_the_year_under_way_can_be_left_out_of_the_factors(
    spark: SparkSession, valued_at: Valued
) -> None:
    cells = triangle(spark, paid=PAID)
    no_overrides = local_frame(spark, [], OVERRIDE)
    year_ends = valued_at("2021-12-31", "2022-12-31")  # 2023 is not over
    factors = development_factors(cells, year_ends, no_overrides, "volume_closed", Decimal(1))
    assert {age: row.ldf for age, row in by_age(factors, "volume_closed").items()} == {12: 1.5}
    rows = project(spark, cells, factors)
    assert [str(rows[year].ultimate) for year in (2021, 2022, 2023)] == [
        "1650.00", "1700.00", "1950.00",
    ]  # fmt: skip


def test_the_segment_all_expects_what_its_segments_expect(
    spark: SparkSession, develop: Callable[..., DataFrame]
) -> None:
    cells = triangle(spark, "ALL", paid=PAID)
    earned = [(2023, "MOTOR", Decimal(1000)), (2023, "HOME", Decimal(1000)),
              (2023, "UNKNOWN", Decimal(9000)), (2023, "ALL", Decimal(11000))]  # fmt: skip
    row = project(spark, cells, develop(cells), *earned, segment="ALL")[2023]
    expected = 1300 + (650 + 500) * (1 - 2100 / 3200 / 1.1)
    assert float(row.bf_ultimate) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_factors_and_ultimates_are_those_of_the_package_chainladder(
    spark: SparkSession, develop: Callable[..., DataFrame], seed: int
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cl = pytest.importorskip("chainladder", reason="the extra `test` brings chainladder")
        cells = random_cells(seed)
        model = cl.Development(average="volume").fit(as_triangle(cl, cells))
        ladder = cl.Chainladder().fit(cl.Development(average="volume").fit_transform(
            as_triangle(cl, cells)))  # fmt: skip
        factors = model.ldf_.to_frame().to_numpy().ravel()
        expected = ladder.ultimate_.to_frame().to_numpy().ravel()
    table = triangle(spark, paid=cells)
    rows = sorted(by_age(develop(table)).items())
    assert [row.ldf for _, row in rows] == pytest.approx(list(factors), rel=1e-9)
    projected = sorted(project(spark, table, develop(table)).items())
    for (year, row), value in zip(projected, expected, strict=True):
        assert math.isclose(float(row.ultimate), value, abs_tol=0.006), f"seed {seed}, {year}"


def random_cells(seed: int) -> Cells:
    dice = random.Random(seed)
    cells: Cells = {}
    for year in range(2016, 2024):
        total, values = 0.0, []
        for age in range(2024 - year):
            total += dice.uniform(500, 2000) / (1 + age) ** 2
            values.append(f"{total:.2f}")
        cells[year] = values
    return cells


def as_triangle(cl: Any, cells: Cells) -> Any:
    import pandas as pd

    rows = [
        {"origin": year, "development": year + age, "paid": float(value)}
        for year, values in cells.items()
        for age, value in enumerate(values)
    ]
    return cl.Triangle(
        pd.DataFrame(rows), origin="origin", development="development", columns="paid",
        cumulative=True,
    )  # fmt: skip
