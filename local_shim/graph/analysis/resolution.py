"""The state of an analysis: which flows are resolved, which failed, which are being analysed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from local_shim.errors import DefinitionError, close_match
from local_shim.graph.analysis.external_sources import ExternalSources
from local_shim.graph.elements import Dataset, DatasetKind, Flow, SnapshotFlow
from local_shim.graph.graph import Input, ResolvedFlow, Scope
from local_shim.graph.names import TableName
from local_shim.graph.registry import Registry
from local_shim.graph.table_columns import as_read, merged


class UpstreamFailed(Exception):
    """The dataset that was read could not be resolved; its own error is the one to report."""


@dataclass
class OpenFlow:
    """A flow that is being analysed, and what it has read so far."""

    flow: Flow
    inputs: list[Input] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    frames: list[tuple[TableName, DataFrame]] = field(default_factory=list)  # what reads gave
    scope: Scope = Scope.DATASETS

    @property
    def unique_paths(self) -> tuple[str, ...]:
        """The paths, each once."""
        return tuple(dict.fromkeys(self.paths))


@dataclass
class Resolution:
    """The state of one analysis; `stack` holds the flows that wait for what they read."""

    registry: Registry
    external: ExternalSources
    resolved: dict[str, ResolvedFlow] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    stack: list[OpenFlow] = field(default_factory=list)

    @property
    def reader(self) -> Flow:
        """The flow whose query is being called."""
        return self.stack[-1].flow

    def record(self, source: Input) -> None:
        """Adds an edge of the graph: the reader reads `source`."""
        self.stack[-1].inputs.append(source)

    def record_path(self, path: str) -> None:
        """Notes files or a folder that the reader reads."""
        self.stack[-1].paths.append(path)

    def record_scope(self, scope: Scope) -> None:
        """Notes that the reader depends on more than datasets."""
        if self.stack[-1].scope is not Scope.SESSION:
            self.stack[-1].scope = scope

    def record_frame(self, name: TableName, frame: DataFrame) -> DataFrame:
        """Notes the frame that a read of the reader's gave, and gives it back."""
        self.stack[-1].frames.append((name, frame))
        return frame

    def writers(self, name: TableName) -> list[Flow]:
        """The flows into a dataset."""
        return [flow for flow in self.registry.flows if flow.target == name]

    def dataset(self, name: TableName) -> Dataset:
        """A dataset with its kind decided: `@table` is a streaming table if its query streams."""
        dataset = self.registry.datasets[name]
        if dataset.kind is not DatasetKind.TABLE:
            return dataset
        analysis = self.resolved.get(str(dataset.name))
        streams = analysis is not None and analysis.streaming
        kind = DatasetKind.STREAMING_TABLE if streams else DatasetKind.MATERIALIZED_VIEW
        return replace(dataset, kind=kind)

    def schema_of(self, name: TableName) -> StructType:
        """Columns of all flows together; those of earlier updates stay in a streaming table.

        Only a declared column is NOT NULL: a query without NULLs today may give some tomorrow.
        """
        dataset = self.dataset(name)
        schemas = [self.resolved[flow.name].schema.toNullable() for flow in self.writers(name)]
        stored = self.external.stored_schema(name)
        if dataset.kind.keeps_rows and stored is not None:
            schemas.insert(0, stored)
        if dataset.schema is not None:
            schemas.insert(0, as_read(dataset.schema))
        return merged(schemas)

    def schema_for_readers(self, name: TableName) -> StructType:
        """Like `schema_of`; the function of a snapshot flow is called for its first snapshot."""
        schema = self.schema_of(name)
        if schema.fields:
            return schema
        snapshots = [flow for flow in self.writers(name) if isinstance(flow, SnapshotFlow)]
        return self.external.probed_schema(snapshots[0]) if snapshots else schema

    def near(self, name: str) -> str:
        """A hint with the dataset that `name` was probably meant to be."""
        full = [str(each) for each in self.registry.datasets]
        short = [each.table for each in self.registry.datasets]
        plain = name.replace("`", "").removeprefix("LIVE.")
        return close_match(plain, full if "." in plain else short)

    def unknown(self, name: str) -> DefinitionError:
        """The error for a read of a table that is neither declared nor stored."""
        return DefinitionError(
            "TABLE_OR_VIEW_NOT_FOUND",
            f"'{self.reader.name}' reads '{name}', "
            "which neither this pipeline nor the storage has.",
            hint=self._hint_for_unknown(name),
        )

    def _hint_for_unknown(self, name: str) -> str:
        """The dataset that was probably meant, or how to give a foreign table its rows."""
        near, full = self.near(name), self.registry.namespace.qualify(name)
        if near.startswith("did you mean") or full.schema == self.registry.namespace.schema:
            return near
        return f"say where its rows lie here, as Delta, Parquet, CSV or JSON: --path {full}=DIR"
