"""What analysis needs to know about tables, files and schemas outside the definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from local_shim.graph.elements import AutoCdcFlow, SnapshotFlow
from local_shim.graph.names import TableName


class ExternalSources(Protocol):
    """What analysis needs to know about tables, files and schemas outside the definitions."""

    def external(
        self, name: TableName, streaming: bool, options: Mapping[str, str]
    ) -> DataFrame | None:
        """A table of the storage that this pipeline does not declare, or None."""

    def has_table(self, name: TableName) -> bool:
        """Whether the storage has a table of this name."""

    def stored_table(self, name: TableName) -> str | None:
        """The folder of a table of the storage."""

    def by_path(
        self, file_format: str, path: str, streaming: bool, options: Mapping[str, str]
    ) -> DataFrame:
        """A Delta table, or files of another format, named by their path."""

    def placeholder(self, schema: StructType, streaming: bool) -> DataFrame:
        """No rows of `schema`."""

    def cloud_files(
        self, flow: str, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        """An Auto Loader stream that remembers nothing."""

    def read_files(
        self, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        """The files at `path` in batch, with the columns that an Auto Loader stream has."""

    def file_states(self) -> str:
        """A subquery with the columns of `cloud_files_state` and no rows."""

    def path(self, path: str) -> str:
        """Where `path` lies on this machine."""

    def cdc_schema(
        self, flow: AutoCdcFlow, source: DataFrame, declared: StructType | None
    ) -> StructType:
        """Columns of an AUTO CDC target."""

    def snapshot_schema(
        self, flow: SnapshotFlow, source: DataFrame | None, declared: StructType | None
    ) -> StructType:
        """Columns of a snapshot target; none if only the flow's function knows them."""

    def probed_schema(self, flow: SnapshotFlow) -> StructType:
        """Columns of a snapshot target, from the first snapshot that its function returns."""

    def stored_schema(self, name: TableName) -> StructType | None:
        """Columns that the table got in earlier updates."""
