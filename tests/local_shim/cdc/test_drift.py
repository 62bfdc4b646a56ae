"""What may change between updates, and what may not."""

from __future__ import annotations

import pytest

from local_shim.cdc.apply import check_drift
from tests.local_shim.cdc.one_target import COLUMNS, Target, flow


@pytest.mark.dlt(34)
def test_what_history_depends_on_may_not_change(target: Target) -> None:
    two = {"stored_as_scd_type": 2, "track_history_column_list": ["v"]}
    target.take([(1, "a", None, "U", 1)], flow(**two))
    before = target.rows()
    assert "KEY_SCHEMA_DRIFT" in target.refuses(flow(**two, keys=["id", "v"]))
    assert "SCD_TYPE_DRIFT" in target.refuses(flow())
    assert "TRACK_HISTORY_DRIFT" in target.refuses(flow(stored_as_scd_type=2))
    assert "SEQUENCING_TYPE_DRIFT" in target.refuses(flow(**two), COLUMNS.replace("bigint", "int"))
    changed = target.refuses(flow(**two, sequence_by="op"))
    assert "the sequence" in changed or "type of the sequence" in changed
    assert "--full-refresh t" in changed
    no_key = target.refuses(flow(**two), COLUMNS.replace("id int", "ident int"))
    assert "KEY" in no_key
    assert "--full-refresh t" in no_key
    changed = target.refuses(flow(**two), COLUMNS.replace("v string", "v array<int>"))
    assert "INCOMPATIBLE_COLUMN_TYPE" in changed
    check_drift(flow(**two), target.at, target.spark.createDataFrame([], COLUMNS))
    assert target.rows() == before


@pytest.mark.dlt(44)
@pytest.mark.parametrize("scd_type", [1, 2])
def test_a_new_source_column_is_added(target: Target, scd_type: int) -> None:
    declared = flow(stored_as_scd_type=scd_type, column_list=None)
    wider = COLUMNS.replace("note string", "note string, extra int")
    target.take([(1, "a", "n", "U", 1), (2, "a", "n", "U", 1)], declared)
    target.take([(1, "a", "n", 7, "U", 2)], declared, wider)
    ends = {1: (), 2: ((1, None), (1, 2), (2, None))}[scd_type]
    expected: list[tuple[object, ...]] = [(1, "a", "n", 7), (2, "a", "n", None)]
    if ends:
        expected = [
            (1, "a", "n", 7, 2, None),
            (1, "a", "n", None, 1, 2),
            (2, "a", "n", None, 1, None),
        ]
    assert target.rows() == expected


@pytest.mark.dlt(44)
def test_fields_of_structs_are_added_and_go_by_name(target: Target) -> None:
    declared = flow(stored_as_scd_type=2, except_column_list=["seq"], apply_as_deletes=None)
    target.take([(1, (1, 2), 1)], declared, "id int, s struct<x:int,y:int>, seq bigint")
    target.take([(1, (3, 4, 5), 2)], declared, "id int, s struct<y:int,z:int,x:int>, seq bigint")
    assert target.rows() == [(1, (1, 2, None), 1, 2), (1, (5, 3, 4), 2, None)]
    changed = target.refuses(declared, "id int, s struct<x:int,y:string>, seq bigint")
    assert "INCOMPATIBLE_COLUMN_TYPE" in changed


@pytest.mark.dlt(44)
@pytest.mark.parametrize("scd_type", [1, 2])
def test_fields_inside_arrays_are_added_and_go_by_name(target: Target, scd_type: int) -> None:
    declared = flow(stored_as_scd_type=scd_type, except_column_list=["seq"], apply_as_deletes=None)
    target.take([(1, [(1, 2)], 1)], declared, "id int, s array<struct<x:int,y:int>>, seq bigint")
    wider = "id int, s array<struct<y:int,z:int,x:int>>, seq bigint"
    target.take([(1, [(3, 4, 5)], 2)], declared, wider)
    assert target.rows()[-1][:2] == (1, [(5, 3, 4)])
    target.take([(1, [(6,)], 3)], declared, "id int, s array<struct<y:int>>, seq bigint")
    assert target.rows()[-1][:2] == (1, [(None, 6, None)])


NARROW_SOURCES = {
    "a column": ("id int, v string, op string, seq bigint", (1, "b", "U", 5), "note"),
    "a field of a struct": (
        "id int, v string, note struct<x:int>, op string, seq bigint",
        (1, "b", (7,), "U", 5),
        "note.y",
    ),
    "a field of structs in an array": (
        "id int, v string, note array<struct<x:int>>, op string, seq bigint",
        (1, "b", [(7,)], "U", 5),
        "note.y",
    ),
}
FULL = {
    "a column": ("string", "n", None),
    "a field of a struct": ("struct<x:int,y:int>", (1, 2), (7, None)),
    "a field of structs in an array": ("array<struct<x:int,y:int>>", [(1, 2)], [(7, None)]),
}


@pytest.mark.parametrize("case", NARROW_SOURCES)
@pytest.mark.parametrize("scd_type", [1, 2])
def test_what_the_source_loses_stays_in_the_target_and_is_null_in_new_rows(
    target: Target, case: str, scd_type: int
) -> None:
    kind, before, after = FULL[case]
    schema = COLUMNS.replace("note string", f"note {kind}")
    declared = flow(stored_as_scd_type=scd_type)
    target.take([(1, "a", before, "U", 1), (2, "a", before, "U", 1)], declared, schema)
    narrow, row, name = NARROW_SOURCES[case]
    (warning,) = check_drift(declared, target.at, target.spark.createDataFrame([], narrow))
    assert f"does not have {name}, which" in warning
    target.take([row], declared, narrow)
    current = [row[:3] for row in target.rows() if row[-1] is None or scd_type == 1]
    assert current == [(1, "b", after), (2, "a", before)]
    if scd_type == 2:
        assert (1, "a", before, 1, 5) in target.rows()


def test_versions_that_differ_in_a_lost_column_stay_apart(target: Target) -> None:
    declared = flow(stored_as_scd_type=2)
    target.take([(1, "a", "n", "U", 1), (1, "a", "m", "U", 3)], declared)
    target.take([(1, "a", "U", 9)], declared, COLUMNS.replace("note string, ", ""))
    versions = [(1, "a", "m", 3, 9), (1, "a", "n", 1, 3), (1, "a", None, 9, None)]
    assert target.rows() == versions


@pytest.mark.dlt(53)
def test_a_flow_that_ignores_nulls_keeps_the_values_of_a_lost_column(target: Target) -> None:
    declared = flow(ignore_null_updates=True)
    target.take([(1, "a", "n", "U", 1)], declared)
    target.take([(1, "b", "U", 2)], declared, COLUMNS.replace("note string, ", ""))
    assert target.rows() == [(1, "b", "n")]
