"""JSON files become rows by field name; what does not fit is rescued."""

from __future__ import annotations

import gzip
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


def test_behind_the_first_value_of_a_line_or_document_spark_reads_nothing(lines: Flow) -> None:
    """So JSON lines, read with `multiLine`, give the first line alone."""
    lines.options["multiLine"] = "true"
    lines.land("a.json", '{"id": 1}\n{"id": 2, "name": "Bob"}\n')
    assert lines.frame().columns == ["id", "_rescued_data"]
    lines.run()
    assert by_id(lines) == {"1": {"id": "1"}}


def test_numbers_that_are_read_as_text_are_as_the_file_writes_them(lines: Flow) -> None:
    lines.land(
        "a.json",
        '{"id": 1.50, "a.b": 12345678901234567.89, "c": "2.0", "d": 1e3, "in": {"id": 1.5}}',
    )
    lines.run()
    (row,) = lines.rows()
    assert row.pop("in") == '{"id":1.5}'
    assert row == {"id": "1.50", "a.b": "12345678901234567.89", "c": "2.0", "d": "1e3"}


@pytest.mark.dlt(130)
def test_case_of_json_names_does_not_count_if_the_reader_is_told_so(lines: Flow) -> None:
    lines.options |= {
        "readerCaseSensitive": "false",
        "cloudFiles.schemaHints": "id STRING, name STRING, car STRUCT<seats: INT>",
    }
    lines.land("a.json", '{"id": 1, "name": "Ada", "car": {"seats": 4}}\n')
    lines.land("b.json", '{"ID": 2, "Name": "say \\"ID\\": 7", "CAR": {"Seats": 5}}\n')
    lines.land("c.json", '{"id": 3, "Id": 4, "car": {"seats": "x"}}\n')
    lines.run()
    rows = by_id(lines)
    assert rows["1"]["car"].seats == 4
    assert (rows["2"]["name"], rows["2"]["car"].seats) == ('say "ID": 7', 5)
    assert "_rescued_data" not in rows["2"]
    rescued = json.loads(rows["3"]["_rescued_data"])
    assert (rescued["id"], rescued["Id"], rescued["car"]) == ("3", "4", '{"seats":"x"}')


def test_json_of_another_syntax_is_inferred_and_read(lines: Flow) -> None:
    options = ("allowComments", "allowUnquotedFieldNames", "allowNumericLeadingZeros")
    lines.options |= dict.fromkeys((*options, "cloudFiles.inferColumnTypes"), "true")
    lines.land("a.json", '{\'id\': 1, "x": NaN}\n{id: 02 /* second */}\n{"id":\n')
    assert lines.frame().dtypes[:2] == [("id", "bigint"), ("x", "double")]
    lines.run()
    assert sorted(by_id(lines), key=str) == [1, 2, None]


@pytest.mark.parametrize(
    ("options", "content"),
    [
        ({"lineSep": "|"}, b'{"id": "\xc3\xa4"}|{"id": 1.50}|'),
        ({"encoding": "UTF-16"}, '{"id": "ä"}\r\n{"id": 1.50}\n'.encode("utf-16")),
        ({"multiLine": "true"}, '\ufeff[{"id": "ä"},\n {\'id\': "1.50"}]'.encode()),
    ],
)
def test_json_lines_of_other_ends_and_encodings(
    lines: Flow, options: dict[str, str], content: bytes
) -> None:
    lines.options |= options
    lines.land("a.json", content)
    lines.run()
    assert lines.rows() == [{"id": "ä"}, {"id": "1.50"}]


def test_an_encoding_that_does_not_exist_is_refused_and_so_are_compressed_files_of_others(
    lines: Flow,
) -> None:
    lines.land("a.json.gz", gzip.compress('{"id": 1}'.encode("utf-16")))
    lines.options["encoding"] = "no-charset"
    with pytest.raises(DefinitionError, match="the encoding 'no-charset'"):
        lines.frame()
    lines.options["encoding"] = "UTF-16"
    with pytest.raises(DefinitionError, match="compressed json files are read as UTF-8"):
        lines.frame()
