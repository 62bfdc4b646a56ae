"""What Parquet files are made of: items 46, 48 and 49."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.local_shim.dms.lab import INCLUDE, PROFILE, Lab

PARQUET = {**PROFILE, "DataFormat": "parquet", "ParquetVersion": "parquet-2-0"}
COLUMNS = {
    "i2": "smallint",
    "i4": "int",
    "i8": "bigint",
    "n15": "numeric(15,2)",
    "n38": "numeric(38,10)",
    "n50": "numeric(50,3)",
    "n": "numeric",
    "cash": "money",
    "r": "real",
    "d": "double precision",
    "b": "boolean",
    "c": "char(5)",
    "v": "varchar(9)",
    "x": "text",
    "j": "jsonb",
    "raw": "bytea",
    "day": "date",
    "clock": "time",
    "plain": "timestamp",
    "zoned": "timestamptz",
}
VALUES = """(1, 2, 3, 4, 1.5, 1.0000000001, 12.5, 0.5, 9.99, 0.5, 0.1, true, 'ab', 'cd ', 'text',
 '{"a": 1}', '\\xdead', '1996-07-04', '01:02:03.456789', '2024-01-01 00:00:00.123456',
 '2024-01-01 00:30+01')"""


def with_all_types(lab: Lab, *rows: str, **s3: Any) -> None:
    source = {"MapBooleanAsBoolean": True}
    lab.set_up(s3={**PARQUET, **s3}, rules=[INCLUDE], source=source)
    columns = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())
    lab.sql(f"CREATE TABLE t (id int PRIMARY KEY, {columns})")
    for row in rows:
        lab.sql(f"INSERT INTO t VALUES {row}")


@pytest.mark.dms(48)
def test_types_are_those_of_the_catalog(lab: Lab) -> None:
    with_all_types(lab, VALUES)
    lab.load()
    schema = pq.ParquetFile(lab.target / lab.objects()[0]).schema
    columns = [schema.column(i) for i in range(len(schema))]
    assert {c.name: (c.physical_type, str(c.logical_type)) for c in columns[3:]} == {
        "i2": ("INT32", "Int(bitWidth=16, isSigned=true)"),
        "i4": ("INT32", "None"),
        "i8": ("INT64", "None"),
        "n15": ("FIXED_LEN_BYTE_ARRAY", "Decimal(precision=15, scale=2)"),
        "n38": ("FIXED_LEN_BYTE_ARRAY", "Decimal(precision=38, scale=10)"),
        "n50": ("BYTE_ARRAY", "String"),
        "n": ("FIXED_LEN_BYTE_ARRAY", "Decimal(precision=28, scale=6)"),
        "cash": ("FIXED_LEN_BYTE_ARRAY", "Decimal(precision=38, scale=4)"),
        "r": ("FLOAT", "None"),
        "d": ("DOUBLE", "None"),
        "b": ("BOOLEAN", "None"),
        "c": ("BYTE_ARRAY", "String"),
        "v": ("BYTE_ARRAY", "String"),
        "x": ("BYTE_ARRAY", "String"),
        "j": ("BYTE_ARRAY", "String"),
        "raw": ("BYTE_ARRAY", "None"),
        "day": ("INT32", "Date"),
        "clock": ("INT32", columns[20].logical_type.__str__()),
        "plain": ("INT64", columns[21].logical_type.__str__()),
        "zoned": ("INT64", columns[22].logical_type.__str__()),
    }
    lengths = {c.name: c.length for c in columns if c.physical_type == "FIXED_LEN_BYTE_ARRAY"}
    assert (lengths["n15"], lengths["n38"]) == (7, 16)
    assert "timeUnit=milliseconds" in str(columns[20].logical_type)
    for moment in columns[21:23]:
        assert "isAdjustedToUTC=true, timeUnit=microseconds" in str(moment.logical_type)
        assert moment.converted_type == "TIMESTAMP_MICROS"


@pytest.mark.dms(48, 46)
def test_values_arrive_as_they_are(lab: Lab) -> None:
    with_all_types(lab, VALUES)
    lab.load()
    lab.sql("UPDATE t SET id = id")
    lab.cdc()
    for key in lab.objects():
        (row,) = pq.read_table(lab.target / key).to_pylist()
        assert list(row.values())[2:] == [
            1, 2, 3, 4, Decimal("1.50"), Decimal("1.0000000001"), "12.500", Decimal("0.500000"),
            Decimal("9.9900"), 0.5, 0.1, True, "ab", "cd ", "text", '{"a": 1}', b"\xde\xad",
            date(1996, 7, 4), time(1, 2, 3, 456000),
            datetime(2024, 1, 1, 0, 0, 0, 123456, UTC), datetime(2023, 12, 31, 23, 30, tzinfo=UTC),
        ]  # fmt: skip


@pytest.mark.dms(48)
def test_a_file_of_nulls_has_the_same_schema(lab: Lab) -> None:
    with_all_types(lab, VALUES)
    lab.load()
    lab.sql("INSERT INTO t (id) VALUES (2)")
    lab.cdc()
    lab.sql("DELETE FROM t WHERE id = 1")
    lab.cdc()
    schemas = [pq.ParquetFile(lab.target / key).schema for key in lab.objects()]
    assert len(schemas) == 3
    assert schemas[0].equals(schemas[1]) and schemas[1].equals(schemas[2])
    row = pq.read_table(lab.target / lab.cdc_keys()[0]).to_pylist()[0]
    assert [value for name, value in row.items() if name in COLUMNS] == [None] * len(COLUMNS)


@pytest.mark.dms(46)
@pytest.mark.parametrize(("as_boolean", "value"), [(True, True), (False, "true")])
def test_booleans_are_booleans_if_asked_for(lab: Lab, as_boolean: bool, value: object) -> None:
    lab.set_up(s3=PARQUET, rules=[INCLUDE], source={"MapBooleanAsBoolean": as_boolean})
    lab.sql("CREATE TABLE t (id int PRIMARY KEY, b boolean)", "INSERT INTO t VALUES (1, true)")
    lab.load()
    assert pq.read_table(lab.target / lab.objects()[0])["b"].to_pylist() == [value]


@pytest.mark.dms(49)
def test_milliseconds_if_asked_for_but_not_in_the_timestamp_column(lab: Lab) -> None:
    with_all_types(lab, ParquetTimestampInMillisecond=True)
    lab.load()
    lab.sql(f"INSERT INTO t VALUES {VALUES}")
    lab.cdc()
    path = lab.target / lab.cdc_keys()[0]
    schema = pq.ParquetFile(path).schema
    assert {schema.column(i).converted_type for i in (21, 22)} == {"TIMESTAMP_MILLIS"}
    (row,) = pq.read_table(path).to_pylist()
    assert row["plain"] == datetime(2024, 1, 1, 0, 0, 0, 123000, UTC)
    assert len(row["ts"]) == len("2024-01-01 00:00:00.123456")


@pytest.mark.dms(47, 48)
def test_moments_out_of_the_ordinary(lab: Lab) -> None:
    lab.set_up(s3=PARQUET, rules=[INCLUDE])
    lab.sql("CREATE TABLE t (id int PRIMARY KEY, d date, m timestamp)")
    literals = ["infinity", "-infinity", "0044-03-15 BC", "12024-02-29", "0001-01-01"]
    for number, literal in enumerate(literals):
        lab.sql(f"INSERT INTO t VALUES ({number}, '{literal}', '{literal}')")
    lab.load()
    truth = lab.sql(
        "SELECT d - DATE '1970-01-01', (extract(epoch FROM m) * 1000000)::bigint FROM (SELECT id,"
        " CASE d WHEN 'infinity' THEN '9999-12-31' WHEN '-infinity' THEN '4713-01-01 BC' ELSE d"
        " END AS d, CASE m WHEN 'infinity' THEN '9999-12-31 23:59:59' WHEN '-infinity' THEN"
        " '4713-01-01 BC' ELSE m END AS m FROM t) s ORDER BY id"
    )
    table = pq.read_table(lab.target / lab.objects()[0])
    days = table["d"].cast("int32").to_pylist()
    moments = table["m"].cast("int64").to_pylist()
    assert list(zip(days, moments, strict=True)) == truth


def test_groups_of_rows_are_as_long_as_asked_for(lab: Lab) -> None:
    lab.set_up(s3={**PARQUET, "RowGroupLength": 10})
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t SELECT generate_series(1, 25)")
    lab.load()
    metadata = pq.ParquetFile(lab.target / lab.objects()[0]).metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [10, 10, 5]
