"""JSON files become rows by field name; what does not fit is rescued."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_shim.errors import DefinitionError, SchemaChanged
from tests.local_shim.autoloader.landing_flow import Flow


@pytest.fixture
def lines(flow: Flow) -> Flow:
    flow.options["cloudFiles.format"] = "json"
    return flow


def by_id(flow: Flow) -> dict[Any, dict[str, Any]]:
    return {row.get("id"): row for row in flow.rows()}


def test_fields_are_text_in_the_order_of_their_names(lines: Flow) -> None:
    lines.land("a.json", '{"id": 1, "name": "Ada", "at": {"x": [1, 2]}}\n{"id": 2, "done": true}\n')
    assert lines.frame().columns == ["at", "done", "id", "name", "_rescued_data"]
    lines.run()
    assert by_id(lines) == {
        "1": {"id": "1", "name": "Ada", "at": '{"x":[1,2]}'},
        "2": {"id": "2", "done": "true"},
    }


def test_types_are_guessed_if_asked_for(lines: Flow) -> None:
    lines.options["cloudFiles.inferColumnTypes"] = "true"
    lines.options["cloudFiles.schemaHints"] = "amount DECIMAL(18,2)"
    lines.land(
        "a.json", '{"id": 1, "r": 1, "amount": 1.10, "tags": ["x"], "in": {"n": null, "k": 1}}\n'
    )
    lines.land("b.json", '{"id": 2, "r": 1.5, "amount": 2, "ok": true}\n')
    assert lines.frame().dtypes == [
        ("amount", "decimal(18,2)"),
        ("id", "bigint"),
        ("in", "struct<k:bigint,n:string>"),
        ("ok", "boolean"),
        ("r", "double"),
        ("tags", "array<string>"),
        ("_rescued_data", "string"),
    ]
    lines.run()
    row = by_id(lines)[1]
    assert (str(row["amount"]), row["tags"], row["in"].k) == ("1.10", ["x"], 1)


@pytest.mark.dlt(127)
def test_what_does_not_fit_is_rescued(lines: Flow) -> None:
    lines.options["cloudFiles.schemaHints"] = "n INT, inner STRUCT<a: INT>"
    lines.land("a.json", '{"id": "1", "n": 1, "inner": {"a": 1}}\n')
    lines.run()
    lines.land(
        "b.json",
        '{"id": "2", "n": "x", "inner": {"a": 2}, "ID": 3}\n'
        '{"id": "3", "inner": {"a": "y"}}\n{"id": \n',
    )
    lines.run()
    rows = by_id(lines)
    assert "_rescued_data" not in rows["1"]
    rescued = {key: json.loads(rows[key]["_rescued_data"]) for key in ("2", "3", None)}
    assert all(each.pop("_file_path").endswith("/b.json") for each in rescued.values())
    assert rescued == {
        "2": {"n": "x", "ID": "3"},
        "3": {"inner": '{"a":"y"}'},
        None: {"_corrupt_record": '{"id": '},
    }


@pytest.mark.dlt(128)
def test_a_new_field_fails_once_and_is_there_after_the_restart(lines: Flow) -> None:
    lines.land("a.json", '{"id": 1}\n')
    lines.run()
    lines.land("b.json", '{"id": 2, "city": "Rome"}\n')
    with pytest.raises(SchemaChanged, match=r"\[city\]"):
        lines.run()
    lines.run()
    assert by_id(lines) == {"1": {"id": "1"}, "2": {"id": "2", "city": "Rome"}}


def test_a_file_may_be_one_document(lines: Flow) -> None:
    lines.options["multiLine"] = "true"
    lines.land("a.json", '[\n {"id": 1,\n "n": 12345678901234567.89},\n {"id": 2}\n]\n')
    lines.land("b.json", '{"id":\n 3}\n')
    lines.land("c.json", '{"id":\n')
    lines.run()
    assert sorted(by_id(lines), key=str) == ["1", "2", "3", None]


def test_a_missing_part_is_refused(lines: Flow) -> None:
    lines.options["readerCaseSensitive"] = "false"
    with pytest.raises(DefinitionError, match="not there yet"):
        lines.frame()


def test_another_syntax_needs_a_declared_schema(lines: Flow) -> None:
    lines.options["allowComments"] = "true"
    lines.land("a.json", '{"id": /* first */ 1}\n')
    with pytest.raises(DefinitionError, match="standard JSON only, without allowComments"):
        lines.frame()
    lines.schema = "id INT"
    lines.run()
    assert lines.rows() == [{"id": 1}]
