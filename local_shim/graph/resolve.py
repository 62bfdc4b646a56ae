"""Calls each flow's query with placeholders for what it reads, and learns the graph from it.

Nothing is computed and nothing is written: a table that does not exist yet is an empty relation
with the schema that its own flows were found to have. Queries are evaluated on demand, so the
order of files and definitions does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from local_shim.errors import DefinitionError, DefinitionErrors, ShimError, close_match
from local_shim.graph.columns import as_read, merged
from local_shim.graph.elements import (
    AutoCdcFlow,
    Dataset,
    DatasetKind,
    Flow,
    QueryFlow,
    SnapshotFlow,
)
from local_shim.graph.external_sources import ExternalSources
from local_shim.graph.graph import Graph, Input, ResolvedFlow
from local_shim.graph.names import TableName, parts
from local_shim.graph.query_errors import analysis_error, located, query_error
from local_shim.graph.registry import Registry
from local_shim.pipeline_spec.pipeline_settings import VIEW_CHECK
from local_shim.reading.source_resolver import evaluating, resolving_with


class UpstreamFailed(Exception):
    """The dataset that was read could not be resolved itself; its own error is the one to tell."""


def resolve(registry: Registry, external: ExternalSources) -> Graph:
    """The graph of everything declared; raises DefinitionErrors with all that is wrong."""
    return GraphResolver(registry, external).graph()


class GraphResolver:
    """One pass over all declarations; also the world that their queries see meanwhile."""

    def __init__(self, registry: Registry, external: ExternalSources):
        self.registry = registry
        self.external = external
        self.errors: list[ShimError] = list(registry.errors)
        self.resolved: dict[str, ResolvedFlow] = {}
        self.failed: set[str] = set()
        self.underway: list[Flow] = []
        self.inputs: list[list[Input]] = []

    def graph(self) -> Graph:
        for flow in self.registry.flows:
            self._ensure(flow)
        if self.errors:
            raise self.errors[0] if len(self.errors) == 1 else DefinitionErrors(self.errors)
        flows = tuple(self.resolved[flow.name] for flow in self.registry.flows)
        datasets = {name: self._settled(each) for name, each in self.registry.datasets.items()}
        schemas = {name: self._schema_of(name) for name in datasets if self._writers(name)}
        return Graph(datasets, flows, schemas)

    # --- flows

    def _ensure(self, flow: Flow) -> bool:
        """Resolves a flow unless that was done or tried before; True if it has a schema."""
        if flow.name in self.resolved:
            return True
        if flow.name in self.failed:
            return False
        self.underway.append(flow)
        self.inputs.append([])
        try:
            with resolving_with(self):
                self.resolved[flow.name] = self._resolve(flow)
        except UpstreamFailed:
            self.failed.add(flow.name)
        except ShimError as error:
            self._failed(flow, error)
        except PySparkException as error:
            self._failed(flow, analysis_error(flow, error, self._near))
        except Exception as error:
            self._failed(flow, query_error(flow, error))
        finally:
            self.underway.pop()
            self.inputs.pop()
        return flow.name in self.resolved

    def _failed(self, flow: Flow, error: ShimError) -> None:
        self.failed.add(flow.name)
        told = {(each.condition, each.message) for each in self.errors}
        if (error.condition, error.message) in told:
            return  # the same cause, met by another flow
        self.errors.append(error if error.where else located(error, flow))

    def _resolve(self, flow: Flow) -> ResolvedFlow:
        self._check_target(flow)
        if isinstance(flow, QueryFlow):
            frame = self._query(flow)
            return ResolvedFlow(flow, self._read(), frame.schema, frame.isStreaming)
        if isinstance(flow, AutoCdcFlow):
            source = self._source(flow.source, streaming=not flow.once)
            schema = self.external.cdc_schema(flow, source, self._declared(flow))
            return ResolvedFlow(flow, self._read(), schema, source.isStreaming)
        frame_of = self._source(flow.source, False) if isinstance(flow.source, str) else None
        schema = self.external.snapshot_schema(flow, frame_of, self._declared(flow))
        return ResolvedFlow(flow, self._read(), schema, False)

    def _declared(self, flow: Flow) -> StructType | None:
        return self.registry.datasets[flow.target].schema

    def _query(self, flow: QueryFlow) -> DataFrame:
        with evaluating(flow.name):
            frame = flow.function()
        if not isinstance(frame, DataFrame):
            name = getattr(flow.function, "__name__", flow.name)
            raise DefinitionError(
                "QUERY_RETURNS_NO_DATAFRAME",
                f"function '{name}' must return a DataFrame, but returned {type(frame).__name__}.",
                where=flow.where,
                hint="end the function with `return <DataFrame>`",
            )
        return frame

    def _source(self, name: str, streaming: bool) -> DataFrame:
        frame = self.table(name, streaming, {})
        if frame is None:
            raise self._unknown(name)
        return frame

    def _read(self) -> tuple[Input, ...]:
        return tuple(dict.fromkeys(self.inputs[-1]))

    def _check_target(self, flow: Flow) -> None:
        if flow.target not in self.registry.datasets:
            raise DefinitionError(
                "FLOW_TARGET_NOT_DEFINED",
                f"'{flow.name}' writes to '{flow.target}', which this pipeline does not define.",
                where=flow.where,
                hint=close_match(str(flow.target), map(str, self.registry.datasets))
                or f"declare it: dlt.create_streaming_table('{flow.target.table}')",
            )

    # --- the world that queries see while they are resolved

    def table(self, name: str, streaming: bool, options: Mapping[str, str]) -> DataFrame | None:
        found = parts(name)
        if len(found) == 2 and found[0].lower() == "delta":
            return self.external.by_path(found[1], streaming, options)
        if found[0].lower() == "live" and len(found) == 2:
            self.registry.deprecated("LIVE_PREFIX")
        full = self.registry.namespace.qualify(name)
        if full in self.registry.datasets:
            return self._dataset(full, streaming)
        frame = self.external.external(full, streaming, options)
        if frame is not None:
            self.inputs[-1].append(Input(full, streaming, external=True))
        elif len(found) > 1 or streaming:
            raise self._unknown(name)
        return frame

    def _dataset(self, name: TableName, streaming: bool) -> DataFrame:
        self.inputs[-1].append(Input(name, streaming))
        writers = self._writers(name)
        self._check_cycle(name, writers)
        if not all([self._ensure(flow) for flow in writers]) or not writers:
            raise UpstreamFailed(str(name))
        self._check_mode(name, streaming)
        return self.external.placeholder(self._schema_of(name) or self._probed(name), streaming)

    def _probed(self, name: TableName) -> StructType:
        """Only a read of a snapshot target makes its function run before the update."""
        snapshots = [flow for flow in self._writers(name) if isinstance(flow, SnapshotFlow)]
        return self.external.probed_schema(snapshots[0]) if snapshots else StructType([])

    def _check_cycle(self, name: TableName, writers: list[Flow]) -> None:
        waiting = [flow.name for flow in self.underway]
        for flow in writers:
            if flow.name in waiting:
                reader = self.underway[-1]
                raise DefinitionError(
                    "CIRCULAR_DEPENDENCY",
                    f"'{name}' reads itself: "
                    + " → ".join([*waiting[waiting.index(flow.name) :], flow.name])
                    + ". Circular dependencies are not supported.",
                    where=reader.where,
                    hint=f"the circle closes where '{reader.name}' reads '{name}'",
                )

    def _check_mode(self, name: TableName, streaming: bool) -> None:
        dataset = self._settled(self.registry.datasets[name])
        reader = self.underway[-1]
        if streaming and dataset.kind is DatasetKind.MATERIALIZED_VIEW:
            raise DefinitionError(
                "STREAMING_FROM_MATERIALIZED_VIEW",
                f"'{reader.name}' streams from the materialized view '{name}', "
                "which is replaced at every update.",
                where=reader.where,
                hint=f"read it in batch: spark.read.table('{name.table}')",
            )
        if dataset.kind is DatasetKind.VIEW and self._view_check():
            self._check_view_mode(name, streaming, reader)

    def _check_view_mode(self, name: TableName, streaming: bool, reader: Flow) -> None:
        if isinstance(reader, AutoCdcFlow) and reader.once:
            return
        if self.resolved[self._writers(name)[0].name].streaming == streaming:
            return
        condition = (
            "INCOMPATIBLE_BATCH_VIEW_READ" if streaming else "INCOMPATIBLE_STREAMING_VIEW_READ"
        )
        is_what, read_how = ("batch", "stream") if streaming else ("streaming", "batch")
        raise DefinitionError(
            condition,
            f"'{reader.name}' reads the {is_what} view '{name}' as {read_how}.",
            where=reader.where,
            hint=f"read it the way it is defined, or set {VIEW_CHECK.key}=false",
        )

    def _view_check(self) -> bool:
        return VIEW_CHECK.read(self.registry.configuration)

    def cloud_files(
        self, flow: str, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        return self.external.cloud_files(flow, path, options, schema)

    def path(self, path: str) -> str:
        return self.external.path(path)

    # --- what is known of a dataset

    def _writers(self, name: TableName) -> list[Flow]:
        return [flow for flow in self.registry.flows if flow.target == name]

    def _settled(self, dataset: Dataset) -> Dataset:
        """The dataset with its kind decided: `@table` is a streaming table if its query streams."""
        if dataset.kind is not DatasetKind.TABLE:
            return dataset
        own = self.resolved.get(str(dataset.name))
        streams = own is not None and own.streaming
        kind = DatasetKind.STREAMING_TABLE if streams else DatasetKind.MATERIALIZED_VIEW
        return replace(dataset, kind=kind)

    def _schema_of(self, name: TableName) -> StructType:
        """Columns of all flows together; those of earlier updates stay in a streaming table.

        Only a declared column is NOT NULL: what one query never gives, its next version may.
        """
        dataset = self._settled(self.registry.datasets[name])
        schemas = [self.resolved[flow.name].schema.toNullable() for flow in self._writers(name)]
        stored = self.external.stored_schema(name)
        if dataset.kind is DatasetKind.STREAMING_TABLE and stored is not None:
            schemas.insert(0, stored)
        if dataset.schema is not None:
            schemas.insert(0, as_read(dataset.schema))
        return merged(schemas)

    def _near(self, name: str) -> str:
        """The dataset that a name was probably meant to be."""
        known = [str(each) for each in self.registry.datasets]
        short = [each.table for each in self.registry.datasets]
        return close_match(name.replace("`", ""), known if "." in name else short)

    def _unknown(self, name: str) -> DefinitionError:
        reader = self.underway[-1]
        return DefinitionError(
            "TABLE_OR_VIEW_NOT_FOUND",
            f"'{reader.name}' reads '{name}', which neither this pipeline nor the storage has.",
            where=reader.where,
            hint=self._near(name),
        )
