"""A resolver over frames, which notes what it is asked for."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from local_shim.graph.names import Namespace

NAMESPACE = Namespace("main", "default")


class Tables:
    """Resolves names to the given frames, and notes each read."""

    def __init__(self, frames: Mapping[str, DataFrame]):
        self.frames = frames
        self.names: list[str] = []
        self.options: list[Mapping[str, str]] = []

    def table(self, name: str, streaming: bool, options: Mapping[str, str]) -> DataFrame | None:
        full = str(NAMESPACE.qualify(name))
        if full not in self.frames:
            return None
        self.names.append(full)
        self.options.append(options)
        return self.frames[full]

    def has_table(self, name: str) -> bool:
        return str(NAMESPACE.qualify(name)) in self.frames

    @property
    def default_schema(self) -> tuple[str, str]:
        return NAMESPACE.catalog, NAMESPACE.schema

    def stored_table(self, name: str) -> str | None:
        return None

    def cloud_files(
        self, flow: str, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        raise AssertionError("no Auto Loader here")

    def read_files(
        self, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        raise AssertionError("no files here")

    def file_states(self, source: str | tuple[str, ...]) -> str:
        raise AssertionError("no Auto Loader here")

    def path(self, path: str) -> str:
        return path

    def source_path(self, path: str) -> str:
        return path
