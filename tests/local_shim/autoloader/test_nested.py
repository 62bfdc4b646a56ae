"""Structs, arrays and maps: hints, evolution and rescue reach every depth."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_shim.errors import DefinitionError, FlowError, SchemaChanged
from tests.local_shim.autoloader.landing_flow import Flow


@pytest.fixture
def lines(flow: Flow) -> Flow:
    flow.options["cloudFiles.format"] = "json"
    flow.options["cloudFiles.inferColumnTypes"] = "true"
    return flow


def land(flow: Flow, name: str, *records: object) -> None:
    flow.land(name, "".join(json.dumps(record) + "\n" for record in records))


def types(flow: Flow) -> dict[str, str]:
    return dict(flow.frame().dtypes)


def rescued(flow: Flow) -> dict[Any, dict[str, Any]]:
    """By id: what the rescued data holds, without the path, with its texts parsed."""
    records = {}
    for row in flow.rows():
        if "_rescued_data" in row:
            texts = json.loads(row["_rescued_data"])
            records[row["id"]] = {k: json.loads(v) for k, v in texts.items() if k != "_file_path"}
    return records


def test_hints_reach_structs_arrays_and_maps(lines: Flow) -> None:
    lines.options["cloudFiles.schemaHints"] = (
        "user.born DATE, items.element.price DECIMAL(8,2), tags.element INT, "
        "prices MAP<STRING, STRUCT<net: DOUBLE>>, prices.value.net INT, `odd.name`.`x y`: STRING"
    )
    record = {
        "id": 1,
        "user": {"name": "Ada", "born": "1990-05-01"},
        "items": [{"sku": "a", "price": 1.5}],
        "tags": [1],
        "prices": {"eu": {"net": 2}},
        "odd.name": {"x y": 7},
    }
    land(lines, "a.json", record)
    assert types(lines) == {
        "id": "bigint",
        "items": "array<struct<price:decimal(8,2),sku:string>>",
        "odd.name": "struct<x y:string>",
        "prices": "map<string,struct<net:int>>",
        "tags": "array<int>",
        "user": "struct<born:date,name:string>",
        "_rescued_data": "string",
    }
    lines.run()
    (row,) = lines.rows()
    assert (row["user"].born.year, str(row["items"][0].price)) == (1990, "1.50")
    assert (row["prices"]["eu"].net, row["odd.name"]["x y"], row["tags"]) == (2, "7", [1])
    assert "_rescued_data" not in row


def test_hints_may_name_inner_fields_that_no_file_has(lines: Flow) -> None:
    lines.options["cloudFiles.schemaHints"] = (
        "user.vip BOOLEAN, late.items.element.qty INT, late.m.value DATE"
    )
    land(lines, "a.json", {"id": 1, "user": {"name": "Ada"}})
    assert types(lines)["user"] == "struct<name:string,vip:boolean>"
    assert types(lines)["late"] == "struct<items:array<struct<qty:int>>,m:map<string,date>>"
    lines.run()
    land(lines, "b.json", {"id": 2, "user": {"name": "Bob", "vip": True}})
    lines.run()  # a hinted field is not new
    assert [row["user"].vip for row in lines.rows()] == [None, True]


def test_a_hint_inside_a_text_column_makes_a_struct_and_rescues_its_siblings(lines: Flow) -> None:
    lines.options["cloudFiles.inferColumnTypes"] = "false"
    lines.options["cloudFiles.schemaHints"] = "user.born DATE"
    user = {"born": "1990-05-01", "name": "Ada"}
    land(lines, "a.json", {"id": "1", "user": user})
    lines.run()
    (row,) = lines.rows()
    assert row["user"].born.year == 1990
    assert rescued(lines) == {"1": {"user": user}}


@pytest.mark.parametrize(
    "text", ["user.born", "a..b INT", "a.b INT,, c INT", "user.born NOTATYPE", "a b.c INT"]
)
def test_hints_that_cannot_be_parsed_are_refused(lines: Flow, text: str) -> None:
    lines.options["cloudFiles.schemaHints"] = text
    land(lines, "a.json", {"id": 1})
    with pytest.raises(DefinitionError, match="CF_INVALID_SCHEMA_HINTS"):
        lines.frame()


def test_map_keys_of_json_are_text(lines: Flow) -> None:
    lines.options["cloudFiles.schemaHints"] = "m MAP<STRING, STRING>, m.key INT"
    land(lines, "a.json", {"m": {"1": "x"}})
    with pytest.raises(DefinitionError, match=r"INVALID_JSON_MAP_KEY_TYPE.*'m'.*map<int,string>"):
        lines.frame()


@pytest.mark.dlt(128)
def test_new_inner_fields_fail_once_and_are_there_after_the_restart(lines: Flow) -> None:
    land(lines, "a.json", {"id": 1, "user": {"name": "Ada"}, "items": [{"sku": "a"}]})
    lines.run()
    late = {"id": 2, "user": {"at": {"x": 1}, "name": "Bob"}, "items": [{"qty": 5, "sku": "b"}]}
    land(lines, "b.json", late)
    with pytest.raises(SchemaChanged, match=r"\[items\.element\.qty,user\.at\].*retry: true"):
        lines.run()
    assert types(lines)["user"] == "struct<name:string,at:struct<x:bigint>>"
    lines.run()
    row = next(row for row in lines.rows() if row["id"] == 2)
    assert (row["user"].at.x, row["items"][0].qty) == (1, 5)
    assert rescued(lines) == {}


@pytest.mark.dlt(129)
def test_rescue_keeps_inner_types_and_values(lines: Flow) -> None:
    lines.options["cloudFiles.schemaEvolutionMode"] = "rescue"
    lines.options["cloudFiles.schemaHints"] = "m MAP<STRING, STRUCT<a: INT>>"
    first = {"id": 1, "user": {"name": "Ada"}, "items": [{"in": {"k": 1}}], "m": {"x": {"a": 1}}}
    land(lines, "a.json", first)
    lines.run()
    before = types(lines)
    late: list[dict[str, Any]] = [
        {"id": 2, "user": {"name": "Bob", "vip": True}},
        {"id": 3, "items": [{"in": {"k": 1}}, {"in": {"k": 2, "new": None}}, None]},
        {"id": 4, "items": [{"in": {"k": 1}}, {"in": {"k": 2, "new": [3]}}]},
        {"id": 5, "items": [{"in": {"k": "text"}}]},
        {"id": 6, "m": {"x": {"a": 1}, "y": {"b": 2}}},
        {"id": 7, "user": {"Name": "in another case"}},
    ]
    land(lines, "b.json", *late)
    lines.run()
    assert types(lines) == before
    assert rescued(lines) == {
        2: {"user": late[0]["user"]},
        4: {"items": late[2]["items"]},
        5: {"items": late[3]["items"]},
        6: {"m": late[4]["m"]},
        7: {"user": late[5]["user"]},
    }
    loaded = {row["id"]: row for row in lines.rows()}
    assert (loaded[2]["user"].name, loaded[4]["items"][1]["in"].k) == ("Bob", 2)


@pytest.mark.dlt(129)
def test_fail_on_new_columns_also_means_inner_fields(lines: Flow) -> None:
    lines.options["cloudFiles.schemaEvolutionMode"] = "failOnNewColumns"
    land(lines, "a.json", {"user": {"name": "Ada"}})
    lines.run()
    land(lines, "b.json", {"user": {"vip": True}})
    with pytest.raises(FlowError, match=r"\[user\.vip\].*retry: false"):
        lines.frame()


@pytest.mark.dlt(130)
def test_inner_names_that_differ_in_case_only_become_one_field(lines: Flow) -> None:
    record = {"id": 1, "in": {"A": 1, "a": 2}, "ID": 3}
    land(lines, "a.json", record)
    assert types(lines) == {"ID": "bigint", "in": "struct<A:bigint>", "_rescued_data": "string"}
    lines.run()
    (row,) = lines.rows()
    texts = json.loads(row["_rescued_data"])
    assert (texts["id"], json.loads(texts["in"])) == ("1", record["in"])


def test_a_schema_of_ones_own_rescues_inner_fields(lines: Flow) -> None:
    del lines.options["cloudFiles.inferColumnTypes"]
    lines.options["rescuedDataColumn"] = "_rescued_data"
    lines.schema = "id INT, user STRUCT<name: STRING>"
    user = {"name": "Ada", "at": {"x": 1}}
    land(lines, "a.json", {"id": 1, "user": user})
    lines.run()
    assert rescued(lines) == {1: {"user": user}}


FIRST = """named_struct('name', 'Ada', 'at', named_struct('x', 1)) AS user,
    array(named_struct('sku', 'a')) AS items, map('eu', named_struct('net', 1)) AS prices"""
LATE = """named_struct('Name', 'Bob', 'at', named_struct('x', 1, 'y', 2)) AS user,
    array(named_struct('sku', 'b', 'qty', 5), NULL) AS items,
    map('eu', named_struct('net', 2, 'vat', 3)) AS prices"""


@pytest.fixture
def columns(flow: Flow) -> Flow:
    flow.options["cloudFiles.format"] = "parquet"
    return flow


def land_parquet(flow: Flow, name: str, query: str) -> None:
    flow.spark.sql(query).coalesce(1).write.parquet(str(flow.landing / name))


@pytest.mark.dlt(128)
def test_new_inner_fields_of_parquet_are_there_after_the_restart(columns: Flow) -> None:
    land_parquet(columns, "a.parquet", f"SELECT 1 AS id, {FIRST}")
    columns.run()
    land_parquet(columns, "b.parquet", f"SELECT 2 AS id, {LATE}")
    with pytest.raises(
        SchemaChanged, match=r"\[user\.at\.y,items\.element\.qty,prices\.value\.vat\]"
    ):
        columns.run()
    columns.run()
    land_parquet(columns, "c.parquet", f"SELECT 3 AS id, {FIRST}")  # the older, narrower type
    columns.run()
    rows = {row["id"]: row for row in columns.rows()}
    assert (rows[2]["user"].at.y, rows[2]["items"][0].qty, rows[2]["prices"]["eu"].vat) == (2, 5, 3)
    assert (rows[2]["user"].name, rows[3]["items"][0].qty) == ("Bob", None)
    assert not any("_rescued_data" in row for row in rows.values())


@pytest.mark.dlt(129)
def test_new_inner_fields_of_parquet_are_rescued(columns: Flow) -> None:
    columns.options["cloudFiles.schemaEvolutionMode"] = "rescue"
    land_parquet(columns, "a.parquet", f"SELECT 1 AS id, {FIRST}")
    columns.run()
    before = types(columns)
    land_parquet(
        columns, "b.parquet", f"SELECT 2 AS id, {LATE} UNION ALL SELECT 3, NULL, NULL, NULL"
    )
    columns.run()
    assert types(columns) == before
    rows = {row["id"]: row for row in columns.rows()}
    texts = json.loads(rows[2].pop("_rescued_data"))
    assert texts.pop("_file_path").endswith(".parquet")
    assert texts == {
        "user": {"name": "Bob", "at": {"x": 1, "y": 2}},
        "items": [{"sku": "b", "qty": 5}, None],
        "prices": {"eu": {"net": 2, "vat": 3}},
    }
    assert (rows[2]["user"].name, rows[2]["user"].at.x, rows[2]["items"][0].sku) == ("Bob", 1, "b")
    assert rows[2]["items"][1] is None
    assert rows[3] == {"id": 3}
    assert "_rescued_data" not in rows[1]
