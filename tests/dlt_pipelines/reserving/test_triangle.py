"""Development triangles: the cells of the insurance model's example, section b6, and identities."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines.assumptions import BySegment
from dlt_pipelines.transforms.reserving.triangle import triangle
from tests.dlt_pipelines.local_frame import local_frame

CAP = BySegment(Decimal(1000), {})
NO_YEAR = BySegment(None, {})
POSITION = (
    "segment STRING, accident_year INT, reported_on DATE, valuation_date DATE, status STRING,"
    " paid DECIMAL(18,2), incurred DECIMAL(18,2)"
)


def position(
    year: int, at: str, paid: int, incurred: int = 0, segment: str = "MOTOR", status: str = "OPEN"
) -> tuple[Any, ...]:
    reported, valuation = date(year, 6, 1), date.fromisoformat(at)
    return segment, year, reported, valuation, status, Decimal(paid), Decimal(incurred)


def cells(frame: DataFrame, measure: str, segment: str = "MOTOR") -> dict[tuple[int, int], Any]:
    rows = frame.where(f"measure = '{measure}' AND segment = '{segment}'").collect()
    return {(row.origin_year, row.dev_lag_months): row for row in rows}


def develop(spark: SparkSession, *rows: tuple[Any, ...], **settings: BySegment) -> DataFrame:
    options = {"cap": CAP, "first_origin_year": NO_YEAR} | settings
    return triangle(local_frame(spark, list(rows), POSITION), **options)


EXAMPLE = [
    position(2021, "2021-12-31", 1000),
    position(2021, "2022-12-31", 1500),
    position(2021, "2023-12-31", 1650),
    position(2022, "2022-12-31", 1100),
    position(2022, "2023-12-31", 1700),
    position(2023, "2023-12-31", 1300),
]


def test_a_calendar_year_is_a_diagonal_as_in_the_example(spark: SparkSession) -> None:
    paid = develop(spark, *EXAMPLE).where("measure = 'paid' AND segment = 'ALL'")
    actual = paid.selectExpr(
        "origin_year", "dev_lag_months", "CAST(incremental AS INT) AS incremental",
        "CAST(cumulative AS INT) AS cumulative",
    )  # fmt: skip
    expected = local_frame(
        spark,
        [
            (2021, 12, 1000, 1000), (2021, 24, 500, 1500), (2021, 36, 150, 1650),
            (2022, 12, 1100, 1100), (2022, 24, 600, 1700),
            (2023, 12, 1300, 1300),
        ],
        actual.schema,
    )  # fmt: skip
    assert_df_equality(actual, expected, ignore_row_order=True)


def test_every_observed_cell_is_there_and_none_beyond_the_diagonal(spark: SparkSession) -> None:
    table = develop(spark, position(2021, "2022-12-31", 5), position(2021, "2023-06-30", 5))
    paid = {key: str(row.cumulative) for key, row in cells(table, "paid").items()}
    assert paid == {
        (2021, 12): "0.00",  # nothing known at the first year end
        (2021, 24): "5.00",
        (2021, 36): "5.00",  # no movement is a cell too
        (2022, 12): "0.00", (2022, 24): "0.00", (2023, 12): "0.00",  # years without a claim
    }  # fmt: skip


def test_the_capped_measure_carries_its_cap_in_plain_digits(spark: SparkSession) -> None:
    caps = BySegment(Decimal("100000.00"), {"MOTOR": Decimal(1200)})
    table = develop(spark, *EXAMPLE[:3], cap=caps)
    motor = cells(table, "paid_capped_1200")
    assert [str(motor[2021, age].incremental) for age in (12, 24, 36)] == [
        "1000.00", "200.00", "0.00",
    ]  # fmt: skip
    whole = cells(table, "paid_capped_100000", "ALL")
    assert str(whole[2021, 36].cumulative) == "1650.00"


def test_counts_follow_report_and_settlement(spark: SparkSession) -> None:
    table = develop(
        spark,
        position(2021, "2021-12-31", 7, status="CLOSED"),
        position(2021, "2021-12-31", 0, status="CLOSED"),
        position(2021, "2022-12-31", 7, status="REOPENED"),
        position(2021, "2022-12-31", 0, status="CLOSED"),
    )
    settled = cells(table, "closed_with_payment_count")
    assert [str(settled[2021, age].incremental) for age in (12, 24)] == ["1.00", "-1.00"]
    assert str(cells(table, "reported_count")[2021, 24].cumulative) == "2.00"


def test_years_before_the_first_origin_year_are_out(spark: SparkSession) -> None:
    from_2022 = BySegment(None, {"MOTOR": Decimal(2022)})
    rows = [*EXAMPLE, position(2021, "2023-12-31", 9, segment="HOME")]
    table = develop(spark, *rows, first_origin_year=from_2022)
    assert {year for year, _ in cells(table, "paid")} == {2022, 2023}
    assert min(year for year, _ in cells(table, "paid", "HOME")) == 2021
    assert str(cells(table, "paid", "ALL")[2021, 36].cumulative) == "9.00"


def test_increments_add_up_to_the_claim_positions_on_any_data(spark: SparkSession) -> None:
    seed = 11
    dice = random.Random(seed)
    rows = [
        position(year, f"{at}-12-31", dice.randrange(-100, 3000), dice.randrange(5000), segment)
        for segment in ("MOTOR", "HOME")
        for year in range(2019, 2024)
        for _ in range(3)
        for at in range(year, 2024)
    ]
    table = develop(spark, *rows)
    total: dict[tuple[Any, str], Decimal] = defaultdict(Decimal)
    for segment, _, _, valuation, _, paid, incurred in rows:
        if valuation.year == 2023:
            total[segment, "paid"] += paid
            total[segment, "incurred"] += incurred
    sums = {
        (row.segment, row.measure): row.total
        for row in table.groupBy("segment", "measure").agg({"incremental": "sum"})
        .withColumnRenamed("sum(incremental)", "total").collect()
    }  # fmt: skip
    for (segment, measure), amount in total.items():
        assert sums[segment, measure] == amount, f"seed {seed}"
    assert sums["ALL", "paid"] == sums["MOTOR", "paid"] + sums["HOME", "paid"]
