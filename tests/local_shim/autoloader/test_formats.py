"""Parquet, text and binary files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local_shim.errors import DefinitionError, FlowError, SchemaChanged
from tests.local_shim.autoloader.landing_flow import Flow


@pytest.fixture
def columns(flow: Flow) -> Flow:
    flow.options["cloudFiles.format"] = "parquet"
    return flow


def land_parquet(flow: Flow, name: str, query: str) -> None:
    """Lands the rows of a query as one Parquet file."""
    folder = flow.root / f"made {name}"
    flow.spark.sql(query).coalesce(1).write.parquet(str(folder))
    (part,) = folder.glob("*.parquet")
    flow.land(name, Path(part).read_bytes())


def test_parquet_columns_keep_their_types_and_go_by_name(columns: Flow) -> None:
    land_parquet(columns, "a 1.parquet", "SELECT 1 AS id, DATE'2026-01-31' AS day")
    land_parquet(columns, "b.parquet", "SELECT DATE'2026-02-01' AS day, 2 AS id")
    assert columns.frame().dtypes[:2] == [("id", "int"), ("day", "date")]
    columns.run()
    assert {row["id"]: str(row["day"]) for row in columns.rows()} == {
        1: "2026-01-31",
        2: "2026-02-01",
    }


@pytest.mark.dlt(128)
def test_a_new_parquet_column_fails_once_and_is_there_after_the_restart(columns: Flow) -> None:
    land_parquet(columns, "a.parquet", "SELECT 1 AS id")
    columns.run()
    land_parquet(columns, "b.parquet", "SELECT 2 AS id, 'Rome' AS city")
    with pytest.raises(SchemaChanged, match=r"\[city\]"):
        columns.run()
    columns.run()
    assert sorted(columns.rows(), key=len) == [{"id": 1}, {"id": 2, "city": "Rome"}]


@pytest.mark.dlt(129)
def test_rescue_keeps_parquet_columns_as_json_values(columns: Flow) -> None:
    columns.options["cloudFiles.schemaEvolutionMode"] = "rescue"
    land_parquet(columns, "a.parquet", "SELECT 1 AS id")
    columns.run()
    land_parquet(columns, "b.parquet", "SELECT 2 AS id, 7 AS n")
    columns.run()
    (row,) = (row for row in columns.rows() if row["id"] == 2)
    assert json.loads(row["_rescued_data"])["n"] == 7


def test_a_parquet_type_conflict_names_file_column_and_types(columns: Flow) -> None:
    land_parquet(columns, "a.parquet", "SELECT 1 AS id")
    columns.frame()
    land_parquet(columns, "b.parquet", "SELECT 'x' AS id")
    with pytest.raises(FlowError, match=r"'id' is string in .*b\.parquet, but int"):
        columns.frame()


def test_text_files_are_lines(flow: Flow) -> None:
    flow.options["cloudFiles.format"] = "text"
    flow.land("year=2026/a.txt", "one\ntwo\n")
    flow.run()
    assert sorted(row["value"] for row in flow.rows()) == ["one", "two"]
    assert {row["year"] for row in flow.rows()} == {"2026"}


def test_binary_files_are_rows(flow: Flow) -> None:
    flow.options["cloudFiles.format"] = "binaryFile"
    flow.land("a.bin", b"\x00\xff")
    flow.run()
    (row,) = flow.rows()
    assert (bytes(row["content"]), row["length"]) == (b"\x00\xff", 2)


def test_a_format_that_is_not_there_is_refused_by_name(flow: Flow) -> None:
    flow.options["cloudFiles.format"] = "avro"
    with pytest.raises(DefinitionError, match=r"'avro' is not there yet.*\n.*csv, json"):
        flow.frame()
