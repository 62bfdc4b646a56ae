"""How values look in CSV: items 41 to 47 and 50."""

from __future__ import annotations

from typing import Any

import pytest

from local_shim.dms.errors import TaskFailed
from local_shim.dms.s3.csv_file import CsvLines
from local_shim.dms.settings.csv_dialect import CsvDialect, read_csv_dialect
from local_shim.dms.settings.document import Document
from local_shim.errors import UsageError
from tests.local_shim.dms.lab import INCLUDE, PROFILE, Lab

NULL = "\\N"


def written(
    lab: Lab, type_: str, *literals: str, ddl: str = "", **settings: Any
) -> tuple[list[str], list[str]]:
    """What the full load and the changes write for some values of a type."""
    lab.set_up(s3=settings.pop("s3", PROFILE), rules=[INCLUDE], **settings)
    if ddl:
        lab.sql(ddl)
    lab.sql(f"CREATE TABLE t (id int PRIMARY KEY, v {type_})")
    rows = ", ".join(f"({i}, {literal})" for i, literal in enumerate(literals))
    lab.sql(f"INSERT INTO t VALUES {rows}")
    lab.load()
    lab.sql("UPDATE t SET id = id")
    lab.cdc()
    return [row["v"] for row in lab.loaded()], [row["v"] for row in lab.changed()]


def assert_written(lab: Lab, cases: list[tuple[str, str, str]]) -> None:
    """Values of many types, in one table: (type, literal, text in load and changes)."""
    lab.set_up(rules=[INCLUDE])
    columns = ", ".join(f"v{i} {type_}" for i, (type_, _, _) in enumerate(cases))
    literals = ", ".join(literal for _, literal, _ in cases)
    lab.sql(
        f"CREATE TABLE t (id int PRIMARY KEY, {columns})", f"INSERT INTO t VALUES (1, {literals})"
    )
    lab.load()
    lab.sql("UPDATE t SET id = id")
    lab.cdc()
    for row in (*lab.loaded(), *lab.changed()):
        texts = [row[f"v{i}"] for i in range(len(cases))]
        assert list(zip(cases, texts, strict=True)) == [(case, case[2]) for case in cases]


@pytest.mark.dms(42)
@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (["plain", "with blank"], "plain,with blank\n"),
        (["54, rue Royale", "x"], '"54, rue Royale",x\n'),
        (['say "hi"', "x"], '"say ""hi""",x\n'),
        (["two\nlines", "two\r\nlines"], '"two\nlines","two\r\nlines"\n'),
        (["'", "\\"], "',\\\n"),
        ([" edge ", ""], " edge ,\n"),
        ([None, "NULL"], "\\N,NULL\n"),
        (["ümläut €", "\ufeff"], "ümläut €,\ufeff\n"),
    ],
)
def test_a_field_is_quoted_only_if_it_must_be(fields: list[str | None], line: str) -> None:
    lines = CsvLines(CsvDialect(b",", b"\n", b"\\N", quoting=True, header=True))
    texts = [None if field is None else field.encode() for field in fields]
    assert lines.line(texts).decode() == line


@pytest.mark.dms(42)
@pytest.mark.parametrize(("delimiter", "line"), [("|", "a,b|c\n"), ("^", "a,b^c\n")])
def test_another_delimiter_changes_what_is_quoted(delimiter: str, line: str) -> None:
    lines = CsvLines(CsvDialect(delimiter.encode(), b"\n", b"", quoting=True, header=True))
    assert lines.line([b"a,b", b"c"]).decode() == line
    assert lines.line([delimiter.encode(), b"c"]).decode() == f'"{delimiter}"{delimiter}c\n'


@pytest.mark.dms(42)
@pytest.mark.parametrize("row_end", ["\r\n", "~\n", "~~", "\x01", "§"])
@pytest.mark.parametrize("value", ["plain", "a~", "~", "a\r", "\x01", "§", "a~~b", "two\nlines"])
def test_a_value_that_holds_the_row_delimiter_is_quoted(row_end: str, value: str) -> None:
    dialect = CsvDialect(b",", row_end.encode(), b"", quoting=True, header=True)
    line = CsvLines(dialect).line([b"x", value.encode()]).decode()
    unquoted, _, rest = line.partition(row_end)
    must_be_quoted = any(character in value for character in row_end + '\r\n"')
    assert line == (f'x,"{value}"{row_end}' if must_be_quoted else f"x,{value}{row_end}")
    assert must_be_quoted or (unquoted, rest) == (f"x,{value}", "")


@pytest.mark.dms(42)
@pytest.mark.parametrize(
    ("written_as", "delimiter"),
    [
        ("\\n", "\n"),
        ("\\r\\n", "\r\n"),
        ("\r\n", "\r\n"),
        ("\\u0001", "\x01"),
        ("\\x01", "\x01"),
        ("\x01", "\x01"),
        ("~\\n", "~\n"),
    ],
)
def test_a_row_delimiter_is_taken_as_people_write_it(written_as: str, delimiter: str) -> None:
    dialect = read_csv_dialect(Document({"CsvRowDelimiter": written_as}, "s3-settings.json"))
    assert dialect.row_end.decode() == delimiter


@pytest.mark.dms(42)
@pytest.mark.parametrize(
    ("written_as", "delimiter"), [("\\t", "\t"), ("\t", "\t"), ("\\", "\\"), ("§", "§")]
)
def test_a_delimiter_is_taken_as_people_write_it(written_as: str, delimiter: str) -> None:
    dialect = read_csv_dialect(Document({"CsvDelimiter": written_as}, "s3-settings.json"))
    assert dialect.delimiter.decode() == delimiter


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"CsvDelimiter": "ab"}, "CsvDelimiter"),
        ({"CsvDelimiter": ""}, "CsvDelimiter"),
        ({"CsvDelimiter": '"'}, "not the quote"),
        ({"CsvDelimiter": "\\q"}, "the character itself"),
        ({"CsvRowDelimiter": ""}, "CsvRowDelimiter"),
        ({"CsvDelimiter": "~", "CsvRowDelimiter": "~\n"}, "is a part of CsvRowDelimiter"),
    ],
)
def test_delimiters_that_no_reader_could_split_are_refused(
    settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        read_csv_dialect(Document(settings, "s3-settings.json"))


@pytest.mark.dms(42)
def test_files_are_utf8_without_a_mark_and_end_in_a_line_feed(lab: Lab) -> None:
    load, changes = written(lab, "text", "'Zürich 保険 \U0001f3e0'")
    assert load == changes == ["Zürich 保険 \U0001f3e0"]
    for key in lab.objects():
        data = (lab.target / key).read_bytes()
        assert data.startswith(b"Op,") and data.endswith(b"\n") and b"\r" not in data


@pytest.mark.dms(42)
def test_awkward_text_survives_copy_and_stream_alike(lab: Lab) -> None:
    awkward = ["tab\there", "back\\slash", "\\N inside", "\\t", "bell\x07", "v\x0b\x0cf", "\b"]
    literals = ["E'" + text.replace("\\", "\\\\").replace("'", "''") + "'" for text in awkward]
    load, changes = written(lab, "text", *literals)
    assert load == changes == awkward


@pytest.mark.dms(43)
@pytest.mark.parametrize(
    ("null", "text"), [("", ""), ("\\N", "\\N"), (None, "NULL"), ("(null)", "(null)")]
)
def test_null_is_the_null_value_and_the_empty_string_is_empty(
    lab: Lab, null: str | None, text: str
) -> None:
    profile = {k: v for k, v in PROFILE.items() if k != "CsvNullValue"}
    s3 = profile if null is None else {**profile, "CsvNullValue": null}
    assert written(lab, "text", "NULL", "''", s3=s3) == ([text, ""], [text, ""])


NUMBERS = [
    ("numeric(15,2)", "85100", "85100.00"),
    ("numeric(15,2)", "-0.005", "-0.01"),
    ("numeric(5,0)", "7", "7"),
    ("numeric(3,-2)", "12345", "12300"),
    ("numeric(2,4)", "0.0099", "0.0099"),
    ("numeric", "0.611111104488373", "0.611111"),
    ("numeric", "2", "2.000000"),
    ("numeric", "-0.0000001", "0.000000"),
    ("numeric", "1.0000005", "1.000001"),
    (
        "numeric(50,3)",
        "12345678901234567890123456789012345678901.5",
        "12345678901234567890123456789012345678901.500",
    ),
    ("money", "1234.5", "1234.5000"),
    ("money", "-1234567.89", "-1234567.8900"),
    ("smallint", "-7", "-7"),
    ("bigint", "9223372036854775807", "9223372036854775807"),
]


@pytest.mark.dms(44)
def test_numbers_have_their_type_s_decimals(lab: Lab) -> None:
    assert_written(lab, NUMBERS)


@pytest.mark.dms(44)
def test_a_number_that_is_none_becomes_null_and_is_reported(lab: Lab) -> None:
    assert written(lab, "numeric(9,2)", "'NaN'", "1") == ([NULL, "1.00"], [NULL, "1.00"])
    exceptions = lab.rows("_emulator/task/awsdms_apply_exceptions.csv")
    assert [(row["TABLE_NAME"], row["ERROR"]) for row in exceptions] == [
        ("t", "NaN is no value of a NUMERIC")
    ] * 2
    assert exceptions[0]["STATEMENT"] == "v of row {'id': '0'}"


@pytest.mark.dms(44)
def test_an_unbounded_number_that_is_too_large_becomes_null(lab: Lab) -> None:
    huge = "1" + "0" * 22
    assert written(lab, "numeric", huge, "'Infinity'", "9") == (
        [NULL, NULL, "9.000000"],
        [NULL, NULL, "9.000000"],
    )


FLOATS = [
    ("double precision", "21804.858478453007", "+2.1804858478453007e+04"),
    ("double precision", "0", "+0.0000000000000000e+00"),
    ("double precision", "-1e22", "-1.0000000000000000e+22"),
    ("double precision", "0.1", "+1.0000000000000001e-01"),
    ("double precision", "'NaN'", "NaN"),
    ("double precision", "'-Infinity'", "-Infinity"),
    ("real", "0.110106036", "+1.10106036e-01"),
    ("real", "-3.5", "-3.50000000e+00"),
]


@pytest.mark.dms(45)
def test_floats_are_printed_in_scientific_form(lab: Lab) -> None:
    assert_written(lab, FLOATS)


@pytest.mark.dms(46)
@pytest.mark.parametrize("as_boolean", [True, False])
def test_booleans_are_words(lab: Lab, as_boolean: bool) -> None:
    source = {"MapBooleanAsBoolean": as_boolean}
    words = ["true", "false", NULL]
    assert written(lab, "boolean", "true", "false", "NULL", source=source) == (words, words)


MOMENTS = [
    ("timestamptz", "'2024-01-01 00:30+01'", "2023-12-31 23:30:00.000000"),
    ("timestamptz", "'2024-07-01 12:00:00.5 America/New_York'", "2024-07-01 16:00:00.500000"),
    ("timestamp", "'2024-01-01 00:30:00.123456'", "2024-01-01 00:30:00.123456"),
    ("timestamp(0)", "'2024-01-01 00:30:00.6'", "2024-01-01 00:30:01.000000"),
    ("timestamptz", "'infinity'", "9999-12-31 23:59:59.000000"),
    ("timestamp", "'-infinity'", "4713-01-01 00:00:00.000000 BC"),
    ("timestamptz", "'0044-03-15 12:00:00+00 BC'", "0044-03-15 12:00:00.000000 BC"),
    ("timestamp", "'12024-01-01 00:00:00.25'", "12024-01-01 00:00:00.250000"),
    ("date", "'1996-07-04'", "1996-07-04"),
    ("date", "'infinity'", "9999-12-31"),
    ("date", "'-infinity'", "4713-01-01 BC"),
    ("time", "'01:02:03.5'", "01:02:03.500000"),
    ("time", "'01:02:03'", "01:02:03.000000"),
    ("timetz", "'01:02:03.25-05:30'", "01:02:03.250000"),
]


@pytest.mark.dms(47)
def test_times_are_utc_with_microseconds(lab: Lab) -> None:
    lab.sql("ALTER DATABASE postgres SET TimeZone = 'Asia/Tokyo'")
    try:
        assert_written(lab, MOMENTS)
    finally:
        lab.sql("ALTER DATABASE postgres RESET TimeZone")


OTHERS = [
    ("bytea", "'\\xDEAD00ff'", "dead00ff"),
    ("jsonb", """'{"b":[1,2]}'""", '{"b": [1, 2]}'),
    ("json", """'{"b":[1,2]}'""", '{"b":[1,2]}'),
    ("int[]", "'{1,2,NULL}'", "{1,2,NULL}"),
    ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("inet", "'10.0.0.1/8'", "10.0.0.1/8"),
    ("int4range", "'[1,5)'", "[1,5)"),
    ("bit(3)", "'101'", "101"),
    ("interval", "'1 year 2 days 03:00'", "1 year 2 days 03:00:00"),
    ("point", "'(1,2)'", "(1,2)"),
]


def test_other_types_are_written_as_their_text(lab: Lab) -> None:
    assert_written(lab, OTHERS)


def test_enums_domains_and_composites(lab: Lab) -> None:
    ddl = (
        "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN cents AS numeric(9,2);"
        " CREATE DOMAIN tag AS char(4); CREATE TYPE pair AS (a int, b text);"
        " CREATE TABLE u (id int PRIMARY KEY, m mood, c cents, g tag, p pair)"
    )
    lab.sql(ddl, "INSERT INTO u VALUES (1, 'ok', 1.5, 'ab', '(1,x)')")
    lab.load()
    lab.sql("UPDATE u SET id = id")
    lab.cdc()
    for row in (*lab.loaded("u"), *lab.changed("u")):
        assert [row[name] for name in "mcgp"] == ["ok", "1.50", "ab", "(1,x)"]


def test_a_type_without_a_rule_is_written_as_text_and_reported(lab: Lab) -> None:
    written(lab, "point", "'(1,2)'")
    assert (
        "public.t.v is of type point, which DMS has no rule for: its text is written" in lab.reports
    )


def test_a_generated_column_is_left_out_of_load_and_changes_alike(lab: Lab) -> None:
    lab.set_up(rules=[INCLUDE])
    lab.sql("CREATE TABLE t (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED)")
    lab.sql("INSERT INTO t VALUES (1)")
    lab.load()
    lab.sql("INSERT INTO t VALUES (2)")
    lab.cdc()
    assert list(lab.loaded()[0]) == list(lab.changed()[0]) == ["Op", "ts", "id"]


@pytest.mark.dms(50)
@pytest.mark.parametrize(
    ("type_", "trim", "text"),
    [("char(6)", True, "ab"), ("char(6)", False, "ab    "), ("varchar(6)", True, "ab  ")],
)
def test_blanks_of_char_are_trimmed_and_those_of_varchar_kept(
    lab: Lab, type_: str, trim: bool, text: str
) -> None:
    assert written(lab, type_, "'ab  '", source={"TrimSpaceInChar": trim}) == ([text], [text])


def lobs(kilobytes: int, policy: str = "LOG_ERROR") -> dict[str, Any]:
    return {
        "TargetMetadata": {"LobMaxSize": kilobytes},
        "ErrorBehavior": {"DataTruncationErrorPolicy": policy},
    }


@pytest.mark.dms(41)
@pytest.mark.parametrize(
    ("type_", "literal", "length"),
    [
        ("text", "repeat('x', 513)", 512),
        ("text", "repeat('x', 512)", 512),
        ("text", "repeat('é', 513)", 512),
        ("json", """('"' || repeat('x', 600) || '"')::json""", 512),
        ("bytea", "decode(repeat('ab', 1025), 'hex')", 2048),
        ("bytea", "decode(repeat('ab', 1024), 'hex')", 2048),
        ("varchar", "repeat('x', 9000)", 8000),
        ("varchar(9000)", "repeat('x', 9000)", 9000),
    ],
)
def test_long_values_are_cut_at_the_lob_size(
    lab: Lab, type_: str, literal: str, length: int
) -> None:
    (load,), (change,) = written(lab, type_, literal, task=lobs(1))
    assert len(load) == length
    assert change == load


@pytest.mark.dms(41)
def test_a_cut_value_is_reported(lab: Lab) -> None:
    written(lab, "text", "repeat('x', 600)", task=lobs(1))
    exceptions = lab.rows("_emulator/task/awsdms_apply_exceptions.csv")
    assert [row["ERROR"] for row in exceptions] == ["600 characters, LobMaxSize allows 512"] * 2
    assert list(exceptions[0]) == [
        "TASK_NAME",
        "TABLE_OWNER",
        "TABLE_NAME",
        "ERROR_TIME",
        "STATEMENT",
        "ERROR",
    ]


@pytest.mark.dms(41)
def test_the_policy_may_leave_the_row_out_or_stop_the_task(lab: Lab) -> None:
    ignored = written(lab, "text", "repeat('x', 600)", "'fits'", task=lobs(1, "IGNORE_RECORD"))
    assert ignored == (["fits"], ["fits"])
    lab.set_up(task=lobs(1, "STOP_TASK"))
    with pytest.raises(TaskFailed, match=r"public\.t\.v of row \{'id': '0'\}: 600 characters"):
        lab.load()


@pytest.mark.dms(41)
def test_thirty_megabytes_of_text_pass(lab: Lab) -> None:
    size = 30 << 20
    (load,), (change,) = written(lab, "text", f"repeat('x', {size})", task=lobs(102400))
    assert len(load) == len(change) == size
