"""What names and paths mean while the graph is analysed."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType, TimestampType

from local_shim.autoloader.files.file_states import file_states_sql
from local_shim.autoloader.stream import open_batch, open_stream
from local_shim.cdc.target_table.schema import target_schema
from local_shim.delta.log import stored_schema
from local_shim.engine.reads.mapped_tables import mapped_table
from local_shim.engine.reads.sources import (
    cloud_files_options,
    delta_frame,
    is_missing_but_known,
    is_pattern,
    schema_store,
)
from local_shim.engine.update_context import UpdateContext
from local_shim.errors import UsageError
from local_shim.graph.elements import AutoCdcFlow, SnapshotFlow
from local_shim.graph.names import TableName
from local_shim.jvm.session import empty_frame
from local_shim.reading.path_map import cloud_prefix


class AnalysisSources:
    """What analysis reads from outside the pipeline's own definitions; it writes nothing."""

    def __init__(self, context: UpdateContext, targets: Mapping[str, TableName]):
        """`targets` says for each flow which dataset it writes to."""
        self.spark = context.spark
        self.storage = context.storage
        self.paths = context.paths
        self.configuration = context.configuration
        self.change_rows: dict[str, DataFrame] = {}  # what AUTO CDC flows read, by flow
        self._targets = targets
        self._empty_folder = tempfile.TemporaryDirectory(prefix="dlt-local-empty-")

    def external(
        self, name: TableName, streaming: bool, options: Mapping[str, str]
    ) -> DataFrame | None:
        """A table that this pipeline does not define: of the storage, or mapped by `--path`."""
        if self.storage.has_table(name):
            return delta_frame(self.spark, str(self.storage.table(name)), streaming, options)
        return mapped_table(self.spark, self.paths, name, streaming, options)

    def has_table(self, name: TableName) -> bool:
        """Whether the storage or `--path` has a table of this name."""
        return self.storage.has_table(name) or str(name) in self.paths.prefixes

    def stored_table(self, name: TableName) -> str | None:
        """The folder of a table of the storage."""
        return str(self.storage.table(name)) if self.storage.has_table(name) else None

    def by_path(
        self, file_format: str, path: str, streaming: bool, options: Mapping[str, str]
    ) -> DataFrame:
        """A Delta table, or files of another format, named by their path."""
        if file_format.lower() != "delta":
            return self.spark.read.format(file_format).load(self.path(path))
        return delta_frame(self.spark, self.path(path), streaming, options)

    def placeholder(self, schema: StructType, streaming: bool) -> DataFrame:
        """No rows of `schema`, made without a job."""
        if streaming:
            return self.spark.readStream.schema(schema).parquet(self._empty_folder.name)
        return empty_frame(self.spark, schema)

    def cloud_files(
        self, flow: str, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        """An Auto Loader stream over the schemas that earlier updates met; it stores none."""
        local, store = self.path(path), schema_store(self.storage, flow, path)
        if is_missing_but_known(local, options, schema):
            local = self._empty_folder.name
        self._check_folder(local)
        target = self._targets.get(flow)
        checkpoint = self.storage.checkpoint(target, flow) if target else None
        checked = cloud_files_options(options, self.paths)
        return open_stream(
            self.spark, local, checked, schema, store, remember=False, checkpoint=checkpoint
        )

    def read_files(
        self, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        """The files at `path` in batch, with the columns that an Auto Loader stream has."""
        local = self.path(path)
        if is_missing_but_known(local, options, schema):
            local = self._empty_folder.name
        self._check_folder(local)
        return open_batch(self.spark, local, cloud_files_options(options, self.paths), schema)

    def file_states(self) -> str:
        """A subquery with the columns of `cloud_files_state` and no rows."""
        return file_states_sql({})

    def _check_folder(self, path: str) -> None:
        """Raises UsageError for a missing folder, with the configuration key that names it."""
        missing = Path(path)
        if is_pattern(path) or missing.exists():
            return
        while not missing.parent.exists():
            missing = missing.parent
        if prefix := cloud_prefix(path):
            raise UsageError(
                "CF_PATH_DOES_NOT_EXIST",
                f"the folder '{path}' does not exist.",
                hint=f"say where it lies here: --path {prefix}=DIR",
            )
        keys = [key for key, value in self.configuration.items() if value and value in path]
        named = f", which the configuration key '{keys[0]}' names" if keys else ""
        raise UsageError(
            "CF_PATH_DOES_NOT_EXIST",
            f"the folder '{missing}' does not exist{named}.",
            hint="create it, name another one"
            + (f" (--conf {keys[0]}=DIR)" if keys else "")
            + ", or say where it lies here with --path FROM=TO",
        )

    def path(self, path: str) -> str:
        """Where `path` lies on this machine."""
        return self.paths.local(path)

    def cdc_schema(
        self, flow: AutoCdcFlow, source: DataFrame, declared: StructType | None
    ) -> StructType:
        """Columns of an AUTO CDC target."""
        self.change_rows[flow.name] = source
        return target_schema(flow, source, declared)

    def snapshot_schema(
        self, flow: SnapshotFlow, source: DataFrame | None, declared: StructType | None
    ) -> StructType:
        """Columns of a snapshot target; none if only the flow's function knows them."""
        if source is None:
            return declared or StructType([])
        self.change_rows[flow.name] = source
        return target_schema(flow, source, declared, TimestampType())

    def probed_schema(self, flow: SnapshotFlow) -> StructType:
        """Columns of a snapshot target, from the first snapshot that its function returns."""
        assert callable(flow.source)
        snapshot = flow.source(None)
        if not isinstance(snapshot, tuple) or snapshot[0] is None:
            return StructType([])
        frame, version = snapshot
        kind = self.spark.createDataFrame([(version,)], ["version"]).schema[0].dataType
        return target_schema(flow, frame, None, kind)

    def stored_schema(self, name: TableName) -> StructType | None:
        """Columns of a streaming table that earlier updates of this pipeline made."""
        return stored_schema(self.storage.table(name)) if self.storage.record(name) else None
