"""What is refused and what is warned of, in declarations and in change rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from local_shim.cdc.apply import check_drift
from local_shim.cdc.target_table.schema import target_schema
from local_shim.cdc.target_table.target import CdcOptions
from local_shim.errors import DefinitionError, FlowError
from tests.local_shim.cdc.one_target import COLUMNS, Target, flow


@pytest.mark.dlt(29)
def test_a_null_sequence_fails_with_flow_and_count_and_writes_nothing(target: Target) -> None:
    with pytest.raises(FlowError, match="Flow 't': 2 change rows have no sequence"):
        target.take([(1, "a", None, "U", None), (2, "a", None, "D", None), (3, "a", None, "U", 1)])
    assert target.rows() == []


@pytest.mark.dlt(29)
def test_a_null_sequence_is_the_lowest_if_asked(target: Target) -> None:
    target.at = replace(target.at, options=CdcOptions(null_sequences=True))
    target.take([(1, "a", None, "U", 1), (2, "b", None, "U", None), (3, "c", None, "D", None)])
    assert target.rows() == [(1, "a", None), (2, "b", None)]
    target.take([(1, "z", None, "U", None), (2, "c", None, "U", 0), (3, "d", None, "U", 0)])
    assert target.rows() == [(1, "a", None), (2, "c", None), (3, "d", None)]
    check_drift(flow(), target.at, target.spark.createDataFrame([], COLUMNS))
    target.at = replace(target.at, options=CdcOptions())
    assert "SEQUENCING_TYPE_DRIFT" in target.refuses(flow())


@pytest.mark.dlt(29)
def test_history_needs_a_start_with_any_option(target: Target) -> None:
    target.at = replace(target.at, options=CdcOptions(null_sequences=True))
    with pytest.raises(FlowError, match="1 change rows have no sequence"):
        target.take([(1, "a", None, "U", None)], flow(stored_as_scd_type=2))


@pytest.mark.dlt(30, 31)
def test_null_keys_fail_if_asked_but_truncates_have_none(target: Target) -> None:
    target.at = replace(target.at, options=CdcOptions(strict_keys=True))
    with pytest.raises(FlowError, match="2 change rows have NULL in a key"):
        target.take([(None, "a", None, "U", 1), (None, "b", None, "U", 2)])
    assert target.rows() == []
    truncating = flow(name="truncating", apply_as_truncates="op = 'T'")
    target.take([(None, None, None, "T", 5), (3, "a", None, "U", 6)], truncating)
    assert target.rows() == [(3, "a", None)]


@pytest.mark.dlt(62)
def test_a_late_delete_leaves_a_remainder_if_asked(target: Target) -> None:
    late = [(1, None, None, "D", 15)]
    two = flow(stored_as_scd_type=2)
    target.at = replace(target.at, options=CdcOptions(remainders=True))
    target.take([(1, "a", None, "U", 10), (1, None, None, "D", 20)], two)
    target.take(late, two)
    assert target.rows() == [(1, "a", None, 10, 15), (1, "a", None, None, 20)]
    assert target.take(late, two).upserted == 0
    target.take([(1, "b", None, "U", 17)], two)
    assert target.rows() == [(1, "a", None, 10, 15), (1, "b", None, 17, 20)]
    target.at = replace(target.at, options=CdcOptions())
    assert "REMAINDERS_DRIFT" in target.refuses(two)


@pytest.mark.dlt(62)
def test_the_remainders_option_changes_nothing_without_history(target: Target) -> None:
    target.take([(1, "a", None, "U", 10)])
    target.at = replace(target.at, options=CdcOptions(remainders=True))
    check_drift(flow(), target.at, target.spark.createDataFrame([], COLUMNS))


@pytest.mark.dlt(30)
def test_a_null_key_matches_a_null_key_with_a_warning(target: Target) -> None:
    target.take([(None, "a", None, "U", 1)])
    second = target.take([(None, "b", None, "U", 2)])
    assert "NULL was matched as a value" in second.warnings[0]
    assert target.rows() == [(None, "b", None)]


@pytest.mark.dlt(32, 33, 45)
def test_ties_have_one_result_and_a_warning(target: Target) -> None:
    first = target.take(
        [
            (1, "a", None, "U", 1),
            (2, "x", None, "U", 1),
            (2, "y", None, "U", 1),
            (3, "x", None, "U", 1),
            (3, "x", None, "U", 1),
        ]
    )
    assert (first.upserted, first.deleted) == (3, 0)
    assert [w.split(" ", 1)[0] for w in first.warnings] == ["1"]
    second = target.take([(1, None, None, "D", 1), (9, "", "", "D", 1)])
    assert (second.upserted, second.deleted) == (0, 1)
    assert "same sequence" in second.warnings[0]
    assert target.rows() == [(2, "y", None), (3, "x", None)]


def test_where_is_a_promise_and_filters_nothing(target: Target) -> None:
    promised = flow(prune_where="id < 10")
    target.take([(1, "a", None, "U", 1)], promised)
    with pytest.raises(FlowError, match="1 change rows do not satisfy"):
        target.take([(11, "a", None, "U", 1)], promised)
    assert target.rows() == [(1, "a", None)]


WRONG_COLUMNS: list[tuple[int | None, str, dict[str, Any]]] = [
    (36, "AUTOCDC_NON_ORDERABLE_SEQUENCE", {"sequence_by": "m"}),
    (37, "Available columns: id, v, note, op, seq, m", {"except_column_list": ["nope"]}),
    (
        38,
        "AUTOCDC_KEY_NOT_IN_SELECTED_SCHEMA",
        {"column_list": ["v"], "except_column_list": None},
    ),
    (
        None,
        "track_history_column_list names op",
        {"stored_as_scd_type": 2, "track_history_column_list": ["op"]},
    ),
    (
        None,
        "columns_to_update names 'v', which is of type string",
        {"columns_to_update": "v"},
    ),
]


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        pytest.param(message, arguments, marks=pytest.mark.dlt(rule) if rule else ())
        for rule, message, arguments in WRONG_COLUMNS
    ],
)
def test_wrong_columns_are_refused_before_any_write(
    spark: SparkSession, message: str, arguments: dict[str, Any]
) -> None:
    source = spark.createDataFrame([], COLUMNS + ", m map<string,int>")
    with pytest.raises(DefinitionError) as caught:
        target_schema(flow(**arguments), source)
    assert message in str(caught.value)


def test_a_source_column_with_a_reserved_name_is_refused(spark: SparkSession) -> None:
    source = spark.createDataFrame([], COLUMNS).withColumnRenamed("note", "__START_AT")
    with pytest.raises(DefinitionError, match="AUTOCDC_RESERVED_COLUMN_NAME"):
        target_schema(flow(stored_as_scd_type=2), source)


@pytest.mark.dlt(35, 58, 59)
def test_the_schema_of_a_target_is_clean_and_a_declared_one_is_checked(spark: SparkSession) -> None:
    source = spark.createDataFrame([], COLUMNS)
    two = flow(stored_as_scd_type=2)
    schema = target_schema(two, source)
    assert schema.simpleString() == (
        "struct<id:int,v:string,note:string,__START_AT:bigint,__END_AT:bigint>"
    )
    assert target_schema(two, source, schema) == schema
    for wrong, message in (
        ("id int, v string, note string", "lacks __START_AT, __END_AT"),
        ("id int, v string, note string, __START_AT int, __END_AT int", "has __START_AT INT"),
        ("id int, v string, __START_AT bigint, __END_AT bigint", "lacks the source's columns note"),
    ):
        with pytest.raises(DefinitionError, match=message):
            target_schema(two, source, cast(StructType, StructType.fromDDL(wrong)))


@pytest.mark.dlt(39, 42)
def test_a_hydrating_flow_and_a_running_one_share_a_target(target: Target) -> None:
    hydrate = flow(name="hydrate", sequence_by=F.lit(0), apply_as_deletes=None)
    target.take([(1, "new", None, "U", 5), (3, None, None, "D", 5)], flow(name="stream"))
    target.take([(n, "old", None, "U", 9) for n in (1, 2, 3)], hydrate)
    assert target.rows() == [(1, "new", None), (2, "old", None)]
    target.take([(2, "new", None, "U", 1)], flow(name="stream"))
    assert target.rows() == [(1, "new", None), (2, "new", None)]


@pytest.mark.dlt(67)
def test_fifty_untracked_changes_leave_one_row(target: Target) -> None:
    rows = [(1, "a", str(n), "U", n) for n in range(51)]
    target.take(rows, flow(stored_as_scd_type=2, track_history_except_column_list=["note"]))
    assert target.rows() == [(1, "a", "50", 0, None)]
