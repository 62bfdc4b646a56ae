"""Declarations of datasets, with the signatures that Databricks documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local_shim.declaring.arguments import arguments_checked, missing_texts, wrong_kinds
from local_shim.declaring.datasets import (
    DatasetOptions,
    Names,
    Query,
    Schema,
    Texts,
    declared_by_query,
)
from local_shim.declaring.expectations import Rules, check_names, rules_in
from local_shim.errors import raise_all
from local_shim.graph.elements import Action, DatasetKind
from local_shim.graph.registry import active_registry


@arguments_checked
def table(
    query_function: Query | None = None,
    *,
    name: str | None = None,
    comment: str | None = None,
    spark_conf: Texts | None = None,
    table_properties: Texts | None = None,
    path: str | None = None,
    partition_cols: Names | None = None,
    cluster_by: Names | None = None,
    cluster_by_auto: bool = False,
    schema: Schema | None = None,
    row_filter: str | None = None,
    temporary: bool = False,
    private: bool = False,
    format: str | None = None,
) -> Any:
    """A streaming table if its query streams, else a materialized view.

    `path`, `cluster_by_auto` and `format` have no effect here, and neither has `row_filter`,
    of which a warning says so.
    """
    hidden = private or temporary
    options = DatasetOptions(
        comment, table_properties, partition_cols, cluster_by, schema, hidden, row_filter
    )
    return declared_by_query("table", DatasetKind.TABLE, query_function, name, options, spark_conf)


@arguments_checked
def materialized_view(
    query_function: Query | None = None,
    *,
    name: str | None = None,
    comment: str | None = None,
    spark_conf: Texts | None = None,
    table_properties: Texts | None = None,
    path: str | None = None,
    partition_cols: Names | None = None,
    cluster_by: Names | None = None,
    cluster_by_auto: bool = False,
    schema: Schema | None = None,
    row_filter: str | None = None,
    private: bool = False,
    refresh_policy: str = "auto",
    format: str | None = None,
) -> Any:
    """A table that equals its batch query after every update.

    It is recomputed whatever `refresh_policy` says; see `table` for what else has no effect.
    """
    options = DatasetOptions(
        comment, table_properties, partition_cols, cluster_by, schema, private, row_filter
    )
    kind = DatasetKind.MATERIALIZED_VIEW
    return declared_by_query("materialized_view", kind, query_function, name, options, spark_conf)


@arguments_checked
def view(
    query_function: Query | None = None,
    *,
    name: str | None = None,
    comment: str | None = None,
    spark_conf: Texts | None = None,
) -> Any:
    """A named query of this pipeline, computed when read, neither stored nor published."""
    options = DatasetOptions(comment)
    return declared_by_query("view", DatasetKind.VIEW, query_function, name, options, spark_conf)


@arguments_checked
def create_streaming_table(
    name: str,
    *,
    comment: str | None = None,
    spark_conf: Texts | None = None,
    table_properties: Texts | None = None,
    path: str | None = None,
    partition_cols: Names | None = None,
    cluster_by: Names | None = None,
    cluster_by_auto: bool = False,
    schema: Schema | None = None,
    expect_all: Rules | None = None,
    expect_all_or_drop: Rules | None = None,
    expect_all_or_fail: Rules | None = None,
    row_filter: str | None = None,
    format: str | None = None,
) -> None:
    """An empty streaming table that flows fill; see `table` for arguments without effect."""
    options = DatasetOptions(
        comment, table_properties, partition_cols, cluster_by, schema, row_filter=row_filter
    )
    rules = {"expect_all": expect_all, "expect_all_or_drop": expect_all_or_drop}
    rules["expect_all_or_fail"] = expect_all_or_fail
    raise_all(
        [
            *missing_texts("create_streaming_table", name=name),
            *options.faults("create_streaming_table"),
            *wrong_kinds("create_streaming_table", Mapping, **rules),
        ]
    )
    dataset = replace(
        options.dataset(DatasetKind.STREAMING_TABLE, name),
        expectations=(
            *rules_in(expect_all, Action.WARN),
            *rules_in(expect_all_or_drop, Action.DROP),
            *rules_in(expect_all_or_fail, Action.FAIL),
        ),
    )
    active_registry().add_dataset(dataset)
    check_names(dataset)
