"""Valuation dates and the configuration keys that steer them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines import settings
from dlt_pipelines.transforms.valuation import valuation_dates
from tests.dlt_pipelines.local_frame import local_frame


def newest(spark: SparkSession, *commits: str) -> DataFrame:
    rows = [(datetime.fromisoformat(commit),) for commit in commits]
    return local_frame(spark, rows, "newest_commit TIMESTAMP")


def dates(spark: SparkSession, column: str, *days: str) -> DataFrame:
    rows = [(date.fromisoformat(day),) for day in days]
    return local_frame(spark, rows, f"{column} DATE")


def test_year_ends_since_the_first_loss_twelve_month_ends_and_the_latest_day(
    spark: SparkSession,
) -> None:
    frame = valuation_dates(
        dates(spark, "business_date", "2024-02-10", "2024-03-15"),
        dates(spark, "loss_date", "2021-06-01", "2022-01-01"),
        newest(spark, "2024-03-16T08:00:00"),
        None,
    )
    rows_by_day = {str(row.valuation_date): row for row in frame.collect()}
    year_ends = {"2021-12-31", "2022-12-31", "2023-12-31"}
    month_ends = {
        "2023-03-31", "2023-04-30", "2023-05-31", "2023-06-30", "2023-07-31", "2023-08-31",
        "2023-09-30", "2023-10-31", "2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29",
    }  # fmt: skip
    assert set(rows_by_day) == year_ends | month_ends | {"2024-03-15"}
    assert {day for day, row in rows_by_day.items() if row.is_year_end} == year_ends
    assert [day for day, row in rows_by_day.items() if row.is_latest] == ["2024-03-15"]


def test_a_given_date_is_the_latest_and_one_row(spark: SparkSession) -> None:
    frame = valuation_dates(
        dates(spark, "business_date", "2024-03-15"),
        dates(spark, "loss_date", "2024-06-01"),  # after the valuation
        newest(spark),
        date(2023, 12, 31),
    )
    rows = frame.where("is_latest").collect()
    assert [str(row.valuation_date) for row in rows] == ["2023-12-31"]
    assert frame.count() == 12
    assert frame.where(F.col("valuation_date") > "2023-12-31").count() == 0


def test_without_data_there_is_nothing_to_value(spark: SparkSession) -> None:
    business, losses = dates(spark, "business_date"), dates(spark, "loss_date")
    nothing = valuation_dates(business, losses, newest(spark), None)
    assert nothing.count() == 0


@pytest.mark.parametrize(
    ("commits", "latest"),
    [
        (["2024-03-14T10:00:00", "2024-03-15T23:59:59"], "2024-03-15"),
        (["2024-03-14T10:00:00"], "2024-02-10"),
        ([], "2031-01-01"),  # without a commit time there is no limit
    ],
)
def test_a_date_after_the_newest_commit_moves_no_valuation(
    spark: SparkSession, commits: list[str], latest: str
) -> None:
    business = dates(spark, "business_date", "2024-02-10", "2024-03-15", "2031-01-01")
    losses = dates(spark, "loss_date", "2024-01-01")
    frame = valuation_dates(business, losses, newest(spark, *commits), None)
    assert [str(row.valuation_date) for row in frame.where("is_latest").collect()] == [latest]


@pytest.fixture
def configured(spark: SparkSession) -> Iterator[SparkSession]:
    """A session whose configuration nobody else sees."""
    yield spark.newSession()


def test_defaults_hold_where_nothing_is_configured(configured: SparkSession) -> None:
    assert settings.valuation_date(configured) is None
    assert settings.large_loss_cap(configured).general == Decimal(100000)
    assert settings.first_origin_year(configured).general is None
    assert settings.pii_salt(configured) == ""
    with pytest.raises(ValueError, match=r"insurance\.landing is not set"):
        settings.landing(configured)


def test_a_segment_may_have_a_number_of_its_own(configured: SparkSession) -> None:
    configured.conf.set("insurance.large_loss_cap", "50000.00")
    configured.conf.set("insurance.large_loss_cap.HOME", "250000")
    cap = settings.large_loss_cap(configured)
    frame = configured.sql("SELECT * FROM VALUES ('HOME'), ('MOTOR') AS t(segment)")
    rows = frame.select(
        "segment", cap.of(F.col("segment")), cap.text_of(F.col("segment"))
    ).collect()
    assert {row[0]: (int(row[1]), row[2]) for row in rows} == {
        "HOME": (250000, "250000"),
        "MOTOR": (50000, "50000"),
    }


@pytest.mark.parametrize(
    ("key", "text", "read"),
    [
        ("insurance.valuation_date", "31.12.2023", settings.valuation_date),
        ("insurance.large_loss_cap", "a lot", settings.large_loss_cap),
        ("insurance.large_loss_cap.HOME", "", settings.large_loss_cap),
    ],
)
def test_a_value_that_cannot_be_read_is_named(
    configured: SparkSession, key: str, text: str, read: object
) -> None:
    configured.conf.set(key, text)
    assert callable(read)
    with pytest.raises(ValueError, match=key):
        read(configured)
