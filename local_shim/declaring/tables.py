"""Declarations of datasets, with the signatures that Databricks documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import Column

from local_shim.declaring.arguments import arguments_checked
from local_shim.declaring.datasets import (
    DatasetOptions,
    Names,
    Query,
    RuleDicts,
    Schema,
    Texts,
    declared_by_query,
    declared_empty,
)
from local_shim.declaring.expectations import Rules
from local_shim.declaring.replacing import replacement
from local_shim.graph.elements import DatasetKind
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
    replace_where: str | Column | None = None,
    replace_using: Sequence[str | Column] | None = None,
    sequence_by: str | Column | None = None,
    format: str | None = None,
) -> Any:
    """A streaming table if its query streams, else a materialized view.

    With `replace_where` it is a streaming table whose batch query replaces the rows that match
    the predicate; with `replace_using` and `sequence_by`, one in which the newest rows of each
    key replace all rows of the key. `path`, `cluster_by_auto` and `format` have no effect here,
    and neither has `row_filter`, of which a warning says so.
    """
    replacing = replacement("table", replace_where, replace_using, sequence_by)
    kind = DatasetKind.STREAMING_TABLE if replacing else DatasetKind.TABLE
    hidden = private or temporary
    options = DatasetOptions(
        comment, table_properties, partition_cols, cluster_by, schema, hidden, row_filter
    )
    return declared_by_query("table", kind, query_function, name, options, spark_conf, replacing)


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
    rules = RuleDicts(expect_all, expect_all_or_drop, expect_all_or_fail)
    declared_empty("create_streaming_table", DatasetKind.STREAMING_TABLE, name, options, rules)


@arguments_checked
def create_table(
    query_function: Query | str | None = None,
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
    expect_all: Rules | None = None,
    expect_all_or_drop: Rules | None = None,
    expect_all_or_fail: Rules | None = None,
    row_filter: str | None = None,
    temporary: bool = False,
    private: bool = False,
    format: str | None = None,
) -> Any:
    """An empty managed table that append flows fill; as a decorator, the old name of `table`.

    [choice] A call with `name` declares the managed table, which its use as a decorator undoes.
    """
    hidden = private or temporary
    options = DatasetOptions(
        comment, table_properties, partition_cols, cluster_by, schema, hidden, row_filter
    )
    rules = RuleDicts(expect_all, expect_all_or_drop, expect_all_or_fail)
    table_name = query_function if isinstance(query_function, str) else name
    managed = None
    if table_name is not None and not callable(query_function):
        managed = declared_empty(
            "create_table", DatasetKind.MANAGED_TABLE, table_name, options, rules
        )

    def decorate(query: Any) -> Any:
        registry = active_registry()
        if managed is not None:
            registry.withdraw_dataset(managed)
        registry.deprecated("PYTHON_CREATE_TABLE")
        return declared_by_query(
            "create_table", DatasetKind.TABLE, query, name, options, spark_conf
        )

    return decorate(query_function) if callable(query_function) else decorate
