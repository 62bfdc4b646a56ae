"""Parquet, ORC, Avro, text and binary files."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import StreamingQueryException

from local_shim.errors import DefinitionError, SchemaChanged, SetupError
from tests.local_shim.autoloader.landing_flow import Flow


@pytest.fixture
def columns(flow: Flow) -> Flow:
    flow.options["cloudFiles.format"] = "parquet"
    return flow


def land_parquet(flow: Flow, name: str, query: str) -> None:
    """Lands the rows of a query as one Parquet file."""
    folder = flow.root / f"made {Path(name).name}"
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


@pytest.mark.dlt(130)
@pytest.mark.parametrize("counts", ["true", "false"])
def test_a_parquet_column_whose_name_has_another_case(columns: Flow, counts: str) -> None:
    columns.options["readerCaseSensitive"] = counts
    land_parquet(columns, "a.parquet", "SELECT 1 AS id")
    land_parquet(columns, "b.parquet", "SELECT 2 AS ID, 3 AS n")
    columns.run()
    (row,) = (row for row in columns.rows() if "n" in row)
    if counts == "false":
        assert row == {"id": 2, "n": 3}
    else:
        assert json.loads(row["_rescued_data"])["ID"] == 2
        assert "id" not in row


@pytest.mark.dlt(129)
def test_rescue_keeps_parquet_columns_as_json_values(columns: Flow) -> None:
    columns.options["cloudFiles.schemaEvolutionMode"] = "rescue"
    land_parquet(columns, "a.parquet", "SELECT 1 AS id")
    columns.run()
    land_parquet(columns, "b.parquet", "SELECT 2 AS id, 7 AS n")
    columns.run()
    (row,) = (row for row in columns.rows() if row["id"] == 2)
    assert json.loads(row["_rescued_data"])["n"] == 7


def typed_rows(flow: Flow) -> dict[Any, tuple[Any, Any]]:
    """By name: the id, and what was rescued besides the file's path."""
    rescued = {}
    for row in flow.rows():
        values = json.loads(row.get("_rescued_data", "{}"))
        values.pop("_file_path", None)
        rescued[row["name"]] = (row.get("id"), values)
    return rescued


@pytest.mark.dlt(127)
def test_parquet_values_of_another_type_are_rescued_file_by_file(columns: Flow) -> None:
    columns.options["cloudFiles.schemaEvolutionMode"] = "rescue"
    land_parquet(columns, "day=1/a.parquet", "SELECT 1 AS id, 'a' AS name")
    columns.run()
    land_parquet(columns, "day=2/b.parquet", "SELECT 'x' AS id, 'b' AS name, 9 AS more")
    land_parquet(columns, "day=2/c.parquet", "SELECT 2 AS id, 'c' AS name")
    land_parquet(columns, "day=3/d.parquet", "SELECT SMALLINT(3) AS id, 'd' AS name")
    land_parquet(columns, "day=3/e.parquet", "SELECT 4.50 AS id, 'e' AS name UNION ALL "
                 "SELECT NULL, 'f'")  # fmt: skip
    frame = columns.frame().selectExpr("*", "_metadata.file_name AS file")
    columns.run(frame)
    assert typed_rows(columns) == {
        "a": (1, {}),
        "b": (None, {"id": "x", "more": 9}),
        "c": (2, {}),
        "d": (3, {}),
        "e": (None, {"id": 4.5}),
        "f": (None, {}),
    }
    origin = {row["name"]: (row["day"], row["file"]) for row in columns.rows() if "file" in row}
    assert origin["b"] == ("2", "b.parquet")
    assert origin["f"] == ("3", "e.parquet")


def test_parquet_conflicts_without_rescued_data_are_null_also_in_later_batches(
    columns: Flow,
) -> None:
    columns.schema = "id INT, name STRING"
    columns.options["cloudFiles.maxFilesPerTrigger"] = "1"
    land_parquet(columns, "a.parquet", "SELECT 'x' AS id, 'a' AS name")
    land_parquet(columns, "b.parquet", "SELECT 2 AS id, 'b' AS name")
    frame = columns.frame()
    columns.run(frame)
    assert sorted(columns.rows(), key=len) == [{"name": "a"}, {"id": 2, "name": "b"}]
    land_parquet(columns, "c.parquet", "SELECT 3 AS id, 'c' AS name")
    with pytest.raises(StreamingQueryException, match="fields were not known"):
        columns.run(frame)  # a batch never loses the rows of a file that came after planning
    columns.run()
    assert {"id": 3, "name": "c"} in columns.rows()


def test_parquet_structs_of_another_inner_type_are_rescued_whole(columns: Flow) -> None:
    columns.schema = "id INT, name STRING, s STRUCT<a: INT>"
    columns.options["rescuedDataColumn"] = "_rescued_data"
    land_parquet(columns, "a.parquet", "SELECT 1 AS id, 'a' AS name, struct('x' AS a) AS s")
    columns.run()
    assert typed_rows(columns) == {"a": (1, {"s": {"a": "x"}})}


def test_text_files_are_lines(flow: Flow) -> None:
    flow.options["cloudFiles.format"] = "text"
    flow.land("year=2026/a.txt", "one\ntwo\n")
    flow.run()
    assert sorted(row["value"] for row in flow.rows()) == ["one", "two"]
    assert {row["year"] for row in flow.rows()} == {"2026"}


def test_a_schema_of_text_files_types_the_columns_of_folders(flow: Flow) -> None:
    flow.options["cloudFiles.format"] = "text"
    flow.schema = "value STRING, year INT"
    flow.land("year=2026/a.txt", "one\n")
    flow.run()
    assert flow.rows() == [{"value": "one", "year": 2026}]
    flow.schema = "line STRING, year INT"
    with pytest.raises(DefinitionError, match=r"CF_FIXED_SCHEMA.*value:string"):
        flow.frame()


def test_binary_files_are_rows(flow: Flow) -> None:
    flow.options["cloudFiles.format"] = "binaryFile"
    flow.land("a.bin", b"\x00\xff")
    flow.run()
    (row,) = flow.rows()
    assert (bytes(row["content"]), row["length"]) == (b"\x00\xff", 2)


@pytest.mark.parametrize("kind", ["orc", "avro"])
def test_orc_and_avro_keep_types_take_new_columns_and_rescue_other_types(
    flow: Flow, kind: str
) -> None:
    flow.options["cloudFiles.format"] = kind
    land_typed(flow, "a", kind, "SELECT 1 AS id, 'a' AS name, DATE'2026-01-31' AS day")
    flow.run()
    assert flow.rows() == [{"id": 1, "name": "a", "day": date(2026, 1, 31)}]
    land_typed(flow, "b", kind, "SELECT 'x' AS id, 'b' AS name, 7 AS more")
    land_typed(flow, "c", kind, "SELECT 3 AS id, 'c' AS name, DATE(NULL) AS day")
    with pytest.raises(SchemaChanged, match=r"\[more\]"):
        flow.run()
    flow.run()
    assert typed_rows(flow) == {"a": (1, {}), "b": (None, {"id": "x"}), "c": (3, {})}
    assert [row["more"] for row in flow.rows() if "more" in row] == [7]


def land_typed(flow: Flow, name: str, kind: str, query: str) -> None:
    folder = flow.root / f"made {name}"
    flow.spark.sql(query).coalesce(1).write.format(kind).save(str(folder))
    (part,) = folder.glob(f"*.{kind}")
    flow.land(f"{name}.{kind}", part.read_bytes())


def test_avro_without_its_module_is_refused_with_a_hint(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    flow.options["cloudFiles.format"] = "avro"
    with pytest.raises(SetupError, match=r"module for Avro.*\n.*make install"):
        flow.frame()
