"""CSV files become rows by column name, and nothing is lost or put into a wrong column."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from pyspark.errors import StreamingQueryException

from local_shim.autoloader.options.parse import parse_options
from local_shim.autoloader.stream import open_stream
from local_shim.errors import DefinitionError, SchemaChanged
from tests.local_shim.autoloader.landing_flow import Flow


def unordered(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)


def rescued(row: dict[str, Any]) -> dict[str, Any]:
    """What was rescued of a row, without the path, which must be there."""
    rescued: dict[str, Any] = json.loads(row["_rescued_data"])
    assert rescued.pop("_file_path").startswith("file:/")
    return rescued


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


@pytest.mark.dlt(124)
def test_types_are_guessed_if_asked_for(flow: Flow) -> None:
    flow.options["cloudFiles.inferColumnTypes"] = "true"
    flow.land(
        "a.csv", "i,big,d,day,at,yes,text,none\n1,5000000000,1,2026-01-31,2026-01-31,true,x,\n"
    )
    flow.land(
        "b.csv", "i,big,d,day,at,yes,text,none\n2,1,2.5,2026-02-01,2026-01-31T10:00:00,FALSE,1,\n"
    )
    assert flow.frame().dtypes == [
        ("i", "int"),
        ("big", "bigint"),
        ("d", "double"),
        ("day", "date"),
        ("at", "timestamp"),
        ("yes", "boolean"),
        ("text", "string"),
        ("none", "string"),
        ("_rescued_data", "string"),
    ]
    flow.run()
    assert sorted(row["d"] for row in flow.rows()) == [1.0, 2.5]


def test_patterns_of_dates_and_timestamps(flow: Flow) -> None:
    flow.options.update(dateFormat="dd.MM.yyyy", timestampFormat="dd.MM.yyyy HH:mm")
    flow.options["cloudFiles.inferColumnTypes"] = "true"
    flow.land("a.csv", "day,at\n31.01.2026,31.01.2026 10:30\n")
    flow.run()
    flow.land("b.csv", "day,at\n2026-01-31,31.13.2026 10:30\n")
    flow.run()
    bad, good = sorted(flow.rows(), key=len)
    assert (str(good["day"]), str(good["at"])) == ("2026-01-31", "2026-01-31 10:30:00")
    assert rescued(bad) == {"day": "2026-01-31", "at": "31.13.2026 10:30"}


def test_files_without_header_lines_are_read_by_position(flow: Flow) -> None:
    flow.options["header"] = "false"
    flow.land("a.csv", "1,x\n2,y\n3\n")
    flow.run()
    flow.land("b.csv", "4,z,new\n")
    with pytest.raises(SchemaChanged, match=r"\[_c2\]"):
        flow.run()
    flow.run()
    rows = {row["_c0"]: row for row in flow.rows()}
    assert rows["4"] == {"_c0": "4", "_c1": "z", "_c2": "new"}
    assert rows["1"] == {"_c0": "1", "_c1": "x"}
    assert rescued(rows["3"]) == {"_corrupt_record": "3"}
    # Inferred before a header was assumed: the names in the storage stay.
    options = parse_options({"cloudFiles.format": "csv"})
    frame = open_stream(flow.spark, str(flow.landing), options, None, flow.store, remember=False)
    assert frame.columns[:2] == ["_c0", "_c1"]


def test_files_without_header_lines_take_the_names_of_a_schema(flow: Flow) -> None:
    flow.options["header"] = "false"
    flow.options["rescuedDataColumn"] = "_rescued_data"
    flow.schema = "n INT, name STRING"
    flow.land("a.csv", "1,x\nq\n")
    flow.land("b.csv", "2,y,more\n")
    flow.run()
    rows = flow.rows()
    assert {"n": 1, "name": "x"} in rows
    assert sorted((rescued(row) for row in rows if "_rescued_data" in row), key=len) == [
        {"_c2": "more"},
        {"n": "q", "_corrupt_record": "q"},
    ]


def test_broken_records_go_to_a_column_of_their_own_if_there_is_one(flow: Flow) -> None:
    flow.options["cloudFiles.schemaHints"] = "_corrupt_record STRING"
    flow.land("a.csv", "a,b\n1,2\n1\n")
    flow.run()
    assert unordered(flow.rows()) == unordered(
        [{"a": "1", "b": "2"}, {"a": "1", "_corrupt_record": "1"}]
    )


def test_mode_decides_over_broken_records(flow: Flow) -> None:
    flow.options["mode"] = "DROPMALFORMED"
    flow.land("a.csv", "a,b\n1,2\n1\n")
    flow.run()
    assert flow.rows() == [{"a": "1", "b": "2"}]
    flow.options["mode"] = "FAILFAST"
    flow.land("b.csv", "a,b\n3\n")
    with pytest.raises(StreamingQueryException) as failure:
        flow.run()
    assert "MALFORMED_RECORD_IN_PARSING" in str(failure.value) + str(vars(failure.value))


def test_headers_with_empty_and_equal_names(flow: Flow) -> None:
    flow.land("a.csv", "a,,A,b\n1,2,3,4\n")
    flow.run()
    assert flow.rows() == [{"a0": "1", "_c1": "2", "A2": "3", "b": "4"}]


def test_other_separators_quotes_and_encodings(flow: Flow) -> None:
    flow.options.update(sep=";", quote="'", encoding="ISO-8859-1", comment="#")
    flow.land("a.csv", "# note\nnäme;'b|c'\n'ä;ö';x\n".encode("latin-1"))
    flow.run()
    assert flow.rows() == [{"näme": "ä;ö", "b|c": "x"}]


def test_title_lines_are_skipped_before_the_header_is_read(flow: Flow) -> None:
    flow.options |= {"skipRows": "2", "comment": "#", "cloudFiles.inferColumnTypes": "true"}
    flow.land("a.csv", 'Claims\nJanuary, "2026\nid,paid\nA-1,10\n# checked\n\nA-2,20\n')
    flow.land("b.csv", "Claims\r\nFebruary\r\npaid,id\r\n30,A-3\r\nmany,A-4\r\n")
    flow.run()
    flow.land("c.csv", "Claims\nMarch\nid,paid\nA-5,50\nA-6\n")
    flow.run()
    rows = {row["id"]: row for row in flow.rows()}
    assert {key: row.get("paid") for key, row in rows.items()} == {
        "A-1": "10",
        "A-2": "20",
        "A-3": "30",
        "A-4": "many",
        "A-5": "50",
        "A-6": None,
    }
    assert rescued(rows["A-6"]) == {"_corrupt_record": "A-6"}


def test_title_lines_are_skipped_in_files_without_a_header(flow: Flow) -> None:
    flow.options |= {"header": "false", "skipRows": "1"}
    flow.land("a.csv", "Claims\n1,2\n3,4\n")
    flow.run()
    assert flow.rows() == [{"_c0": "1", "_c1": "2"}, {"_c0": "3", "_c1": "4"}]


def test_title_lines_cannot_go_with_records_of_several_lines(flow: Flow) -> None:
    flow.options |= {"skipRows": "1", "multiLine": "true", "cloudFiles.schemaHints": "id STRING"}
    with pytest.raises(DefinitionError, match="skipRows"):
        flow.frame()


def test_headerless_rows_as_long_as_the_schema_are_whole_beside_longer_ones(flow: Flow) -> None:
    flow.options |= {"header": "false", "rescuedDataColumn": "_rescued_data"}
    flow.schema = "id STRING, name STRING"
    flow.land("a.csv", "1,Ada\n2,Bob,more\n3\n")
    flow.land("b.csv", "4,Cyd\n")
    flow.run()
    rows = {row["id"]: row for row in flow.rows()}
    assert [rows["1"], rows["4"]] == [{"id": "1", "name": "Ada"}, {"id": "4", "name": "Cyd"}]
    assert rescued(rows["2"]) == {"_c2": "more"}
    assert rescued(rows["3"]) == {"_corrupt_record": "3"}


def test_leading_blanks_count_neither_for_names_nor_for_types_if_they_are_ignored(
    flow: Flow,
) -> None:
    flow.options |= {"ignoreLeadingWhiteSpace": "true", "cloudFiles.inferColumnTypes": "true"}
    flow.land("a.csv", "id, paid\nA-1, 10\n")
    flow.run()
    assert flow.rows() == [{"id": "A-1", "paid": 10}]
