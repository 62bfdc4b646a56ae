"""Whole pipelines in the styles that people write, each over several updates.

A program is a folder: `source/` (a bundle or files), `updates/<n>/` (files that arrive before
update n) and `expected/<n>/<table>.jsonl` (rows of a table after it, in any order).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from local_shim.graph.names import Namespace
from local_shim.pipeline_spec.load import from_bundle, from_files
from local_shim.pipeline_spec.pipeline import PipelineSpec
from local_shim.run import run
from local_shim.update.request import Request

HERE = Path(__file__).parent
PROGRAMS = sorted(path.name for path in HERE.iterdir() if (path / "source").is_dir())


def spec_of(source: Path, landing: Path) -> PipelineSpec:
    """The pipeline of a program; its landing folder is mapped, and named in the configuration."""
    if (source / "databricks.yml").exists():
        return from_bundle(source)
    return from_files([str(source)], "main", "default", {"landing": str(landing)})


def rows(spark: SparkSession, storage: Path, table: str) -> list[str]:
    name = Namespace("main", "default").qualify(table)
    folder = storage / "tables" / name.catalog / name.schema / name.table
    frame = spark.read.format("delta").load(str(folder)).drop("_rescued_data")
    texts = frame.selectExpr("to_json(struct(*)) AS row").collect()
    return sorted(_canonical(json.loads(each.row)) for each in texts)


def expected_tables(program: Path, update: str) -> list[Path]:
    """The files of the tables after an update; fails if there is none."""
    tables = sorted((program / "expected" / update).glob("*.jsonl"))
    assert tables, f"{program.name}: nothing says what update {update} gives"
    return tables


def _canonical(row: dict[str, Any]) -> str:
    return json.dumps(row, sort_keys=True)


def test_an_update_without_expected_tables_fails(tmp_path: Path) -> None:
    (tmp_path / "expected" / "2").mkdir(parents=True)
    with pytest.raises(AssertionError, match="nothing says what update 2 gives"):
        expected_tables(tmp_path, "2")


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_runs_over_its_updates(program: str, spark: SparkSession, tmp_path: Path) -> None:
    source, landing, storage = tmp_path / "source", tmp_path / "landing", tmp_path / "storage"
    shutil.copytree(HERE / program / "source", source)
    landing.mkdir()
    paths = {"/Volumes/main/default/landing": str(landing), "dbfs:/mnt/landing": str(landing)}
    for arrivals in sorted((HERE / program / "updates").iterdir()):
        shutil.copytree(arrivals, landing, dirs_exist_ok=True)
        result = run(Request(spec_of(source, landing), storage, paths=paths))
        assert result.exit_code == 0, [failure.message for failure in result.failures]
        for expected in expected_tables(HERE / program, arrivals.name):
            lines = expected.read_text().splitlines()
            expected_rows = sorted(_canonical(json.loads(line)) for line in lines)
            assert rows(spark, storage, expected.stem) == expected_rows, (
                f"{arrivals.name}: {expected.stem}"
            )
