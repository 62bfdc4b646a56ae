"""What a new, changed or missing column does under each evolution mode."""

from __future__ import annotations

import json

import pytest
from pyspark.errors import StreamingQueryException

from local_shim.autoloader.schema import schema_change_in
from local_shim.errors import DefinitionError, FlowError, SchemaChanged
from tests.local_shim.autoloader.landing_flow import Flow


@pytest.mark.dlt(128)
def test_a_new_column_fails_once_and_is_there_after_the_restart(flow: Flow) -> None:
    flow.land("a.csv", "id,name\n1,Ada\n")
    flow.run()
    flow.land("b.csv", "id,city,name\n2,Rome,Bob\n")
    with pytest.raises(SchemaChanged, match=r"NEW_FIELDS_IN_FILE.*\[city\].*retry: true"):
        flow.run()
    flow.run()
    assert flow.frame().columns == ["id", "name", "city", "_rescued_data"]
    assert sorted(flow.rows(), key=lambda row: row["id"]) == [
        {"id": "1", "name": "Ada"},
        {"id": "2", "name": "Bob", "city": "Rome"},
    ]


@pytest.mark.dlt(128)
def test_a_look_at_the_stream_shows_new_columns_and_writes_nothing(flow: Flow) -> None:
    flow.land("a.csv", "id\n1\n")
    assert flow.frame(remember=False).columns == ["id", "_rescued_data"]
    assert not flow.store.folder.exists()
    flow.frame(remember=True)
    flow.land("b.csv", "id,city\n2,Rome\n")
    before = sorted(flow.store.folder.iterdir())
    assert flow.frame(remember=False).columns == ["id", "city", "_rescued_data"]
    assert sorted(flow.store.folder.iterdir()) == before


@pytest.mark.dlt(128)
@pytest.mark.parametrize(
    ("late", "sink"),
    [("a,b\n1,2\n", "delta"), ("id,b\n1,2\n", "memory"), ("b,id\n1,2\n", "memory")],
)
def test_a_file_landing_after_planning_never_gets_into_wrong_columns(
    flow: Flow, late: str, sink: str
) -> None:
    flow.land("a.csv", "id\n1\n")
    frame = flow.frame()
    flow.land("b.csv", late)
    with pytest.raises(StreamingQueryException) as failure:
        flow.run(frame, into=sink)
    assert schema_change_in(failure.value) is not None


def test_a_late_file_with_the_known_header_is_just_read(flow: Flow) -> None:
    flow.land("a.csv", "id\n1\n")
    frame = flow.frame()
    flow.land("b.csv", "id\n2\n")
    flow.run(frame)
    assert sorted(row["id"] for row in flow.rows()) == ["1", "2"]


@pytest.mark.dlt(128)
def test_a_late_file_among_several_headers_asks_for_a_restart(flow: Flow) -> None:
    flow.land("a.csv", "id,b\n1,2\n")
    flow.land("b.csv", "b,id\n1,2\n")
    frame = flow.frame()
    flow.land("c.csv", "b,id\n3,4\n")
    with pytest.raises(StreamingQueryException, match="NEW_FIELDS_IN_FILE") as failure:
        flow.run(frame)
    assert schema_change_in(failure.value) is not None
    flow.run()
    assert len(flow.rows()) == 3


@pytest.mark.dlt(129)
def test_rescue_keeps_the_schema_and_the_value(flow: Flow) -> None:
    flow.options["cloudFiles.schemaEvolutionMode"] = "rescue"
    flow.land("a.csv", "id\n1\n")
    flow.run()
    flow.land("b.csv", "id,city\n2,Rome\n")
    flow.run()
    (row,) = (row for row in flow.rows() if row["id"] == "2")
    assert json.loads(row["_rescued_data"])["city"] == "Rome"
    assert flow.frame().columns == ["id", "_rescued_data"]


@pytest.mark.dlt(129)
def test_none_ignores_new_columns_and_conflicts(flow: Flow) -> None:
    flow.options["cloudFiles.schemaEvolutionMode"] = "none"
    flow.options["cloudFiles.schemaHints"] = "n INT"
    flow.land("a.csv", "id,n\n1,7\n")
    flow.run()
    flow.land("b.csv", "id,n,city\n2,x,Rome\n")
    flow.run()
    assert sorted(flow.rows(), key=lambda row: row["id"]) == [{"id": "1", "n": 7}, {"id": "2"}]
    assert flow.frame().columns == ["id", "n"]


@pytest.mark.dlt(129)
def test_fail_on_new_columns_fails_until_the_file_is_gone(flow: Flow) -> None:
    flow.options["cloudFiles.schemaEvolutionMode"] = "failOnNewColumns"
    flow.land("a.csv", "id\n1\n")
    flow.run()
    file = flow.land("b.csv", "id,city\n2,Rome\n")
    for _ in range(2):
        with pytest.raises(FlowError, match=r"NEW_FIELDS_IN_FILE.*\[city\].*retry: false"):
            flow.frame()
    file.unlink()
    assert flow.frame().columns == ["id", "_rescued_data"]


def test_evolution_cannot_go_with_a_schema_of_ones_own(flow: Flow) -> None:
    flow.schema = "id STRING"
    flow.options["cloudFiles.schemaEvolutionMode"] = "addNewColumns"
    with pytest.raises(DefinitionError, match="CF_ADD_NEW_NOT_SUPPORTED"):
        flow.frame()


def test_a_schema_of_ones_own_takes_columns_by_name_and_ignores_others(flow: Flow) -> None:
    flow.schema = "n INT, id STRING"
    flow.land("a.csv", "id,city,n\n1,Rome,7\n2,Oslo,x\n")
    flow.run()
    assert flow.rows() == [{"n": 7, "id": "1"}, {"id": "2"}]


def test_a_schema_of_ones_own_rescues_if_a_column_is_named_for_it(flow: Flow) -> None:
    flow.schema = "n INT, id STRING"
    flow.options["rescuedDataColumn"] = "odd"
    flow.land("a.csv", "id,city,n\n1,Rome,x\n")
    flow.run()
    (row,) = flow.rows()
    rescued = json.loads(row["odd"])
    assert (rescued["n"], rescued["city"], row["id"]) == ("x", "Rome", "1")


@pytest.mark.dlt(130)
def test_a_column_in_another_case_is_rescued(flow: Flow) -> None:
    flow.land("a.csv", "id,name\n1,Ada\n")
    flow.run()
    flow.land("b.csv", "id,Name\n2,Bob\n")
    flow.run()
    (row,) = (row for row in flow.rows() if row["id"] == "2")
    assert json.loads(row["_rescued_data"])["Name"] == "Bob"
    assert "name" not in row


@pytest.mark.dlt(130)
def test_a_column_in_another_case_is_the_same_if_asked(flow: Flow) -> None:
    flow.options["readerCaseSensitive"] = "false"
    flow.land("a.csv", "id,name\n1,Ada\n")
    flow.land("b.csv", "ID,Name\n2,Bob\n")
    flow.run()
    assert {row["id"]: row["name"] for row in flow.rows()} == {"1": "Ada", "2": "Bob"}
    assert not any("_rescued_data" in row for row in flow.rows())


def test_an_empty_folder_needs_a_schema_from_somewhere(flow: Flow) -> None:
    with pytest.raises(DefinitionError, match="CF_EMPTY_DIR_FOR_SCHEMA_INFERENCE"):
        flow.frame()
    flow.options["cloudFiles.schemaHints"] = "id INT"
    assert flow.frame().columns == ["id", "_rescued_data"]
    flow.run()
    flow.land("a.csv", "id,name\n1,Ada\n")
    flow.run()
    assert flow.rows() == [{"id": 1, "name": "Ada"}]


@pytest.mark.dlt(130)
@pytest.mark.parametrize("counts", ["true", "false"])
def test_a_hint_decides_which_case_of_a_name_is_the_column(flow: Flow, counts: str) -> None:
    flow.options |= {"cloudFiles.schemaHints": "ID INT", "readerCaseSensitive": counts}
    flow.land("a.csv", "id,name\n1,Ada\n")
    flow.run()
    (row,) = flow.rows()
    assert flow.frame().columns == ["ID", "name", "_rescued_data"]
    if counts == "true":
        assert json.loads(row["_rescued_data"])["id"] == "1"
    else:
        assert row == {"ID": 1, "name": "Ada"}
