"""What `import dlt` and `from pyspark import pipelines as dp` mean on this machine.

Every function here validates its arguments and registers; none reads, writes or analyses data.
One module serves both front doors: where they use one name for two things (`create_table`),
the call itself tells which is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql.types import StructType

from local_shim.errors import DefinitionError, close_match
from local_shim.graph import cdc_arguments
from local_shim.graph.elements import (
    Action,
    Dataset,
    DatasetKind,
    Expectation,
    QueryFlow,
    SourceLocation,
)
from local_shim.graph.registry import active_registry, declared_here
from local_shim.reading.doors import session

Query = Callable[[], DataFrame]
Schema = StructType | str

_EXPECTATIONS = "_dlt_expectations"


class Declared:
    """What a decorated function becomes: a marker that further decorators can add rules to."""

    def __init__(self, function: Query, dataset: Dataset | None = None):
        self.function = function
        self.dataset = dataset
        self.__name__ = getattr(function, "__name__", "query")
        self.__doc__ = function.__doc__


# --- datasets ---------------------------------------------------------------------------------


def table(function: Query | None = None, /, **options: Any) -> Any:
    """A streaming table if its query streams, else a materialized view."""
    return _decorator(DatasetKind.TABLE, function, options)


def materialized_view(function: Query | None = None, /, **options: Any) -> Any:
    """A table that equals its batch query after every update."""
    return _decorator(DatasetKind.MATERIALIZED_VIEW, function, options)


def view(function: Query | None = None, /, **options: Any) -> Any:
    """A named query of this pipeline, computed when read, neither stored nor published."""
    return _decorator(DatasetKind.VIEW, function, options)


temporary_view = view


def create_streaming_table(name: str, **options: Any) -> None:
    """An empty streaming table that flows fill."""
    where = declared_here()
    dataset = _dataset(DatasetKind.STREAMING_TABLE, name, options, where)
    dataset = replace(dataset, expectations=_rules_from_dicts(options))
    active_registry().add_dataset(dataset)
    _check_rule_names(dataset)


def create_sink(name: str, format: str, options: Mapping[str, str] | None = None) -> None:
    """A place outside the pipeline that append flows write to."""
    registry, where = active_registry(), declared_here()
    registry.add_dataset(
        Dataset(
            registry.namespace.qualify(name),
            DatasetKind.SINK,
            where,
            sink_format=format,
            sink_options=dict(options or {}),
        )
    )


def create_target_table(name: str, **options: Any) -> None:
    """Old name of `create_streaming_table`."""
    active_registry().deprecated("PYTHON_CREATE_TARGET_TABLE")
    create_streaming_table(name, **options)


def create_streaming_live_table(name: str, **options: Any) -> None:
    """Old name of `create_streaming_table`."""
    active_registry().deprecated("PYTHON_CREATE_STREAMING_LIVE_TABLE")
    create_streaming_table(name, **options)


def create_view(function: Query | None = None, /, **options: Any) -> Any:
    """Old name of `view`."""
    active_registry().deprecated("PYTHON_CREATE_VIEW")
    return view(function, **options)


def create_table(function: Query | None = None, /, **options: Any) -> Any:
    """Old name of `table`."""
    active_registry().deprecated("PYTHON_CREATE_TABLE")
    return table(function, **options)


# --- flows ------------------------------------------------------------------------------------


def append_flow(function: Query | None = None, /, **options: Any) -> Any:
    """A query whose rows are added to an existing streaming table or sink."""
    where = declared_here()
    _check_options("append_flow", options, _APPEND_FLOW, where)
    _check_function(function, "append_flow", where)
    if "target" not in options:
        raise DefinitionError(
            "MISSING_ARGUMENT", "append_flow needs target=.", where=where, hint="target='table'"
        )

    def register(function: Query) -> Query:
        registry = active_registry()
        query = _function_of(function)
        name = options.get("name") or query.__name__
        registry.add_flow(
            QueryFlow(
                str(registry.namespace.qualify(name)),
                registry.namespace.qualify(options["target"]),
                query,
                where,
                once=bool(options.get("once", False)),
                spark_conf=_texts(options.get("spark_conf")),
                comment=options.get("comment"),
                default=False,
            )
        )
        return function

    return register if function is None else register(function)


_AUTO_CDC_OTHERS = (frozenset(cdc_arguments.OPTIONAL) - {"prune_where"}) | {"where"}


def create_auto_cdc_flow(
    target: str | None = None,
    source: str | None = None,
    keys: Sequence[str | Column] | None = None,
    sequence_by: str | Column | None = None,
    **others: Any,
) -> None:
    """Keeps `target` equal to the fold of the change events in `source` (AUTO CDC)."""
    where = declared_here()
    _check_options("create_auto_cdc_flow", others, _AUTO_CDC_OTHERS, where)
    others["prune_where"] = others.pop("where", None)
    registry = active_registry()
    registry.add_flow(
        cdc_arguments.auto_cdc_flow(
            target=target,
            source=source,
            keys=keys,
            sequence_by=sequence_by,
            where=where,
            namespace=registry.namespace,
            **others,
        )
    )


apply_changes = create_auto_cdc_flow


def create_auto_cdc_from_snapshot_flow(
    target: str | None = None,
    source: str | Callable[[Any], Any] | None = None,
    keys: Sequence[str | Column] | None = None,
    **others: Any,
) -> None:
    """Keeps `target` equal to, or the history of, the snapshots in `source`."""
    where = declared_here()
    _check_options("create_auto_cdc_from_snapshot_flow", others, _SNAPSHOT_OTHERS, where)
    registry = active_registry()
    registry.add_flow(
        cdc_arguments.snapshot_flow(
            target=target,
            source=source,
            keys=keys,
            where=where,
            namespace=registry.namespace,
            **others,
        )
    )


apply_changes_from_snapshot = create_auto_cdc_from_snapshot_flow

_SNAPSHOT_OTHERS = frozenset(
    [
        "snapshot_and_version",
        "stored_as_scd_type",
        "track_history_column_list",
        "track_history_except_column_list",
        "once",
    ]
)

# --- expectations -----------------------------------------------------------------------------


def expect(name: str, inv: str | Column) -> Callable[[Any], Any]:
    """Counts the rows for which the rule is not true, and keeps them."""
    return _expecting({name: inv}, Action.WARN)


def expect_or_drop(name: str, inv: str | Column) -> Callable[[Any], Any]:
    """Counts the rows for which the rule is not true, and leaves them out."""
    return _expecting({name: inv}, Action.DROP)


def expect_or_fail(name: str, inv: str | Column) -> Callable[[Any], Any]:
    """Fails the flow, and writes nothing, if the rule is not true for a row."""
    return _expecting({name: inv}, Action.FAIL)


def expect_all(expectations: Mapping[str, str | Column]) -> Callable[[Any], Any]:
    """`expect` for each name and rule."""
    return _expecting(expectations, Action.WARN)


def expect_all_or_drop(expectations: Mapping[str, str | Column]) -> Callable[[Any], Any]:
    """`expect_or_drop` for each name and rule."""
    return _expecting(expectations, Action.DROP)


def expect_all_or_fail(expectations: Mapping[str, str | Column]) -> Callable[[Any], Any]:
    """`expect_or_fail` for each name and rule."""
    return _expecting(expectations, Action.FAIL)


# --- reading ----------------------------------------------------------------------------------


def read(name: str) -> DataFrame:
    """All rows of a dataset (older spelling of `spark.read.table`)."""
    return session().read.table(name)


def read_stream(name: str) -> DataFrame:
    """The new rows of a dataset (older spelling of `spark.readStream.table`)."""
    return session().readStream.table(name)


readStream = read_stream


def on_event_hook(
    function: Callable[[dict[str, Any]], None] | None = None,
    /,
    max_allowable_consecutive_failures: int | None = None,
) -> Any:
    """Calls the function with every stable event of the update, as a dict."""

    def register(hook: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
        active_registry().hooks.append((hook, max_allowable_consecutive_failures))
        return hook

    return register if function is None else register(function)


# --- how a declaration is made ----------------------------------------------------------------

_TABLE_OPTIONS = frozenset(
    [
        "name",
        "comment",
        "spark_conf",
        "table_properties",
        "path",
        "partition_cols",
        "cluster_by",
        "cluster_by_auto",
        "schema",
        "row_filter",
        "temporary",
        "private",
        "refresh_policy",
        "format",
    ]
)
_OPTIONS = {
    DatasetKind.TABLE: _TABLE_OPTIONS,
    DatasetKind.MATERIALIZED_VIEW: _TABLE_OPTIONS - {"temporary"},
    DatasetKind.VIEW: frozenset({"name", "comment", "spark_conf"}),
    DatasetKind.STREAMING_TABLE: (_TABLE_OPTIONS - {"temporary", "refresh_policy"})
    | {"expect_all", "expect_all_or_drop", "expect_all_or_fail"},
}
_APPEND_FLOW = frozenset({"target", "name", "once", "comment", "spark_conf"})


def _decorator(kind: DatasetKind, function: Any, options: dict[str, Any]) -> Any:
    where = declared_here()
    _check_function(function, kind.value.lower(), where)

    def register(function: Any) -> Declared:
        registry = active_registry()
        query = _function_of(function)
        dataset = _dataset(kind, options.get("name") or query.__name__, options, where)
        dataset = replace(dataset, expectations=getattr(function, _EXPECTATIONS, ()))
        registry.add_dataset(dataset)
        registry.add_flow(
            QueryFlow(
                str(dataset.name),
                dataset.name,
                query,
                where,
                spark_conf=_texts(options.get("spark_conf")),
                comment=options.get("comment"),
            )
        )
        _check_rule_names(dataset)
        return Declared(query, dataset)

    return register if function is None else register(function)


def _check_function(function: Any, what: str, where: SourceLocation) -> None:
    if function is not None and not callable(function) and not isinstance(function, Declared):
        raise DefinitionError(
            "DECORATOR_ARGUMENT_NOT_CALLABLE",
            f"the first positional argument of @{what} must be a function, "
            f"not {type(function).__name__}.",
            where=where,
            hint=f"use keyword arguments: @{what}(name=…)",
        )


def _function_of(function: Any) -> Any:
    return function.function if isinstance(function, Declared) else function


def _dataset(
    kind: DatasetKind, name: str, options: Mapping[str, Any], where: SourceLocation
) -> Dataset:
    _check_options(kind.value.lower(), options, _OPTIONS[kind], where)
    if options.get("cluster_by") and options.get("partition_cols"):
        raise DefinitionError(
            "SPECIFY_CLUSTER_BY_WITH_PARTITIONED_BY_IS_NOT_ALLOWED",
            f"'{name}' has both cluster_by and partition_cols.",
            where=where,
            hint="liquid clustering replaces partitions; keep cluster_by",
        )
    return Dataset(
        active_registry().namespace.qualify(name),
        kind,
        where,
        comment=options.get("comment"),
        schema=options.get("schema"),
        table_properties=_texts(options.get("table_properties")),
        partition_cols=tuple(options.get("partition_cols") or ()),
        cluster_by=tuple(options.get("cluster_by") or ()),
        private=bool(options.get("private") or options.get("temporary")),
    )


def _check_options(
    what: str, options: Mapping[str, Any], known: frozenset[str], where: SourceLocation
) -> None:
    unknown = [option for option in options if option not in known]
    if unknown:
        raise DefinitionError(
            "UNKNOWN_ARGUMENT",
            f"{what} does not take {', '.join(unknown)}.",
            where=where,
            hint=close_match(unknown[0], known),
        )


def _texts(pairs: Mapping[str, Any] | None) -> dict[str, str]:
    def text(value: Any) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)

    return {str(key): text(value) for key, value in (pairs or {}).items()}


def _expecting(rules: Mapping[str, str | Column], action: Action) -> Callable[[Any], Any]:
    where = declared_here()
    new = tuple(Expectation(name, rule, action) for name, rule in rules.items())

    def attach(function: Any) -> Any:
        if isinstance(function, Declared):  # the rule stands above the dataset decorator
            _add_rules(function, new)
            return function
        if not callable(function):
            raise DefinitionError(
                "EXPECTATION_ON_NO_DATASET",
                "an expectation must decorate a dataset function.",
                where=where,
                hint="put it below @dlt.table or @dlt.view",
            )
        setattr(function, _EXPECTATIONS, new + getattr(function, _EXPECTATIONS, ()))
        return function

    return attach


def _add_rules(declared: Declared, rules: tuple[Expectation, ...]) -> None:
    if declared.dataset is None:
        return
    registry = active_registry()
    dataset = registry.datasets[declared.dataset.name]
    dataset = replace(dataset, expectations=rules + dataset.expectations)
    registry.replace_dataset(dataset)
    _check_rule_names(dataset)


def _rules_from_dicts(options: Mapping[str, Any]) -> tuple[Expectation, ...]:
    return tuple(
        Expectation(name, rule, action)
        for option, action in (
            ("expect_all", Action.WARN),
            ("expect_all_or_drop", Action.DROP),
            ("expect_all_or_fail", Action.FAIL),
        )
        for name, rule in (options.get(option) or {}).items()
    )


def _check_rule_names(dataset: Dataset) -> None:
    names = [rule.name for rule in dataset.expectations]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DefinitionError(
            "DUPLICATE_EXPECTATION",
            f"'{dataset.name}' has more than one expectation named {', '.join(twice)}.",
            where=dataset.where,
            hint="names of expectations are unique within a dataset",
        )
