"""What the reads of a query give while it is analysed: empty frames, each recorded as an edge."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StringType, StructType, TimestampType

from local_shim.errors import DefinitionError
from local_shim.graph.analysis.resolution import Resolution, UpstreamFailed
from local_shim.graph.elements import AutoCdcFlow, DatasetKind, Flow
from local_shim.graph.graph import Input, Scope
from local_shim.graph.names import TableName, names_files, parts
from local_shim.pipeline_spec.pipeline_settings import VIEW_CHECK
from local_shim.reading.source_resolver import without_interception
from local_shim.sql_text import quote


class RecordingReads:
    """Resolves names for the query that is being analysed.

    `resolve` analyses a flow unless that was done before; it is false if the flow failed.
    """

    def __init__(self, resolution: Resolution, resolve: Callable[[Flow], bool]):
        self.resolution = resolution
        self.resolve = resolve
        self.external = resolution.external

    def table(self, name: str, streaming: bool, options: Mapping[str, str]) -> DataFrame | None:
        """An empty frame for a dataset, a table of the storage, or None: ask Spark's catalog."""
        name_parts = parts(name)
        of_delta = len(name_parts) == 2 and name_parts[0].lower() == "delta"
        if of_delta or names_files(name_parts):
            self._record_path(name_parts[1])
            with without_interception():
                return self.external.by_path(name_parts[0], name_parts[1], streaming, options)
        registry = self.resolution.registry
        if len(name_parts) == 2 and name_parts[0].lower() == "live":
            registry.deprecated("LIVE_PREFIX")
            self.resolution.record_scope(Scope.OUTSIDE)  # every analysis has to tell
        full = registry.namespace.qualify(name)
        if full in registry.datasets:
            return self._dataset(full, streaming, options)
        with without_interception():
            frame = self.external.external(full, streaming, options)
        self.resolution.record_scope(Scope.SESSION if frame is None else Scope.OUTSIDE)
        if frame is not None:
            self.resolution.record(Input(full, streaming, external=True))
            self.resolution.record_frame(full, frame)
        elif len(name_parts) > 1 or streaming:
            raise self.resolution.unknown(name)
        return frame

    def has_table(self, name: str) -> bool:
        """Whether the pipeline declares it, or the storage has it."""
        full = self.resolution.registry.namespace.qualify(name)
        self.resolution.record_scope(Scope.OUTSIDE)
        return full in self.resolution.registry.datasets or self.external.has_table(full)

    @property
    def default_schema(self) -> tuple[str, str]:
        """The catalog and the schema of short names."""
        namespace = self.resolution.registry.namespace
        return namespace.catalog, namespace.schema

    def stored_table(self, name: str) -> str | None:
        """The folder of a table that the storage has, or that `delta.`path`` names."""
        name_parts = parts(name)
        if len(name_parts) == 2 and name_parts[0].lower() == "delta":
            return self.path(name_parts[1])
        self.resolution.record_scope(Scope.OUTSIDE)
        return self.external.stored_table(self.resolution.registry.namespace.qualify(name))

    def cloud_files(
        self, flow: str, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        """An Auto Loader stream that remembers nothing."""
        self._record_path(path)
        return self.external.cloud_files(flow, path, options, schema)

    def read_files(
        self, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        """The files at `path` in batch, with the columns that an Auto Loader stream has."""
        self.resolution.record_scope(Scope.OUTSIDE)
        return self.external.read_files(path, options, schema)

    def file_states(self, source: str | tuple[str, ...]) -> str:
        """A subquery without rows; a table is recorded as an edge, so that it is updated first."""
        if not isinstance(source, str):
            self.table(".".join(map(quote, source)), False, {})
        return self.external.file_states()

    def path(self, path: str) -> str:
        """Where `path` lies on this machine."""
        self.resolution.record_scope(Scope.OUTSIDE)
        return self.external.path(path)

    def source_path(self, path: str) -> str:
        """The same for what a Spark reader reads."""
        self._record_path(path)
        return self.external.path(path)

    def _record_path(self, path: str) -> None:
        self.resolution.record_scope(Scope.OUTSIDE)
        self.resolution.record_path(path)

    def _dataset(self, name: TableName, streaming: bool, options: Mapping[str, str]) -> DataFrame:
        self.resolution.record(Input(name, streaming))
        writers = self.resolution.writers(name)
        self._check_cycle(name, writers)
        if not all([self.resolve(flow) for flow in writers]) or not writers:
            raise UpstreamFailed(str(name))
        self._check_mode(name, streaming)
        schema = self.resolution.schema_for_readers(name)
        with without_interception():
            frame = self.external.placeholder(with_change_columns(schema, options), streaming)
            if not streaming:  # the digest of the plan tells two tables of the same columns apart
                frame = frame.where(F.lit(str(name)).isNotNull())
        return self.resolution.record_frame(name, frame)

    def _check_cycle(self, name: TableName, writers: list[Flow]) -> None:
        waiting = [each.flow.name for each in self.resolution.stack]
        for flow in writers:
            if flow.name in waiting:
                circle = [*waiting[waiting.index(flow.name) :], flow.name]
                raise DefinitionError(
                    "CIRCULAR_DEPENDENCY",
                    f"'{name}' reads itself: {' → '.join(circle)}. "
                    "Circular dependencies are not supported.",
                    hint=f"the circle closes where '{waiting[-1]}' reads '{name}'",
                )

    def _check_mode(self, name: TableName, streaming: bool) -> None:
        dataset, reader = self.resolution.dataset(name), self.resolution.reader
        if streaming and dataset.kind is DatasetKind.MATERIALIZED_VIEW:
            raise DefinitionError(
                "STREAMING_FROM_MATERIALIZED_VIEW",
                f"'{reader.name}' streams from the materialized view '{name}', "
                "which is replaced at every update.",
                hint=f"read it in batch: spark.read.table('{name.table}')",
            )
        checked = VIEW_CHECK.read(self.resolution.registry.configuration)
        if dataset.kind is DatasetKind.VIEW and checked:
            self._check_view_mode(name, streaming, reader)

    def _check_view_mode(self, name: TableName, streaming: bool, reader: Flow) -> None:
        if isinstance(reader, AutoCdcFlow) and reader.once:
            return
        (view, *_) = self.resolution.writers(name)
        if self.resolution.resolved[view.name].streaming == streaming:
            return
        condition = (
            "INCOMPATIBLE_BATCH_VIEW_READ" if streaming else "INCOMPATIBLE_STREAMING_VIEW_READ"
        )
        kind, mode = ("batch", "stream") if streaming else ("streaming", "batch")
        raise DefinitionError(
            condition,
            f"'{reader.name}' reads the {kind} view '{name}' as {mode}.",
            hint=f"read it the way it is defined, or set {VIEW_CHECK.key}=false",
        )


def with_change_columns(schema: StructType, options: Mapping[str, str]) -> StructType:
    """The columns of a read with these options: Delta's change feed adds three."""
    values = {key.lower(): value.lower() for key, value in options.items()}
    if "true" not in (values.get("readchangefeed"), values.get("readchangedata")):
        return schema
    columns = StructType(list(schema.fields))
    columns.add("_change_type", StringType()).add("_commit_version", LongType())
    return columns.add("_commit_timestamp", TimestampType())
