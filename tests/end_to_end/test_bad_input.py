"""Bad rows, files and commands: kept, counted, told; never in the way of the rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from dlt_pipelines import dms
from dlt_pipelines.source_tables import SOURCE_TABLES
from local_shim.graph.plan import RefreshSelection
from local_shim.pipeline_spec.load import from_bundle
from local_shim.query.catalog import default_namespace
from local_shim.query.storage_session import reading
from local_shim.run import Request, run
from local_shim.storage import Storage

PROJECT = Path(__file__).parents[2]
PRODUCT = next(table for table in SOURCE_TABLES if table.name == "product")
HEADER = [name for name in dms.file_columns(PRODUCT) if name != dms.CORRUPT]
TIME = "2026-07-01 00:00:00.000000"


def row(**values: str) -> dict[str, str]:
    given = {"Op": "I", "_dms_commit_ts": TIME, "name": "Motor", "line_of_business": "MOTOR",
             "policy_type": "MOTOR", "term_months": "12", "currency": "EUR"}  # fmt: skip
    return {**dict.fromkeys(HEADER, "\\N"), **given, **values}


def line(header: list[str], values: dict[str, str]) -> str:
    return ",".join(values[name] for name in header)


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """One good product among rows and files that are wrong in every way there is."""
    folder = tmp_path / "landing" / "public" / "product"
    folder.mkdir(parents=True)
    good = row(product_id="1", product_code="P1")
    rows = [
        line(HEADER, good),
        line(HEADER, row(product_id="2", product_code="P2")) + ",surplus",
        "I," + TIME + ",3",
        line(HEADER, row(product_id="4", product_code="P4", Op="X")),
        line(HEADER, row(product_id="5", product_code="P5", term_months="twelve")),
        line(HEADER, row(product_id="\\N", product_code="P6")),
    ]
    (folder / "LOAD00000001.csv").write_text("\n".join([",".join(HEADER), *rows]) + "\n")
    (folder / "LOAD00000002.csv").write_text("")
    turned = HEADER[::-1]
    other = line(turned, row(product_id="7", product_code="P7"))
    (folder / "LOAD00000003.csv").write_text(",".join(turned) + "\n" + other + "\n")
    return tmp_path / "landing"


@pytest.mark.slow
def test_every_bad_row_is_kept_with_its_file_and_stops_nothing(
    landing: Path, tmp_path: Path, spark: SparkSession
) -> None:
    spec = from_bundle(PROJECT, None, {"landing": str(landing)}, None)
    chosen = RefreshSelection(refresh=("bronze_product", "quarantine_product", "silver_product"))
    assert run(Request(spec, tmp_path / "storage", chosen)).exit_code == 0
    storage = Storage(tmp_path / "storage", "insurance")
    with reading(storage, default_namespace(storage)) as session:
        bronze = session.table("bronze_product").count()
        silver = [r[0] for r in session.sql("SELECT product_id FROM silver_product").collect()]
        refused = session.table("quarantine_product").collect()
    assert bronze == 7
    assert sorted(silver) == [1, 7]
    assert len(refused) == 5
    assert all("LOAD00000001.csv" in found["_file"] and found["_reasons"] for found in refused)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--var", "landing=/nowhere"], "'/nowhere' does not exist, which the configuration key"),
        (["--var", "landnig=/tmp"], "did you mean 'landing'"),
        (["--pipeline", "insurence"], "insurance"),
        (["--target", "qa"], "dev"),
    ],
)
def test_a_wrong_command_is_one_message_and_nothing_is_written(
    arguments: list[str], says: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "local_shim", "run", "--bundle", str(PROJECT),
               "--storage", str(tmp_path / "storage"), *arguments]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "storage").exists()
