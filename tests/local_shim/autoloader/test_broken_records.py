"""What becomes of records that are broken, or hold a value that nothing rescues."""

from __future__ import annotations

import json

import pytest
from pyspark.errors import StreamingQueryException

from local_shim.errors import DefinitionError
from tests.local_shim.autoloader.landing_flow import Flow

# By format: two good records, one with a text for a number, one that is broken.
RECORDS = {
    "csv": "id,n\n1,a\nx,b\n2\n3,c\n",
    "json": '{"id": 1, "n": "a"}\n{"id": "x", "n": "b"}\n{"id":\n{"id": 3, "n": "c"}\n',
    "xml": "<t><r><id>1</id><n>a</n></r><r><id>x</id><n>b</n></r><r><id>3</id><n>c</n></r></t>",
}
SCHEMA = "id INT, n STRING"


def read(flow: Flow, kind: str, schema: str = SCHEMA, **options: str) -> list[tuple[object, ...]]:
    flow.options |= {"cloudFiles.format": kind, "rowTag": "r", **options}
    flow.schema = schema
    flow.land(f"a.{kind}", RECORDS[kind])
    flow.run()
    return sorted(((row.get("id"), row.get("n")) for row in flow.rows()), key=str)


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_with_a_value_that_nothing_rescues_is_broken(flow: Flow, kind: str) -> None:
    schema = f"{SCHEMA}, bad STRING"
    rows = read(flow, kind, schema, columnNameOfCorruptRecord="bad")
    assert {(1, "a"), (3, "c")} < set(rows)
    assert any("x" in row["bad"] for row in flow.rows() if "bad" in row)
    flow.batches, flow.options["mode"] = {}, "DROPMALFORMED"
    flow.land(f"b.{kind}", RECORDS[kind])
    flow.run()
    assert sorted(row["id"] for row in flow.rows()) == [1, 3]
    flow.options["mode"] = "FAILFAST"
    flow.land(f"c.{kind}", RECORDS[kind])
    with pytest.raises(StreamingQueryException) as failure:
        flow.run()
    assert "MALFORMED_RECORD_IN_PARSING" in str(failure.value) + str(vars(failure.value))


@pytest.mark.parametrize("kind", ["csv", "json"])
@pytest.mark.parametrize("rescues", [True, False])
def test_broken_records_go_to_files_of_their_own(flow: Flow, kind: str, rescues: bool) -> None:
    options = {"rescuedDataColumn": "_rescued_data"} if rescues else {}
    rows = read(flow, kind, badRecordsPath=str(flow.root / "bad"), **options)
    assert rows == [(1, "a"), (3, "c"), *([(None, "b")] if rescues else [])]
    files = (flow.root / "bad").glob("*/bad_records/part-*")
    records = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert len(records) == (1 if rescues else 2)
    assert all(record["path"].endswith(f"a.{kind}") for record in records)


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_may_be_one_variant(flow: Flow, kind: str) -> None:
    flow.options |= {"cloudFiles.format": kind, "rowTag": "r", "singleVariantColumn": "v"}
    flow.options["mode"] = "DROPMALFORMED"
    flow.land(f"year=2026/a.{kind}", RECORDS[kind])
    frame = flow.frame()
    assert frame.dtypes == [("v", "variant"), ("year", "string")]
    flow.run(frame.selectExpr("v:id::string AS id", "v:n::string AS n", "year"))
    assert sorted(row["id"] for row in flow.rows() if "n" in row) == ["1", "3", "x"]
    assert {row["year"] for row in flow.rows()} == {"2026"}


def test_a_record_that_is_no_variant_has_a_column_of_its_own_or_stops_the_stream(
    flow: Flow,
) -> None:
    flow.options |= {"cloudFiles.format": "json", "singleVariantColumn": "v"}
    flow.land("a.json", RECORDS["json"])
    with pytest.raises(StreamingQueryException) as failure:
        flow.run(flow.frame().selectExpr("to_json(v) AS v"))
    assert "MALFORMED_RECORD_IN_PARSING" in str(failure.value) + str(vars(failure.value))
    flow.options["columnNameOfCorruptRecord"] = "bad"
    flow.run(flow.frame().selectExpr("to_json(v) AS v", "bad"))
    assert [row["bad"] for row in flow.rows() if "bad" in row] == ['{"id":']


def test_a_variant_takes_every_field_so_that_nothing_is_rescued(flow: Flow) -> None:
    flow.options |= {"singleVariantColumn": "v", "rescuedDataColumn": "_rescued_data"}
    with pytest.raises(DefinitionError, match="rescuedDataColumn cannot go with"):
        flow.frame()
