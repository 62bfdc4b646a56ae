"""What names and paths mean: while an update is planned, and while it runs."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType, TimestampType

from local_shim.autoloader.schema_store import SchemaStore
from local_shim.autoloader.stream import open_stream
from local_shim.cdc.target.schema import target_schema
from local_shim.delta import kernel
from local_shim.delta.log import grew_by_appends_only, stored_schema
from local_shim.engine.expectations import Rules
from local_shim.errors import UsageError
from local_shim.graph.elements import AutoCdcFlow, DatasetKind, QueryFlow, SnapshotFlow
from local_shim.graph.graph import Graph
from local_shim.graph.names import Namespace, TableName, parts
from local_shim.jvm.session import empty_frame
from local_shim.reading.source_resolver import evaluating
from local_shim.storage import Storage, delta_version

NOWHERE = TableName("", "", "")  # the target of code that belongs to no flow


@dataclass(frozen=True)
class PathMap:
    """Folders of this machine for prefixes such as `/Volumes/` or `s3://` (`--path FROM=TO`)."""

    prefixes: Mapping[str, str] = field(default_factory=dict)

    def local(self, path: str) -> str:
        """Where `path` lies; the longest prefix wins, and a result is never mapped again."""
        for prefix in sorted(self.prefixes, key=len, reverse=True):
            if path.startswith(prefix) or path + "/" == prefix:
                rest = path[len(prefix) :]
                target = Path(self.prefixes[prefix])
                if ".." in Path(rest).parts:
                    raise UsageError("PATH_LEAVES_ROOT", f"'{path}' leads out of {prefix}.")
                return str(target / rest.lstrip("/")) if rest else str(target)
        return path


def not_yet_there(path: str, options: Mapping[str, str], schema: StructType | None) -> bool:
    """Whether a missing folder is only an empty one, because its columns are known.

    [choice] DMS makes no folder for an empty table. If the folder above exists and a schema or
    schemaHints name the columns, the missing folder is made and read as empty; on Databricks the
    path must exist.
    """
    hinted = any(key.lower() == "cloudfiles.schemahints" for key in options)
    folder = Path(path)
    return (schema is not None or hinted) and not folder.exists() and folder.parent.is_dir()


def schema_store(storage: Storage, flow: str, path: str) -> SchemaStore:
    """Where a flow keeps what it learned of the files below `path`; a flow may read several."""
    return SchemaStore(storage.schemas(flow) / hashlib.sha256(path.encode()).hexdigest()[:12])


def delta_frame(
    spark: SparkSession, path: str, streaming: bool, options: Mapping[str, str]
) -> DataFrame:
    """A Delta table by its folder, in batch or as a stream."""
    if streaming:
        return spark.readStream.format("delta").options(**options).load(path)
    return spark.read.format("delta").options(**options).load(path)


class AnalysisSources:
    """The world outside of the pipeline's own files, as planning sees it; nothing is written."""

    def __init__(
        self,
        spark: SparkSession,
        storage: Storage,
        paths: PathMap,
        configuration: Mapping[str, str],
    ):
        self.spark = spark
        self.storage = storage
        self.paths = paths
        self.configuration = configuration
        self._empty_folder = tempfile.TemporaryDirectory(prefix="dlt-local-empty-")

    def external(
        self, name: TableName, streaming: bool, options: Mapping[str, str]
    ) -> DataFrame | None:
        """A table of the storage that this pipeline does not define."""
        if not self.storage.has_table(name):
            return None
        return delta_frame(self.spark, str(self.storage.table(name)), streaming, options)

    def by_path(self, path: str, streaming: bool, options: Mapping[str, str]) -> DataFrame:
        """A Delta table named by its path."""
        return delta_frame(self.spark, self.path(path), streaming, options)

    def placeholder(self, schema: StructType, streaming: bool) -> DataFrame:
        """No rows of `schema`, made without a job."""
        if streaming:
            return self.spark.readStream.schema(schema).parquet(self._empty_folder.name)
        return empty_frame(self.spark, schema)

    def cloud_files(
        self, flow: str, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        """An Auto Loader stream that reads what was learned about the files and learns nothing."""
        local, store = self.path(path), schema_store(self.storage, flow, path)
        if not_yet_there(local, options, schema):
            local = self._empty_folder.name
        self._check_folder(local)
        checkpoint = self.storage.checkpoint(TableName(*flow.split(".", 2)), flow)
        return open_stream(
            self.spark, local, options, schema, store, remember=False, checkpoint=checkpoint
        )

    def _check_folder(self, path: str) -> None:
        """Told once for all tables below the folder that is missing, with the key that names it."""
        missing = Path(path)
        if any(letter in path for letter in "*?[{") or missing.exists():
            return
        while not missing.parent.exists():
            missing = missing.parent
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
        return target_schema(flow, source, declared)

    def snapshot_schema(
        self, flow: SnapshotFlow, source: DataFrame | None, declared: StructType | None
    ) -> StructType:
        """Columns of a snapshot target; none if only the flow's function could tell."""
        if source is None:
            return declared or StructType([])
        return target_schema(flow, source, declared, TimestampType())

    def probed_schema(self, flow: SnapshotFlow) -> StructType:
        """Columns of a snapshot target, found out by asking its function for a first snapshot."""
        assert callable(flow.source)
        found = flow.source(None)
        if not isinstance(found, tuple) or found[0] is None:
            return StructType([])
        frame, version = found
        kind = self.spark.createDataFrame([(version,)], ["version"]).schema[0].dataType
        return target_schema(flow, frame, None, kind)

    def stored_schema(self, name: TableName) -> StructType | None:
        """Columns that a streaming table got in earlier updates of this pipeline."""
        return stored_schema(self.storage.table(name)) if self.storage.record(name) else None


@dataclass
class FlowReads:
    """The world as one running flow sees it, which notes what the flow read.

    `versions` holds the Delta tables read in batch, with the version that was newest before.
    `streams` holds the folders that streams read: Delta tables, or files (then with options).
    """

    spark: SparkSession
    storage: Storage
    paths: PathMap
    graph: Graph
    namespace: Namespace
    flow_name: str
    target: TableName
    versions: dict[str, int] = field(default_factory=dict)
    streams: list[tuple[str, Mapping[str, str] | None]] = field(default_factory=list)
    view_rules: list[Rules] = field(default_factory=list)
    foreign: bool = False
    by_kernel: bool = False  # tables are read in batch by a query that runs inside kernel.enabled
    all_in_batch: bool = False  # streams are read from their beginning to now, once

    def table(self, name: str, streaming: bool, options: Mapping[str, str]) -> DataFrame | None:
        """A dataset of the pipeline, or a table that lies in the storage."""
        streaming = streaming and not self.all_in_batch
        found = parts(name)
        if len(found) == 2 and found[0].lower() == "delta":
            return self._delta(self.path(found[1]), streaming, options)
        full = self.namespace.qualify(name)
        dataset = self.graph.datasets.get(full)
        if dataset is not None and dataset.kind is DatasetKind.VIEW:
            return self._view(full)
        if dataset is None and not self.storage.has_table(full):
            self.foreign = True
            return None
        ours = self.storage.record(full) is not None  # others may use what the kernel cannot read
        return self._delta(str(self.storage.table(full)), streaming, options, ours)

    def _delta(
        self, path: str, streaming: bool, options: Mapping[str, str], ours: bool = False
    ) -> DataFrame:
        if streaming:
            self.streams.append((path, None))
            if self._may_begin_at_first_commit(path, options):
                options = {**options, "startingVersion": "0"}
        else:
            self.versions[path] = delta_version(Path(path))
            if self.by_kernel and ours and not options:
                return kernel.read(self.spark, path)
        return delta_frame(self.spark, path, streaming, options)

    def _may_begin_at_first_commit(self, path: str, options: Mapping[str, str]) -> bool:
        """Asked at each start: a source whose only batch was its first looks at its start again."""
        asked = {key.lower() for key in options}
        own_start = asked & {"startingversion", "startingtimestamp", "readchangefeed"}
        return not own_start and grew_by_appends_only(Path(path))

    def _view(self, name: TableName) -> DataFrame:
        flow = self.graph.writers(name)[0].flow
        assert isinstance(flow, QueryFlow)
        with evaluating(flow.name):
            frame = flow.function()
        rules = Rules(str(name), self.flow_name, self.graph.datasets[name].expectations)
        self.view_rules.append(rules)
        return rules.applied(frame, observed_name(rules))

    def cloud_files(
        self, flow: str, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        """An Auto Loader stream that remembers the schemas it meets."""
        local, store = self.path(path), schema_store(self.storage, flow, path)
        if not_yet_there(local, options, schema):
            Path(local).mkdir()
        self.streams.append((local, options))
        checkpoint = self.storage.checkpoint(self.target, self.flow_name)
        return open_stream(
            self.spark, local, options, schema, store, remember=True, checkpoint=checkpoint
        )

    def path(self, path: str) -> str:
        """Where `path` lies on this machine."""
        return self.paths.local(path)


def observed_name(rules: Rules) -> str:
    """The name under which a dataset's counts arrive in the metrics of a query."""
    return f"quality of {rules.dataset}"
