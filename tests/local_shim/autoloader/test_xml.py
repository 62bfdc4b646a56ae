"""XML files: elements and attributes by name, the rest rescued."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_shim.errors import DefinitionError, SchemaChanged
from tests.local_shim.autoloader.landing_flow import Flow


@pytest.fixture
def policies(flow: Flow) -> Flow:
    flow.options |= {"cloudFiles.format": "xml", "rowTag": "policy"}
    return flow


def xml(*records: str) -> str:
    return f"<policies>{''.join(f'<policy {record}</policy>' for record in records)}</policies>"


def by_id(flow: Flow) -> dict[str, dict[str, Any]]:
    """Rows by the attribute `id`, rescued data as values without the file's path."""
    rows = {}
    for row in flow.rows():
        if "_rescued_data" in row:
            row["_rescued_data"] = json.loads(row["_rescued_data"])
            row["_rescued_data"].pop("_file_path")
        rows[row.pop("_id", "broken")] = row
    return rows


def test_xml_is_text_by_default_and_a_new_element_becomes_a_column(policies: Flow) -> None:
    policies.land("a.xml", xml('id="1"><sum>10</sum>'))
    policies.run()
    policies.land("b.xml", xml('id="2"><SUM>20</SUM><car><seats>4</seats></car>'))
    with pytest.raises(SchemaChanged, match=r"\[car\]"):
        policies.run()
    policies.run()
    rows = by_id(policies)
    assert rows["1"] == {"sum": "10"}
    assert (rows["2"]["sum"], rows["2"]["car"].seats) == ("20", "4")


def test_xml_values_that_do_not_fit_are_rescued(policies: Flow) -> None:
    policies.options |= {
        "cloudFiles.inferColumnTypes": "true",
        "cloudFiles.schemaEvolutionMode": "rescue",
        "cloudFiles.schemaHints": "_id STRING",
    }
    policies.land("a.xml", xml('id="1"><sum>10</sum><car><seats>4</seats></car>'))
    policies.run()
    policies.land(
        "b.xml",
        xml(
            'id="2"><sum>many</sum>',
            'id="3"><sum>30</sum><sum>31</sum>',
            'id="4"><sum>40</sum><more>m</more><car><seats>5</seats><doors>3</doors></car>',
        ),
    )
    policies.land("c.xml", "<policies><policy id='5'><sum>1</policy></policies>")
    policies.run()
    rows = by_id(policies)
    assert rows["2"] == {"_rescued_data": {"sum": ["many"]}}
    assert rows["3"] == {"_rescued_data": {"sum": ["30", "31"]}}
    assert rows["4"]["sum"] == 40
    assert rows["4"]["_rescued_data"]["more"] == "m"
    assert rows["4"]["_rescued_data"]["car"] == {"seats": 5, "doors": 3}
    assert "<sum>1" in rows["broken"]["_rescued_data"]["_corrupt_record"]


def test_a_declared_schema_of_xml_gives_null_or_drops_what_does_not_fit(policies: Flow) -> None:
    policies.schema = "_id STRING, sum DECIMAL(9,2), day DATE, _corrupt_record STRING"
    policies.options["dateFormat"] = "dd.MM.yyyy"
    policies.land(
        "year=2026/a.xml", xml('id="1"><sum>1.5</sum><day>31.01.2026</day>', 'id="2"><sum>x</sum>')
    )
    policies.land("year=2026/b.xml", "<policy id='3'><sum></policy>")
    policies.run()
    rows = by_id(policies)
    assert (str(rows["1"]["sum"]), str(rows["1"]["day"])) == ("1.50", "2026-01-31")
    assert "<sum>x</sum>" in rows["2"]["_corrupt_record"]
    assert rows["broken"]["_corrupt_record"].startswith("<policy id='3'>")


def test_an_element_that_comes_several_times_for_one_value_is_rescued(policies: Flow) -> None:
    policies.land("a.xml", xml('id="1"><car><seats>4</seats></car>'))
    policies.run()
    policies.land(
        "b.xml",
        xml(
            'id="2"><car><seats>1</seats><seats>2</seats></car>',
            'id="3"><car><seats>3</seats></car>',
            'id="4"><car><seats>5</seats></car><car><seats>6</seats></car>',
        ),
    )
    policies.run()
    rows = by_id(policies)
    assert rows["2"]["car"].seats is None
    assert rows["2"]["_rescued_data"] == {"car": [{"seats": ["1", "2"]}]}
    assert rows["3"]["car"].seats == "3"
    assert "_rescued_data" not in rows["3"]
    assert rows["4"] == {"_rescued_data": {"car": [{"seats": ["5"]}, {"seats": ["6"]}]}}


def test_xml_without_a_row_tag_is_an_error(policies: Flow) -> None:
    del policies.options["rowTag"]
    with pytest.raises(DefinitionError, match="XML_ROW_TAG_MISSING"):
        policies.frame()
