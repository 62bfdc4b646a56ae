"""The pipelines that benchmarks generate: which tables, in which order, over which source."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks.pipelines.projects import SHAPES, Kind, Project, Table, declarations, program
from benchmarks.pipelines.source_table import append_rows
from local_shim.pipeline_spec.load import from_spark_spec


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [2, 7, 50])
def test_a_shape_has_as_many_tables_as_asked_each_after_its_inputs(shape: str, count: int) -> None:
    tables = SHAPES[shape](count)
    before = {"source"}
    for table in tables:
        assert set(table.inputs) <= before
        before.add(table.name)
    assert len(before) == count + 1
    compile(declarations(tables, Path("source")), "tables.py", "exec")
    compile(program(tables, Path("source"), Path("out")), "program.py", "exec")


def test_layers_differ_in_kind() -> None:
    kinds = [table.kind for table in SHAPES["layered"](6)]
    assert kinds == [Kind.STREAM] * 2 + [Kind.VIEW] * 4


def test_both_texts_read_the_same_inputs() -> None:
    tables = [
        Table("a", Kind.STREAM, ("source",), "{source}.where('id > 1')"),
        Table("b", Kind.VIEW, ("a",), "{a}.limit(1)"),
    ]
    declared = declarations(tables, Path("/src"))
    assert "return spark.readStream.format('delta').load('/src').where('id > 1')" in declared
    assert "return spark.read.table('a').limit(1)" in declared
    written = program(tables, Path("/src"), Path("/out"))
    assert (
        "start(spark.readStream.format('delta').load('/src').where('id > 1'), '/out/a')" in written
    )
    assert "replace(spark.read.format('delta').load('/out/a').limit(1), '/out/b')" in written


def test_a_project_is_a_pipeline_for_spark_and_for_the_shim(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.write(SHAPES["chain"](3))
    spec = from_spark_spec(project.spec)
    assert spec.sources == (project.declarations,)


def test_the_source_grows_by_one_commit_with_higher_sequences(tmp_path: Path) -> None:
    for _ in range(2):
        append_rows(tmp_path, 40)
    first, second = (path.read_text() for path in sorted(tmp_path.glob("_delta_log/*.json")))
    kinds = [list(json.loads(line)) for line in first.splitlines()]
    assert kinds == [["protocol"], ["metaData"], ["add"], ["commitInfo"]]
    add = json.loads(second.splitlines()[0])["add"]
    rows = pq.read_table(tmp_path / add["path"]).to_pylist()
    assert json.loads(add["stats"])["numRecords"] == len(rows) == 40
    assert {row["seq"] for row in rows} == {10}
    assert sum(row["op"] == "D" for row in rows) == 2
