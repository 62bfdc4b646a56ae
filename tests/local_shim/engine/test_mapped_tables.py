"""Tables of other catalogs, whose rows `--path` places on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_shim.errors import ShimError
from tests.pipeline_folder import Pipeline

SOURCE = """
import dlt
assert spark.catalog.tableExists("samples.nyctaxi.trips")

@dlt.table
def fares():
    return spark.read.table("samples.nyctaxi.trips").selectExpr("zip + fare AS fare")

@dlt.table
def trips():
    return spark.readStream.table("samples.nyctaxi.trips").select("fare")

@dlt.table
def products():
    return spark.sql("SELECT max(id) AS id FROM shop.sales.products")
"""


def test_tables_of_other_catalogs_are_delta_tables_or_files(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    (tmp_path / "trips").mkdir()
    (tmp_path / "trips" / "a.csv").write_text("zip,fare\n1,2\n1,3\n")
    delta = str(tmp_path / "delta")
    pipeline.spark.range(3).write.format("delta").save(delta)
    pipeline.paths = {
        "samples.nyctaxi.trips": str(tmp_path / "trips"),
        "shop.sales.products": delta,
    }
    pipeline.write(SOURCE)
    assert pipeline.update() == 0, pipeline.errors()
    assert (pipeline.rows("fares"), pipeline.rows("products")) == ([(3,), (4,)], [(2,)])
    (tmp_path / "trips" / "b.csv").write_text("zip,fare\n2,9\n")
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("fares") == [(11,), (3,), (4,)]
    assert pipeline.rows("trips") == [(2,), (3,), (9,)]


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ({}, "--path samples.nyctaxi.trips=DIR"),
        ({"samples.nyctaxi.trips": "/nowhere"}, "put files there that end in .parquet"),
    ],
)
def test_a_table_of_another_catalog_without_rows_says_where_they_belong(
    pipeline: Pipeline, paths: dict[str, str], message: str
) -> None:
    pipeline.paths = paths
    pipeline.write(SOURCE.replace("assert", "_ ="))
    with pytest.raises(ShimError, match=message):
        pipeline.plan()
