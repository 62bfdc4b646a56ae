"""From the arguments of a declaration to a dataset, and to the flow of its query."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql.types import StructType

from local_shim.declaring.arguments import fault, missing_texts, wrong_kinds
from local_shim.declaring.expectations import Declared, Rules, check_names, rules_in, rules_on
from local_shim.declaring.schema_text import declared_schema
from local_shim.errors import ShimError, raise_all
from local_shim.graph.declared_at import declared_here
from local_shim.graph.elements import (
    Action,
    Dataset,
    DatasetKind,
    Expectation,
    QueryFlow,
    ReplaceUsing,
    ReplaceWhere,
)
from local_shim.graph.registry import active_registry

Query = Callable[..., Any]
Schema = StructType | str
Texts = Mapping[str, Any]
Names = Sequence[str]


@dataclass(frozen=True)
class DatasetOptions:
    """The arguments that the declarations of all kinds of datasets share."""

    comment: str | None = None
    table_properties: Texts | None = None
    partition_cols: Names | None = None
    cluster_by: Names | None = None
    schema: Schema | None = None
    private: bool = False
    row_filter: str | None = None

    def faults(self, function: str) -> Iterator[ShimError]:
        """What is wrong with them in a call of `function`."""
        yield from wrong_kinds(function, Mapping, table_properties=self.table_properties)
        yield from wrong_kinds(
            function, Sequence, partition_cols=self.partition_cols, cluster_by=self.cluster_by
        )
        if self.cluster_by and self.partition_cols:
            yield fault(
                function,
                "SPECIFY_CLUSTER_BY_WITH_PARTITIONED_BY_IS_NOT_ALLOWED",
                "cluster_by and partition_cols exclude each other.",
                "liquid clustering replaces partitions; keep cluster_by",
            )

    def dataset(self, kind: DatasetKind, name: str) -> Dataset:
        """The dataset that they describe.

        [choice] A row filter is a function of Unity Catalog: it is not applied, with a warning.
        """
        if self.row_filter:
            active_registry().warn(f"row_filter of '{name}' is not applied: all rows can be read")
        return Dataset(
            active_registry().namespace.qualify(name),
            kind,
            declared_here(),
            comment=self.comment,
            schema=declared_schema(str(name), self.schema),
            table_properties=texts(self.table_properties),
            partition_cols=tuple(self.partition_cols or ()),
            cluster_by=tuple(self.cluster_by or ()),
            private=self.private,
        )


def declared_by_query(
    function: str,
    kind: DatasetKind,
    query: Any,
    name: str | None,
    options: DatasetOptions,
    spark_conf: Texts | None,
    replacing: ReplaceWhere | ReplaceUsing | None = None,
) -> Any:
    """The declaration that `@function` gives, or the decorator that `@function(…)` gives."""
    raise_all([*options.faults(function), *wrong_kinds(function, Mapping, spark_conf=spark_conf)])

    def declare(query: Any) -> Declared:
        registry = active_registry()
        query = query_of(function, query)
        dataset = replace(
            options.dataset(kind, name or own_name(function, query)), expectations=rules_on(query)
        )
        registry.add_dataset(dataset)
        registry.add_flow(
            QueryFlow(
                str(dataset.name),
                dataset.name,
                query,
                dataset.where,
                spark_conf=texts(spark_conf),
                comment=options.comment,
                replace=replacing,
            )
        )
        check_names(dataset)
        return Declared(query, dataset)

    return declare if query is None else declare(query)


@dataclass(frozen=True)
class RuleDicts:
    """The arguments `expect_all`, `expect_all_or_drop` and `expect_all_or_fail` of one call."""

    expect_all: Rules | None = None
    expect_all_or_drop: Rules | None = None
    expect_all_or_fail: Rules | None = None

    def expectations(self) -> tuple[Expectation, ...]:
        """The rules, each with its action."""
        return (
            *rules_in(self.expect_all, Action.WARN),
            *rules_in(self.expect_all_or_drop, Action.DROP),
            *rules_in(self.expect_all_or_fail, Action.FAIL),
        )


def declared_empty(
    function: str, kind: DatasetKind, name: str, options: DatasetOptions, rules: RuleDicts
) -> Dataset:
    """Declares an empty table that flows fill."""
    raise_all(
        [
            *missing_texts(function, name=name),
            *options.faults(function),
            *wrong_kinds(function, Mapping, **vars(rules)),
        ]
    )
    dataset = replace(options.dataset(kind, name), expectations=rules.expectations())
    active_registry().add_dataset(dataset)
    check_names(dataset)
    return dataset


def query_of(function: str, query: Any) -> Any:
    """The function that was decorated, below whatever else decorates it."""
    if isinstance(query, Declared):
        return query.query
    if callable(query):
        return query
    raise fault(
        function,
        "DECORATOR_ARGUMENT_NOT_CALLABLE",
        f"its positional argument must be a function, not {query!r}.",
        f"use keyword arguments: @{function}(name=…)",
    )


def own_name(function: str, query: Any) -> str:
    """The name that a query gives its dataset or flow when the call names none."""
    name = getattr(query, "__name__", "")
    if not name.isidentifier():  # a lambda, or a functools.partial
        raise fault(function, "MISSING_ARGUMENT", "its query has no name.", "give it name=")
    return str(name)


def texts(pairs: Texts | None) -> dict[str, str]:
    """Properties and settings as Spark takes them: all text."""

    def text(value: Any) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)

    return {str(key): text(value) for key, value in (pairs or {}).items()}
