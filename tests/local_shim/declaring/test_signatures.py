"""The front door takes what Databricks documents, and says so to editors and `help()`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from pyspark.sql import SparkSession

from local_shim import dlt_api
from local_shim.errors import DefinitionError, ShimError
from local_shim.graph.names import Namespace
from local_shim.graph.registry import Registry, activated

MAIN = Namespace("main", "default")
RULES = "expect_all expect_all_or_drop expect_all_or_fail"
TABLE = (
    "name comment spark_conf table_properties path partition_cols cluster_by cluster_by_auto "
    "schema row_filter"
)
HISTORY = "stored_as_scd_type track_history_column_list track_history_except_column_list once"
CDC = (
    "system_sequence_by where ignore_null_updates ignore_null_updates_column_list "
    "ignore_null_updates_except_column_list columns_to_update apply_as_deletes "
    f"apply_as_truncates column_list except_column_list name flow_name {HISTORY}"
)
# Function: what must be given, what may be given (dlt-semantics 1.2, 1.3).
DOCUMENTED = {
    "table": ("", f"{TABLE} temporary private replace_where replace_using sequence_by format"),
    "materialized_view": ("", f"{TABLE} private refresh_policy format"),
    "create_streaming_table": ("name", f"{TABLE.removeprefix('name ')} {RULES} format"),
    "temporary_view": ("", "name comment spark_conf"),
    "append_flow": ("target", "name once depends_on comment spark_conf"),
    "replace_flow": ("target replace_using sequence_by", "name comment spark_conf"),
    "create_table": ("", f"{TABLE} {RULES} temporary private format"),
    "create_auto_cdc_flow": ("target source keys sequence_by", CDC),
    "create_auto_cdc_from_snapshot_flow": (
        "target",  # the others are checked by hand: source has a second name
        f"source keys snapshot_and_version {HISTORY}",
    ),
    "create_sink": ("name format", "options"),
    "foreach_batch_sink": ("", "name"),
    "on_event_hook": ("", "max_allowable_consecutive_failures"),
    "read": ("name", ""),
    "read_stream": ("name", ""),
    **dict.fromkeys(("expect", "expect_or_drop", "expect_or_fail"), ("name inv", "")),
    **dict.fromkeys(RULES.split(), ("expectations", "")),
}
SAME = {
    "view": "temporary_view",
    "create_view": "view",
    "create_target_table": "create_streaming_table",
    "create_streaming_live_table": "create_streaming_table",
    "apply_changes": "create_auto_cdc_flow",
    "apply_changes_from_snapshot": "create_auto_cdc_from_snapshot_flow",
    "readStream": "read_stream",
}
DECORATED = {"query_function", "function", "user_event_hook_fn"}


def signature(name: str) -> inspect.Signature:
    return inspect.signature(getattr(dlt_api, name))


@pytest.mark.dlt(4)
def test_dlt_offers_the_documented_names_only() -> None:
    assert {*DOCUMENTED, *SAME, "update_flow"} == set(dlt_api.__all__)


def test_update_flow_is_refused_by_name() -> None:
    with pytest.raises(DefinitionError, match="update_flow: it works on Databricks only"):
        dlt_api.update_flow(target="t")


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_signature_is_the_documented_one(name: str) -> None:
    required, optional = (text.split() for text in DOCUMENTED[name])
    parameters = [
        each for each in signature(name).parameters.values() if each.name not in DECORATED
    ]
    assert {each.name for each in parameters if each.default is each.empty} == set(required)
    assert {each.name for each in parameters if each.default is not each.empty} == set(optional)


@pytest.mark.dlt(5, 14)
@pytest.mark.parametrize("name", SAME)
def test_an_old_name_has_the_signature_of_the_new_one(name: str) -> None:
    assert signature(name) == signature(SAME[name])


WRONG: list[tuple[Callable[[], Any], set[str], str]] = [
    (
        lambda: dlt_api.create_streaming_table(coment="typo", cluster_by="id", expect_all=["a"]),  # type: ignore[call-arg,arg-type]
        {"UNKNOWN_ARGUMENT", "MISSING_ARGUMENT", "INVALID_ARGUMENT_TYPE"},
        "did you mean 'comment'?",
    ),
    (
        lambda: dlt_api.create_auto_cdc_flow(target="t", key=["id"], stored_as_scd_type=3),  # type: ignore[call-arg]
        {
            "UNKNOWN_ARGUMENT",
            "AUTOCDC_MISSING_SOURCE",
            "AUTOCDC_EMPTY_KEYS",
            "AUTOCDC_MISSING_SEQUENCE_BY",
            "INVALID_SCD_TYPE",
        },
        "did you mean 'keys'?",
    ),
    (lambda: dlt_api.append_flow(name="f"), {"MISSING_ARGUMENT"}, 'target="…"'),  # type: ignore[call-arg]
    (lambda: dlt_api.view("v", "w"), {"WRONG_ARGUMENTS"}, "too many positional"),  # type: ignore[call-arg,arg-type]
    (lambda: dlt_api.create_sink("s", "delta"), {"INVALID_SINK_OPTIONS"}, "tableName"),
    (lambda: dlt_api.expect("known"), {"MISSING_ARGUMENT"}, "the rule is missing"),  # type: ignore[call-arg]
    (
        lambda: dlt_api.append_flow(target="t", import_checkpoint="/c"),  # type: ignore[call-arg]
        {"NOT_SUPPORTED_LOCALLY"},
        "works on Databricks only",
    ),
]


@pytest.mark.parametrize(("call", "conditions", "message"), WRONG, ids=[each[2] for each in WRONG])
def test_all_errors_of_a_call_are_reported_at_its_line(
    spark: SparkSession,  # sequences are Columns, and Columns live in the JVM
    call: Callable[[], Any],
    conditions: set[str],
    message: str,
) -> None:
    with activated(Registry(MAIN)), pytest.raises(ShimError) as caught:
        call()
    errors: Any = getattr(caught.value, "errors", (caught.value,))
    assert {each.condition for each in errors} == conditions
    assert message in str(caught.value)
    assert {each.where.file for each in errors} == {__file__}


def test_a_function_may_be_the_query_of_several_datasets_with_rules_of_their_own() -> None:
    def query() -> None: ...

    with activated(Registry(MAIN)) as registry:
        for name in ("a", "b"):
            dlt_api.table(name=name)(dlt_api.expect(f"rule of {name}", "id > 0")(query))
    rules = [[rule.name for rule in each.expectations] for each in registry.datasets.values()]
    assert rules == [["rule of a"], ["rule of b"]]


def test_a_query_without_a_name_needs_one() -> None:
    with activated(Registry(MAIN)), pytest.raises(DefinitionError, match="give it name="):
        dlt_api.table(lambda: None)
