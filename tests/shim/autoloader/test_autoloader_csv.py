"""CSV files become rows by column name, and nothing is lost or put into a wrong column."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from landing_flow import Flow


def unordered(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)


def rescued(row: dict[str, Any]) -> dict[str, Any]:
    """What was rescued of a row, without the path, which must be there."""
    found: dict[str, Any] = json.loads(row["_rescued_data"])
    assert found.pop("_file_path").startswith("file:/")
    return found


@pytest.mark.dlt(124)
def test_columns_are_strings_unless_types_are_asked_for(flow: Flow) -> None:
    flow.land("a.csv", "id,amount\n1,2.50\n")
    assert flow.frame().dtypes == [
        ("id", "string"),
        ("amount", "string"),
        ("_rescued_data", "string"),
    ]
    flow.run()
    assert flow.rows() == [{"id": "1", "amount": "2.50"}]


@pytest.mark.dlt(125)
def test_a_hint_fixes_one_type_and_leaves_the_others(flow: Flow) -> None:
    flow.options["cloudFiles.schemaHints"] = "amount DECIMAL(18,2), later DATE"
    flow.land("a.csv", "id,amount\n1,2.50\n")
    assert flow.frame().dtypes[:3] == [
        ("id", "string"),
        ("amount", "decimal(18,2)"),
        ("later", "date"),
    ]


@pytest.mark.dlt(126)
def test_headers_in_any_order_load_into_the_right_columns(flow: Flow) -> None:
    flow.land("a.csv", "id,name\n1,Ada\n")
    flow.land("b.csv", "name,id\nBob,2\n")
    flow.run()
    flow.land("c.csv", "name,id\nCyd,3\n")
    flow.run()
    expected = [{"id": "1", "name": "Ada"}, {"id": "2", "name": "Bob"}, {"id": "3", "name": "Cyd"}]
    assert unordered(flow.rows()) == unordered(expected)


@pytest.mark.dlt(127)
def test_a_value_of_the_wrong_type_is_null_and_rescued(flow: Flow) -> None:
    flow.options["cloudFiles.schemaHints"] = "cost DOUBLE"
    flow.land("a.csv", "id,cost\n1,$100\n2,3.5\n")
    flow.run()
    bad, good = sorted(flow.rows(), key=lambda row: row["id"])
    assert good == {"id": "2", "cost": 3.5}
    assert rescued(bad) == {"cost": "$100"}
    assert "cost" not in bad


def test_records_with_too_few_or_too_many_fields_are_kept_whole(flow: Flow) -> None:
    flow.land("a.csv", "a,b\n1\n1,2,3\n1,\n")
    flow.land("b.csv", "b,a,c\n1,2\n1,2,\n1,2,3,4\n")
    flow.land("c.csv", "a\n1\n1,9\n")
    flow.run()
    rows = flow.rows()
    whole = sorted(rescued(row)["_corrupt_record"] for row in rows if "_rescued_data" in row)
    assert whole == ["1", "1,2", "1,2,3", "1,2,3,4", "1,9"]
    assert len(rows) == 8


def test_files_of_all_kinds_of_line_ends_and_none(flow: Flow) -> None:
    flow.options.update(multiLine="true", escape='"', nullValue="\\N")
    flow.land("crlf.csv", b"\xef\xbb\xbfa,b\r\n1,x\r\n")
    flow.land("zipped.csv.gz", gzip.compress(b"a,b\n2,y\n"))
    flow.land("quoted.csv", 'a,b\n3,"one\ntwo, ""three"""\n4,\\N\n5,""\n')
    flow.land("header_only.csv", "a,b\n")
    flow.land("zero.csv", "")
    flow.land("no_line_end.csv", "a,b\n6,z")
    flow.run()
    assert {row["a"]: row.get("b") for row in flow.rows()} == {
        "1": "x",
        "2": "y",
        "3": 'one\ntwo, "three"',
        "4": None,
        "5": "",
        "6": "z",
    }
    assert not any("_rescued_data" in row for row in flow.rows())


def test_a_data_row_that_equals_the_header_is_a_row(flow: Flow) -> None:
    flow.land("a.csv", "a,b\na,b\n")
    flow.run()
    assert flow.rows() == [{"a": "a", "b": "b"}]


@pytest.mark.dlt(131)
def test_metadata_is_hidden_and_can_be_asked_for(flow: Flow) -> None:
    file = flow.land("a b%.csv", "a\n1\n")
    flow.land("c.csv", "b,a\n1,2\n")
    frame = flow.frame()
    assert frame.columns == ["a", "b", "_rescued_data"]
    flow.run(frame.select("a", "_metadata.*").where("a = '1'"))
    (row,) = flow.rows()
    assert row.keys() == {
        "a",
        "file_path",
        "file_name",
        "file_size",
        "file_block_start",
        "file_block_length",
        "file_modification_time",
    }
    assert row["file_path"] == "file:" + str(file.parent) + "/a%20b%25.csv"
