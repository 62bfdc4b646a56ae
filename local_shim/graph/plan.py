"""What one update will do: which flows run, which do not, and what is reset before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from pyspark.sql import functions as F

from local_shim.errors import UsageError, close_match
from local_shim.graph.elements import Dataset, DatasetKind, QueryFlow, ReplaceWhere
from local_shim.graph.graph import Graph, ResolvedFlow
from local_shim.graph.names import Namespace, TableName, parts
from local_shim.pipeline_spec.pipeline_settings import RESET_ALLOWED


@dataclass(frozen=True)
class RefreshSelection:
    """The tables and flows to refresh, fully or not; if empty, everything is refreshed.

    Tables are also selected by the files that declare them.
    """

    refresh: tuple[str, ...] = ()
    full_refresh: tuple[str, ...] = ()
    full_refresh_all: bool = False
    reset_checkpoints: tuple[str, ...] = ()
    replace_where_overrides: Mapping[str, str] = field(default_factory=dict)  # flow → predicate
    refresh_paths: tuple[str, ...] = ()
    full_refresh_paths: tuple[str, ...] = ()

    def start_parameters(self) -> dict[str, object]:
        """The selection with the field names of Databricks' `StartUpdate`."""
        return {
            "full_refresh": self.full_refresh_all,
            "refresh_selection": list(self.refresh),
            "refresh_selection_by_path": list(self.refresh_paths),
            "full_refresh_selection": list(self.full_refresh),
            "full_refresh_selection_by_path": list(self.full_refresh_paths),
            "reset_checkpoint_selection": list(self.reset_checkpoints),
            "replace_where_overrides": [
                {"flow_name": flow, "predicate_override": predicate}
                for flow, predicate in self.replace_where_overrides.items()
            ],
        }


class EffectKind(Enum):
    """What an update would do to a stored table."""

    CREATED = "created"
    RECOMPUTED = "computed again"
    EMPTIED = "emptied"
    READ_AGAIN = "read again"
    FULL_REFRESH_NEEDED = "full refresh needed"
    UNCHANGED = "left alone"


@dataclass(frozen=True)
class TableEffect:
    """One thing that an update would do to a stored table, and why."""

    table: TableName
    kind: EffectKind
    reason: str = ""


@dataclass(frozen=True)
class Plan:
    """Flows in the order they may run, and what is reset before the first of them."""

    graph: Graph
    flows: tuple[ResolvedFlow, ...]
    excluded: tuple[ResolvedFlow, ...]
    reset_tables: tuple[Dataset, ...]
    reset_checkpoints: tuple[ResolvedFlow, ...]
    recomputed_views: frozenset[TableName] = frozenset()  # materialized views of a full refresh
    warnings: tuple[str, ...] = ()
    effects: tuple[TableEffect, ...] = ()  # on stored tables; known for an update that is not run

    def tables(self) -> tuple[Dataset, ...]:
        """The stored datasets that the selected flows write to."""
        targets = {flow.target for flow in self.flows}
        return tuple(dataset for dataset in self.graph.tables() if dataset.name in targets)


def make_plan(graph: Graph, selection: RefreshSelection, namespace: Namespace) -> Plan:
    """The plan of an update; raises UsageError for names that select nothing."""
    if selection.full_refresh_all and (selection.refresh or selection.full_refresh):
        raise UsageError(
            "SELECTION_CONFLICT",
            "--full-refresh-all takes everything; it excludes --refresh and --full-refresh.",
        )
    refresh = _tables(graph, selection.refresh, namespace)
    refresh |= _tables_of_files(graph, selection.refresh_paths)
    full = _tables(graph, selection.full_refresh, namespace)
    full |= _tables_of_files(graph, selection.full_refresh_paths)
    doubled = refresh & full
    if doubled:
        raise UsageError(
            "SELECTION_CONFLICT",
            f"{', '.join(sorted(map(str, doubled)))} is in --refresh and in --full-refresh.",
        )
    checkpoints = _flows(graph, selection.reset_checkpoints)
    graph = _with_overrides(graph, selection.replace_where_overrides)
    selected_tables = refresh | full | {flow.target for flow in checkpoints}
    resets, warnings = _resets(graph, full, selection.full_refresh_all)
    ordered = graph.ordered()
    views = {each.name for each in graph.tables() if each.kind is DatasetKind.MATERIALIZED_VIEW}
    return Plan(
        graph,
        tuple(flow for flow in ordered if not selected_tables or flow.target in selected_tables),
        tuple(flow for flow in ordered if selected_tables and flow.target not in selected_tables),
        resets,
        checkpoints,
        frozenset(views if selection.full_refresh_all else views & full),
        warnings,
    )


def _tables(graph: Graph, names: Iterable[str], namespace: Namespace) -> set[TableName]:
    tables = set()
    for name in names:
        full = namespace.qualify(name)
        dataset = graph.datasets.get(full)
        if dataset is None or dataset.kind is DatasetKind.VIEW:
            full_names = [str(each.name) for each in graph.tables()]
            short = [each.name.table for each in graph.tables()]
            raise UsageError(
                "SELECTED_TABLE_NOT_FOUND",
                f"'{name}' is no table of this pipeline.",
                hint=close_match(name, full_names if "." in name else short),
            )
        tables.add(full)
    return tables


def _tables_of_files(graph: Graph, paths: Iterable[str]) -> set[TableName]:
    """The tables that are declared in these files; a file without one is an error."""
    tables_by_file: dict[str, set[TableName]] = {}
    for dataset in graph.tables():
        tables_by_file.setdefault(dataset.where.file, set()).add(dataset.name)
    for path in paths:
        if path not in tables_by_file:
            raise UsageError(
                "SELECTED_FILE_NOT_FOUND",
                f"'{path}' is no file of this pipeline that declares a table.",
                hint=close_match(path, tables_by_file),
            )
    return set().union(*(tables_by_file[path] for path in paths))


def _flows(graph: Graph, names: Iterable[str]) -> tuple[ResolvedFlow, ...]:
    by_name = {flow.name: flow for flow in graph.running()}
    flows = []
    for name in names:
        full = ".".join(part.lower() for part in parts(name))
        if full not in by_name:
            raise UsageError(
                "ILLEGAL_FLOW_NAME",
                f"'{name}' is not the fully qualified name of a flow.",
                hint=close_match(name, by_name),
            )
        flows.append(by_name[full])
    return tuple(flows)


def _with_overrides(graph: Graph, predicates: Mapping[str, str]) -> Graph:
    """The graph in which REPLACE WHERE flows have these predicates instead of their own."""
    overrides = {flow.name: text for flow, text in _replacing(graph, predicates)}
    flows = tuple(
        replace(flow, flow=replace(flow.flow, replace=ReplaceWhere(F.expr(overrides[flow.name]))))
        if flow.name in overrides and isinstance(flow.flow, QueryFlow)
        else flow
        for flow in graph.flows
    )
    return replace(graph, flows=flows)


def _replacing(graph: Graph, predicates: Mapping[str, str]) -> Iterator[tuple[ResolvedFlow, str]]:
    for flow, text in zip(_flows(graph, predicates), predicates.values(), strict=True):
        if not isinstance(flow.flow, QueryFlow) or not isinstance(flow.flow.replace, ReplaceWhere):
            raise UsageError(
                "REPLACE_WHERE_OVERRIDE_NOT_ALLOWED",
                f"'{flow.name}' is no REPLACE WHERE flow; its rows cannot be limited.",
                where=flow.where,
                hint="name flows that were declared with replace_where",
            )
        yield flow, text


def _resets(
    graph: Graph, full: set[TableName], everything: bool
) -> tuple[tuple[Dataset, ...], tuple[str, ...]]:
    streaming = [
        each
        for each in graph.datasets.values()
        if each.kind.keeps_rows or each.kind is DatasetKind.SINK  # a sink's rows stay there
    ]
    protected = [each for each in streaming if not RESET_ALLOWED.read(each.table_properties)]
    refused = [each for each in protected if each.name in full]
    if refused:
        raise UsageError(
            "RESET_NOT_ALLOWED",
            f"'{refused[0].name}' has {RESET_ALLOWED.key}=false; it cannot be fully refreshed.",
            where=refused[0].where,
            hint="take it out of --full-refresh, or allow the reset in its table_properties",
        )
    requested = streaming if everything else [each for each in streaming if each.name in full]
    warnings = tuple(
        f"'{each.name}' is not reset: {RESET_ALLOWED.key}=false."
        for each in protected
        if everything
    )
    return tuple(each for each in requested if each not in protected), warnings
