"""Bands of whole numbers, and whole years between dates."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from dlt_pipelines import settings
from dlt_pipelines.transforms.bands import band_rows, whole_years, with_bands
from tests.dlt_pipelines.local_frame import local_frame

COLUMNS = "band STRING, lower INT, upper INT, label STRING"


def test_bands_are_half_open_and_labelled_with_what_is_inside(spark: SparkSession) -> None:
    bands = local_frame(spark, band_rows(settings.BAND_EDGES), COLUMNS)
    ages = local_frame(spark, [(n,) for n in (17, 18, 20, 21, 70, 71, 99, None)], "age INT")
    rows = with_bands(ages, bands, {"driver_age_band": "age"}).collect()
    assert [row.driver_age_band for row in rows] == [
        "UNKNOWN", "18-20", "18-20", "21-25", "51-70", "71+", "71+", "UNKNOWN",
    ]  # fmt: skip
    no_bands = with_bands(ages.limit(1), bands.limit(0), {"driver_age_band": "age"}).first()
    assert no_bands is not None and no_bands.driver_age_band == "UNKNOWN"


def test_configuration_takes_precedence_over_the_edges(spark: SparkSession) -> None:
    session = spark.newSession()
    session.conf.set("insurance.band.tenure_band", "1, 5,10")
    edges = settings.band_edges(session)
    assert edges["tenure_band"] == (1, 5, 10)
    assert edges["ncd_band"] == settings.BAND_EDGES["ncd_band"]
    session.conf.set("insurance.band.tenure_band", "one")
    with pytest.raises(ValueError, match="whole numbers"):
        settings.band_edges(session)
    session.conf.set("insurance.band.tenur_band", "1")
    with pytest.raises(ValueError, match="the bands are driver_age_band"):
        settings.band_edges(spark=session)


def test_whole_years_change_on_the_birthday(spark: SparkSession) -> None:
    pairs = [
        ("2004-02-29", "2022-02-28"), ("2004-02-29", "2022-03-01"),
        ("2000-06-15", "2026-06-14"), ("2000-06-15", "2026-06-15"),
    ]  # fmt: skip
    days = local_frame(spark, pairs, "born STRING, day STRING")
    days = days.selectExpr("CAST(born AS DATE) AS born", "CAST(day AS DATE) AS day")
    rows = days.select(F.expr(whole_years("born", "day")).alias("age")).collect()
    assert [row.age for row in rows] == [17, 18, 25, 26]
