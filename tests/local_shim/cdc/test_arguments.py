"""Wrong arguments are errors when a flow is declared: the name, what is allowed, a hint."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from local_shim.declaring.cdc_arguments import auto_cdc_flow, snapshot_flow
from local_shim.errors import DefinitionError, DefinitionErrors
from local_shim.graph.elements import AutoCdcFlow, ScdType
from tests.local_shim.cdc.shapes import HERE, SPACE

GOOD: dict[str, Any] = {"target": "t", "source": "s", "keys": ["id"], "sequence_by": "seq"}


def declared(**arguments: Any) -> AutoCdcFlow:
    return auto_cdc_flow(where=HERE, namespace=SPACE, **{**GOOD, **arguments})


def refused(**arguments: Any) -> str:
    with pytest.raises((DefinitionError, DefinitionErrors)) as caught:
        declared(**arguments)
    assert str(HERE) in str(caught.value)
    return str(caught.value)


@pytest.mark.dlt(6)
def test_name_and_flow_name_are_one_argument(spark: SparkSession) -> None:
    assert declared(name="n").name == declared(flow_name="n").name == "n"
    assert declared(name="n", flow_name="n").name == "n"
    assert declared().name == "t"
    assert "CANNOT_SET_TOGETHER" in refused(name="n", flow_name="m")


@pytest.mark.dlt(7)
@pytest.mark.parametrize("scd_type", [1, "1", 2, "2", None])
def test_scd_types_are_numbers_or_text(spark: SparkSession, scd_type: Any) -> None:
    expected = ScdType.TWO if str(scd_type) == "2" else ScdType.ONE
    assert declared(stored_as_scd_type=scd_type).scd_type is expected


@pytest.mark.dlt(7)
@pytest.mark.parametrize("scd_type", [3, "3", "two", True, 1.0])
def test_other_scd_types_are_refused_with_what_is_allowed(
    spark: SparkSession, scd_type: Any
) -> None:
    assert '1, "1", 2, "2", "bitemporal"' in refused(stored_as_scd_type=scd_type)


CONFLICTS = [
    (8, {"column_list": ["id"], "except_column_list": ["seq"]}, "BOTH_COLUMN_LIST"),
    (
        9,
        {
            "track_history_column_list": ["a"],
            "track_history_except_column_list": ["b"],
            "stored_as_scd_type": 2,
        },
        "BOTH_TRACK_HISTORY",
    ),
    (9, {"track_history_column_list": ["a"]}, "TRACK_HISTORY_REQUIRES_SCD2"),
    (9, {"track_history_except_column_list": ["a"]}, "TRACK_HISTORY_REQUIRES_SCD2"),
    (10, {"apply_as_truncates": "op = 'T'", "stored_as_scd_type": 2}, "TRUNCATE_REQUIRES_SCD1"),
    (
        11,
        {
            "ignore_null_updates_column_list": ["a"],
            "ignore_null_updates_except_column_list": ["b"],
        },
        "BOTH_IGNORE_NULL_UPDATES_LISTS",
    ),
    (11, {"columns_to_update": "c", "ignore_null_updates": True}, "COLUMNS_TO_UPDATE_WITH"),
    (
        11,
        {"columns_to_update": "c", "ignore_null_updates_column_list": ["a"]},
        "COLUMNS_TO_UPDATE_WITH",
    ),
    (12, {"keys": []}, "AUTOCDC_EMPTY_KEYS"),
    (12, {"keys": None}, "AUTOCDC_EMPTY_KEYS"),
    (12, {"keys": ["s.id"]}, "MULTIPART_COLUMN_IDENTIFIER"),
    (12, {"keys": "id"}, "INVALID_ARGUMENT_TYPE"),
    (12, {"source": None}, "AUTOCDC_MISSING_SOURCE"),
    (12, {"sequence_by": None}, "AUTOCDC_MISSING_SEQUENCE_BY"),
    (156, {"stored_as_scd_type": "bitemporal"}, "BITEMPORAL_REQUIRES_SYSTEM_SEQUENCE_BY"),
    (156, {"system_sequence_by": "k"}, "SYSTEM_SEQUENCE_BY_REQUIRES_BITEMPORAL"),
    (
        156,
        {
            "stored_as_scd_type": "bitemporal",
            "system_sequence_by": "k",
            "columns_to_update": "c",
        },
        "BITEMPORAL_WITH_COLUMNS_TO_UPDATE",
    ),
    (
        156,
        {
            "stored_as_scd_type": "bitemporal",
            "system_sequence_by": "k",
            "apply_as_truncates": "op = 'T'",
        },
        "TRUNCATE_REQUIRES_SCD1",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "condition"),
    [pytest.param(a, c, marks=pytest.mark.dlt(n), id=f"{n}-{c}") for n, a, c in CONFLICTS],
)
def test_arguments_that_exclude_each_other(
    spark: SparkSession, arguments: dict[str, Any], condition: str
) -> None:
    message = refused(**arguments)
    assert condition in message
    assert "hint:" in message


@pytest.mark.dlt(12)
def test_columns_are_named_by_text_or_column(spark: SparkSession) -> None:
    for keys in (["id", "n"], [F.col("id"), "n"], [F.expr("id"), F.col("`n`")]):
        assert declared(keys=keys).keys == ("id", "n")
    assert declared(keys=["`a.b`"]).keys == declared(keys=[F.col("`a.b`")]).keys == ("a.b",)
    assert "MULTIPART" in refused(keys=[F.col("s.id")])
    assert "MULTIPART" in refused(column_list=["id", F.col("s.id")])
    assert "INVALID_ARGUMENT_TYPE" in refused(keys=[F.col("id") + 1])


def test_several_errors_are_reported_together(spark: SparkSession) -> None:
    message = refused(keys=[], stored_as_scd_type=7, colum_list=["a"])
    assert "AUTOCDC_EMPTY_KEYS" in message
    assert "INVALID_SCD_TYPE" in message
    assert "did you mean 'column_list'?" in message


def test_empty_lists_are_no_lists_and_none_is_no_argument(spark: SparkSession) -> None:
    none = dict.fromkeys(
        ("column_list", "except_column_list", "apply_as_deletes", "once", "ignore_null_updates")
    )
    flow = declared(track_history_column_list=[], track_history_except_column_list=[], **none)
    assert str(flow) == str(declared())  # Columns have no equality


def test_an_expression_that_does_not_parse_is_refused_when_it_is_declared(
    spark: SparkSession,
) -> None:
    assert "PARSE_SYNTAX_ERROR" in refused(apply_as_deletes="op = = 'D'")


@pytest.mark.dlt(161)
def test_snapshot_flows_know_source_by_both_names_and_no_bitemporal(spark: SparkSession) -> None:
    def versions(last: int | None) -> None:
        return None

    common: dict[str, Any] = {"target": "t", "keys": ["id"], "where": HERE, "namespace": SPACE}
    assert snapshot_flow(source=versions, **common).source is versions
    assert snapshot_flow(snapshot_and_version=versions, **common).source is versions
    for wrong in ({"source": None}, {"source": "s", "stored_as_scd_type": "bitemporal"}):
        with pytest.raises(DefinitionError):
            snapshot_flow(**common, **wrong)
