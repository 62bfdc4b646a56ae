"""dlt-meta with our onboarding files gives the bronze and silver tables of our own pipeline."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from pkgutil import extend_path
from typing import Any

import pytest
import yaml
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import dms
from dlt_pipelines.source_tables import SOURCE_TABLES, History, SourceTable
from local_shim.graph.plan import RefreshSelection
from local_shim.pipeline_spec.load import from_bundle, from_files
from local_shim.pipeline_spec.pipeline import PipelineSpec
from local_shim.run import run
from local_shim.update.request import Request

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "resources" / "dlt_meta"
FLOWS: list[dict[str, Any]] = json.loads((FOLDER / "onboarding.json").read_text())
# One table of each kind of history; the package treats all tables of a kind alike.
HISTORIES = {"product": History.CURRENT, "party": History.VERSIONS, "invoice": History.CURRENT}
LANDING = "/Volumes/main/insurance/landing/"
VALUES = {"BIGINT": "7", "SMALLINT": "12", "DATE": "2026-06-30", "BOOLEAN": "true",
          "TIMESTAMP": "2026-06-30 10:00:00"}  # fmt: skip


def test_json_and_yaml_say_the_same() -> None:
    assert yaml.safe_load((FOLDER / "onboarding.yml").read_text()) == FLOWS


def test_there_is_a_flow_for_every_table_as_the_pipeline_declares_it() -> None:
    transformations = json.loads((FOLDER / "silver_transformations.json").read_text())
    assert [each["target_table"] for each in transformations] == [
        flow["silver_table"] for flow in FLOWS
    ]
    for flow, table in zip(FLOWS, SOURCE_TABLES, strict=True):
        versions = table.history is History.VERSIONS
        changes = flow["silver_cdc_apply_changes"]
        assert flow["bronze_table"] == f"bronze_{table.name}"
        assert flow["bronze_reader_options"] == dms.reader_options(table)
        assert flow["source_details"]["source_path_prod"] == dms.folder(LANDING, table)
        assert (changes["keys"], changes["column_list"]) == ([*table.keys], [*table.columns])
        assert changes["scd_type"] == ("2" if versions else "1")
        assert flow["silver_cluster_by"] == [*table.cluster_by]


@pytest.fixture(scope="module")
def dlt_meta(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The unmodified package in a folder of its own, on the import path of these tests only."""
    folder = tmp_path_factory.mktemp("packages")
    packages = ["dlt-meta==0.1.0", "databricks-labs-sdp-meta==0.1.0"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--retries", "0"]
    process = subprocess.run(
        [*command, "--target", str(folder), *packages], capture_output=True, text=True
    )
    if process.returncode:
        pytest.skip(f"dlt-meta cannot be installed: {process.stderr.strip().splitlines()[-1]}")
    databricks = pytest.importorskip("databricks")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setattr(databricks, "__path__", extend_path(databricks.__path__, "databricks"))
        yield
    for name in [name for name in sys.modules if name.startswith("databricks.labs")]:
        del sys.modules[name]


@pytest.mark.slow
def test_tables_of_dlt_meta_equal_ours(dlt_meta: None, tmp_path: Path, spark: SparkSession) -> None:
    tables = [table for table in SOURCE_TABLES if table.name in HISTORIES]
    for table in tables:
        assert table.history is HISTORIES[table.name]
        write_files(tmp_path / "landing" / "public" / table.name, table)
    onboard(spark, tmp_path)
    for layer in ("bronze", "silver"):
        update(tmp_path / "meta", meta_spec(layer, tables), tmp_path)
    names = [f"{layer}_{table.name}" for layer in ("bronze", "silver") for table in tables]
    spec = from_bundle(PROJECT, None, {"landing": LANDING.rstrip("/")}, environ={})
    below_gold = tuple(file for file in spec.sources if file.parent.name in ("bronze", "silver"))
    update(tmp_path / "ours", replace(spec, sources=below_gold), tmp_path, *names)
    for name in names:
        actual, expected = (read(spark, tmp_path / each, name) for each in ("meta", "ours"))
        assert expected.count() > 0
        assert_df_equality(actual, expected, ignore_row_order=True, ignore_metadata=True)


def write_files(folder: Path, table: SourceTable) -> None:
    """A full load and changes: an update, a delete, a moved key, and a row that is refused."""
    header = [name for name in dms.file_columns(table) if name != dms.CORRUPT]
    (key,) = table.keys

    def line(op: str, number: int, place: int, old: int | None = None) -> str:
        values = {name: VALUES.get(kind, "1") for name, kind in table.columns.items()}
        added = {dms.OP: op, dms.COMMIT_TIME: f"2026-07-0{place} 00:00:00.000000", key: str(number)}
        if place > 1:
            added[dms.CHANGE_SEQUENCE] = f"2026070{place}00000000{number:019}"
            added[dms.BEFORE_IMAGE + key] = str(old or number)
        row = {**dict.fromkeys(header, dms.NULL_TEXT), **values, **added}
        return ",".join(row[name] for name in header)

    folder.mkdir(parents=True)
    load = [line("I", number, 1) for number in (1, 2, 3)]
    changes = [line("U", 1, 2), line("D", 2, 2), line("U", 4, 2, old=3), line("X", 5, 2)]
    for name, rows in (("LOAD00000001.csv", load), ("20260702-000000000.csv", changes)):
        (folder / name).write_text("\n".join([",".join(header), *rows]) + "\n")


def onboard(spark: SparkSession, folder: Path) -> None:
    """Lets the package read the onboarding file into its two tables of flows."""
    from databricks.labs.sdp_meta.onboard_dataflowspec import OnboardDataflowspec

    text = (FOLDER / "onboarding.json").read_text()
    copy = folder / "onboarding.json"
    copy.write_text(text.replace("/Volumes/main/insurance/dlt_meta", str(FOLDER)))
    spark.sql(f"CREATE DATABASE IF NOT EXISTS dlt_meta LOCATION '{folder}/dlt_meta'")
    parameters = {
        "onboarding_file_path": str(copy),
        "database": "dlt_meta",
        "env": "prod",
        "bronze_dataflowspec_table": "bronze_flows",
        "silver_dataflowspec_table": "silver_flows",
        "import_author": "test",
        "version": "v1",
        "overwrite": "True",
    }
    OnboardDataflowspec(spark, parameters, uc_enabled=True).onboard_dataflow_specs()


def meta_spec(layer: str, tables: list[SourceTable]) -> PipelineSpec:
    """The pipeline that dlt-meta makes of the chosen flows of a layer."""
    numbers = [str(SOURCE_TABLES.index(table) + 1) for table in tables]
    configuration = {
        "layer": layer,
        f"{layer}.dataflowspecTable": f"dlt_meta.{layer}_flows",
        f"{layer}.dataflowIds": ",".join(numbers),
        "spark.databricks.unityCatalog.enabled": "true",
    }
    spec = from_files([str(FOLDER / "pipeline.py")], "main", "insurance", configuration)
    return replace(spec, key=layer, root=PROJECT)


def update(storage: Path, spec: PipelineSpec, folder: Path, *names: str) -> None:
    paths = {LANDING: f"{folder}/landing/"}
    request = Request(spec, storage, RefreshSelection(refresh=names), paths)
    assert run(request).failures == ()


def read(spark: SparkSession, storage: Path, name: str) -> DataFrame:
    path = storage / "tables" / "main" / "insurance" / name
    return spark.read.format("delta").load(str(path))
