"""What names and paths mean while a flow runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from local_shim.autoloader.files.file_states import file_states_sql
from local_shim.autoloader.stream import open_batch, open_stream
from local_shim.delta.log import grew_by_appends_only
from local_shim.delta.snapshot import newest_rows
from local_shim.engine.expectations import Rules
from local_shim.engine.reads.mapped_tables import mapped_table
from local_shim.engine.reads.sources import (
    StreamSource,
    cloud_files_options,
    delta_frame,
    is_missing_but_known,
    schema_store,
)
from local_shim.engine.update_context import UpdateContext
from local_shim.graph.elements import DatasetKind, QueryFlow
from local_shim.graph.graph import ResolvedFlow
from local_shim.graph.names import TableName, names_files, parts
from local_shim.reading.source_resolver import evaluating, resolving_with, without_interception
from local_shim.sql_text import quote
from local_shim.storage import delta_version


@dataclass
class FlowReads:
    """Resolves the reads of one running flow and records them.

    `versions` holds the Delta tables read in batch, with their newest version before the read.
    `streams` holds what streams read.
    `foreign` says that a name was left to Spark's own catalog, or that files were read in batch.
    `whole_views` makes Spark compute all rows of a view that has a fail rule before its first row
    is read: by a shuffle, which no limit passes.
    """

    context: UpdateContext
    flow: ResolvedFlow | None = None  # None: code outside of flows, such as module level
    versions: dict[str, int] = field(default_factory=dict)
    streams: list[StreamSource] = field(default_factory=list)
    view_rules: list[Rules] = field(default_factory=list)
    foreign: bool = False
    of_files: bool = False  # batch reads of small tables read their files, without Delta
    whole_views: bool = False
    all_in_batch: bool = False  # streams are read once, from their beginning to now

    def table(self, name: str, streaming: bool, options: Mapping[str, str]) -> DataFrame | None:
        """A dataset of the pipeline or a table of the storage; None: ask Spark's catalog."""
        streaming = streaming and not self.all_in_batch
        name_parts = parts(name)
        if len(name_parts) == 2 and name_parts[0].lower() == "delta":
            return self._delta(self._folder(name_parts[1]), streaming, options)
        if names_files(name_parts):
            self.foreign = True
            return self._files(*name_parts)
        full = self.context.namespace.qualify(name)
        dataset = self.context.graph.datasets.get(full)
        if dataset is not None and dataset.kind is DatasetKind.VIEW:
            return self._view(full, in_batch=not streaming)
        storage = self.context.storage
        if dataset is None and not storage.has_table(full):
            self.foreign = True
            return self._elsewhere(full, name_parts, streaming, options)
        # Tables of others, which have no record, may have any feature of Delta.
        has_record = storage.record(full) is not None
        return self._delta(str(storage.table(full)), streaming, options, has_record)

    def has_table(self, name: str) -> bool:
        """Whether the pipeline declares it, or the storage or `--path` has it."""
        full, context = self.context.namespace.qualify(name), self.context
        declared = full in context.graph.datasets
        return declared or context.storage.has_table(full) or str(full) in context.paths.prefixes

    @property
    def default_schema(self) -> tuple[str, str]:
        """The catalog and the schema of short names."""
        return self.context.namespace.catalog, self.context.namespace.schema

    def stored_table(self, name: str) -> str | None:
        """The folder of a table that the storage has, or that `delta.`path`` names."""
        name_parts, storage = parts(name), self.context.storage
        if len(name_parts) == 2 and name_parts[0].lower() == "delta":
            return self._folder(name_parts[1])
        full = self.context.namespace.qualify(name)
        return str(storage.table(full)) if storage.has_table(full) else None

    def _delta(
        self, path: str, streaming: bool, options: Mapping[str, str], has_record: bool = False
    ) -> DataFrame:
        spark = self.context.spark
        if streaming:
            self.streams.append(StreamSource(path))
            if self._may_begin_at_first_commit(path, options):
                options = {**options, "startingVersion": "0"}
        else:
            self.versions[path] = delta_version(Path(path))
        with without_interception():
            frame = None
            if self.of_files and has_record and not (streaming or options):
                frame = newest_rows(spark, path)
            return delta_frame(spark, path, streaming, options) if frame is None else frame

    def _elsewhere(
        self,
        name: TableName,
        name_parts: Sequence[str],
        streaming: bool,
        options: Mapping[str, str],
    ) -> DataFrame | None:
        """A table that `--path` maps; None for a name that Spark's own catalog may have."""
        with without_interception():
            frame = mapped_table(self.context.spark, self.context.paths, name, streaming, options)
        if frame is None and len(name_parts) == 3 and name.catalog != "spark_catalog":
            message = f"The table or view '{name}' cannot be found."
            raise AnalysisException(message, "TABLE_OR_VIEW_NOT_FOUND")
        return frame

    def _files(self, file_format: str, path: str) -> DataFrame:
        with without_interception():
            return self.context.spark.read.format(file_format).load(self.path(path))

    def _may_begin_at_first_commit(self, path: str, options: Mapping[str, str]) -> bool:
        """The answer stays the same while a stream has not ended its first batch."""
        keys = {key.lower() for key in options}
        own_start = keys & {"startingversion", "startingtimestamp", "readchangefeed"}
        return not own_start and grew_by_appends_only(Path(path))

    def _view(self, name: TableName, *, in_batch: bool) -> DataFrame:
        """The query of a view; read in batch, its own streams are read in batch, too."""
        flow = self.context.graph.writers(name)[0].flow
        assert isinstance(flow, QueryFlow)
        outer, self.all_in_batch = self.all_in_batch, self.all_in_batch or in_batch
        try:
            with resolving_with(self), evaluating(flow.name):
                frame = flow.function()
        finally:
            self.all_in_batch = outer
        expectations = self.context.graph.datasets[name].expectations
        rules = Rules(str(name), self.flow.name if self.flow else "", expectations)
        self.view_rules.append(rules)
        checked = rules.applied(frame, rules.observed_name)
        whole = self.whole_views and rules.can_fail and not frame.isStreaming
        return checked.repartition(1) if whole else checked

    def cloud_files(
        self, flow: str, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        """An Auto Loader stream that stores the schemas it meets."""
        context = self.context
        local, store = self.path(path), schema_store(context.storage, flow, path)
        if is_missing_but_known(local, options, schema):
            Path(local).mkdir()
        checked = cloud_files_options(options, context.paths)
        self.streams.append(StreamSource(local, checked, dict(options)))
        checkpoint = None
        if self.flow is not None:
            checkpoint = context.storage.checkpoint(self.flow.target, self.flow.name)
        return open_stream(
            context.spark, local, checked, schema, store, remember=True, checkpoint=checkpoint
        )

    def read_files(
        self, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        """The files at `path` in batch, with the columns that an Auto Loader stream has."""
        local = self.path(path)
        if is_missing_but_known(local, options, schema):
            Path(local).mkdir()
        self.foreign = True  # files have no version to compare with in the next update
        options_of_files = cloud_files_options(options, self.context.paths)
        return open_batch(self.context.spark, local, options_of_files, schema)

    def file_states(self, source: str | tuple[str, ...]) -> str:
        """A subquery; a view over it is computed again when the table has a new version."""
        if isinstance(source, str):
            return file_states_sql({"": Path(self.path(source))})
        storage = self.context.storage
        table = self.context.namespace.qualify(".".join(map(quote, source)))
        folder = storage.table(table)
        self.versions[str(folder)] = delta_version(folder)
        return file_states_sql(storage.checkpoints(table))

    def path(self, path: str) -> str:
        """Where `path` lies on this machine."""
        return self.context.paths.local(path)

    def source_path(self, path: str) -> str:
        """The same for what a Spark reader reads; notes the version of a Delta table."""
        folder = self._folder(path)
        version = delta_version(Path(folder))
        if version >= 0:
            self.versions[folder] = version
        else:
            self.foreign = True
        return self.path(path)

    def _folder(self, path: str) -> str:
        """A local path without the scheme that Spark allows."""
        local = self.path(path)
        return str(Path(local.removeprefix("file:"))) if local.startswith("file:") else local
