"""A resolved pipeline: what each flow reads and writes, and in which order flows can run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from graphlib import TopologicalSorter
from itertools import chain

from pyspark.sql.types import StructType

from local_shim.graph.elements import (
    AutoCdcFlow,
    Dataset,
    DatasetKind,
    Flow,
    QueryFlow,
    ReplaceWhere,
    SnapshotFlow,
    SourceLocation,
)
from local_shim.graph.names import TableName
from local_shim.graph.table_columns import as_read, merged

Lineage = Mapping[str, Sequence[str]]  # by column, the columns it comes from, each with its dataset


@dataclass(frozen=True)
class Input:
    """One read of a flow: of a dataset of the pipeline, or of another table of the storage."""

    name: TableName
    streaming: bool
    external: bool = False


class Scope(Enum):
    """What the result of a flow's analysis depends on besides code and configuration."""

    DATASETS = "the columns of datasets"
    OUTSIDE = "files, or tables that the pipeline does not declare"
    SESSION = "the Spark session: a name that its catalog has, or a setting that a query makes"


@dataclass(frozen=True)
class ResolvedFlow:
    """A flow with the result of its analysis."""

    flow: Flow
    inputs: tuple[Input, ...]
    schema: StructType
    streaming: bool
    digest: str = ""  # of a batch query with its rules, as `plan_digest` gives it
    follows_code: bool = False  # code that the plan does not show decides the rows, too
    complete: bool = False  # its own query aggregates a stream without a watermark
    scope: Scope = Scope.OUTSIDE
    paths: tuple[str, ...] = ()  # files and folders that its query reads, as it names them
    lineage: Callable[[], Lineage] = field(default=dict, compare=False)  # read from the plan
    explain_text: Callable[[], str | None] = field(default=lambda: None, compare=False)  # also

    @property
    def name(self) -> str:
        """The flow's full name, which is also its checkpoint's identity."""
        return self.flow.name

    @property
    def target(self) -> TableName:
        """The dataset that the flow writes to."""
        return self.flow.target

    @property
    def where(self) -> SourceLocation:
        """Where the flow was declared."""
        return self.flow.where

    @property
    def once(self) -> bool:
        """Whether the flow runs in the first update only."""
        return self.flow.once

    @property
    def kind(self) -> str:
        """The event log's word for what the flow does (`flow_type`, behaviour 180)."""
        if isinstance(self.flow, AutoCdcFlow):
            return "CHANGE"
        if isinstance(self.flow, SnapshotFlow):
            return "SNAPSHOT_CHANGE"
        if isinstance(self.flow.replace, ReplaceWhere):
            return "APPEND"
        return "APPEND" if self.streaming or self.flow.once else "MATERIALIZED_VIEW"


@dataclass(frozen=True)
class Graph:
    """Datasets by name, and the flows between them in an order in which they can run."""

    datasets: Mapping[TableName, Dataset] = field(default_factory=dict)
    flows: tuple[ResolvedFlow, ...] = ()
    schemas: Mapping[TableName, StructType] = field(default_factory=dict)

    def writers(self, name: TableName) -> tuple[ResolvedFlow, ...]:
        """The flows into one dataset."""
        return tuple(flow for flow in self.flows if flow.target == name)

    def fresh_schema(self, name: TableName) -> StructType:
        """The columns that a table gets when it starts from nothing."""
        declared = self.datasets[name].schema
        schemas = [flow.schema.toNullable() for flow in self.writers(name)]
        fresh = merged(schemas if declared is None else [as_read(declared), *schemas])
        return fresh or self.schemas[name]  # only the snapshots themselves have the columns

    def tables(self) -> tuple[Dataset, ...]:
        """The datasets that are stored, in order of definition."""
        return tuple(
            dataset
            for dataset in self.datasets.values()
            if dataset.kind.keeps_rows or dataset.kind is DatasetKind.MATERIALIZED_VIEW
        )

    def running(self) -> tuple[ResolvedFlow, ...]:
        """The flows that an update runs: all but the queries of views."""
        return tuple(flow for flow in self.flows if not self._is_view(flow.target))

    def needs(self) -> dict[str, set[str]]:
        """For each running flow, the running flows that must end before it.

        They write what it reads (also through views), or its `depends_on` names them.
        """
        writers: dict[TableName, set[str]] = {}
        for flow in self.running():
            writers.setdefault(flow.target, set()).add(flow.name)
        return {
            flow.name: {
                writer
                for source in self.sources(flow)
                for writer in writers.get(source.name, ())
                if writer != flow.name
            }
            | (set(flow.flow.depends_on) if isinstance(flow.flow, QueryFlow) else set())
            for flow in self.running()
        }

    def sources(self, flow: ResolvedFlow) -> set[Input]:
        """The stored tables that a flow reads, directly or through views."""
        tables: set[Input] = set()
        for each in flow.inputs:
            if each.external or not self._is_view(each.name):
                tables.add(each)
            else:
                for view in self.writers(each.name):
                    tables |= self.sources(view)
        return tables

    def is_complete(self, flow: ResolvedFlow) -> bool:
        """Whether the flow replaces its whole table: it, or a view it streams, aggregates."""
        views = {each.name for each in flow.inputs if each.streaming and self._is_view(each.name)}
        return flow.complete or any(
            self.is_complete(writer) for name in views for writer in self.writers(name)
        )

    def queries(self, flow: ResolvedFlow) -> list[ResolvedFlow]:
        """The flow, and the queries of the views that it reads."""
        names = [
            each.name for each in flow.inputs if not each.external and self._is_view(each.name)
        ]
        writers = [writer for name in dict.fromkeys(names) for writer in self.writers(name)]
        return [flow, *chain.from_iterable(map(self.queries, writers))]

    def ordered(self) -> tuple[ResolvedFlow, ...]:
        """The running flows, each after those it needs; ties in order of definition."""
        by_name = {flow.name: flow for flow in self.running()}
        position = {name: index for index, name in enumerate(by_name)}
        sorter = TopologicalSorter(self.needs())
        sorter.prepare()
        order: list[ResolvedFlow] = []
        while sorter.is_active():
            ready = sorted(sorter.get_ready(), key=position.__getitem__)
            order += [by_name[name] for name in ready]
            sorter.done(*ready)
        return tuple(order)

    def _is_view(self, name: TableName) -> bool:
        dataset = self.datasets.get(name)
        return dataset is not None and dataset.kind is DatasetKind.VIEW
