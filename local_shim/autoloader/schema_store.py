"""What one Auto Loader stream remembers of its schema: numbered versions in a folder."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from pyspark.sql.types import StructType

from local_shim import durable_files

_FIRST_FILES = "first_files.json"


class SchemaStore:
    """Versions of a schema, `<folder>/0.json`, `1.json`, …; each is written in one step.

    The folder need not exist; reading never makes it.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def latest(self) -> StructType | None:
        """The newest version, or None before the first."""
        versions = self._versions()
        if not versions:
            return None
        text = (self.folder / f"{versions[-1]}.json").read_text(encoding="utf-8")
        return StructType.fromJson(json.loads(text))

    def save(self, schema: StructType) -> int:
        """Stores a further version; returns its number."""
        number = max(self._versions(), default=-1) + 1
        self._write(f"{number}.json", schema.jsonValue())
        return number

    def skipped_files(self) -> frozenset[str] | None:
        """URIs of files that the stream never reads; None before its first start."""
        text = durable_files.read_text(self.folder / _FIRST_FILES)
        return None if text is None else frozenset(json.loads(text))

    def skip_files(self, uris: Collection[str]) -> None:
        """Stores, at the first start, which files the stream never reads."""
        self._write(_FIRST_FILES, sorted(uris))

    def _versions(self) -> list[int]:
        names = durable_files.names(self.folder)
        stems = [name.removesuffix(".json") for name in names if name.endswith(".json")]
        return sorted(int(stem) for stem in stems if stem.isdigit())

    def _write(self, name: str, value: object) -> None:
        durable_files.write_atomically(self.folder / name, json.dumps(value, indent=1))


class NoSchemas(SchemaStore):
    """What a read in batch remembers: nothing, so each one looks at all its files."""

    def __init__(self) -> None:
        """There is no folder."""

    def latest(self) -> None:
        """No schema."""

    def skipped_files(self) -> None:
        """All files are read."""
