"""A landing folder, and a stream over it whose rows are kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.types import StructType

from local_shim.autoloader.files.listing import source_files
from local_shim.autoloader.files.read_log import unread
from local_shim.autoloader.options.parse import parse_options
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.autoloader.stream import open_stream


@dataclass
class Flow:
    """One Auto Loader stream with everything that survives between its runs."""

    spark: SparkSession
    root: Path
    options: dict[str, str] = field(default_factory=dict)
    schema: StructType | str | None = None
    batches: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def checkpoint(self) -> Path:
        return self.root / "checkpoint"

    @property
    def store(self) -> SchemaStore:
        return SchemaStore(self.root / "schemas")

    def land(self, name: str, content: str | bytes) -> Path:
        """Puts a file into the landing folder, as a whole."""
        file = self.landing / name
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.root / "coming"
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        shutil.move(temporary, file)
        return file

    def frame(self, *, remember: bool = True, path: str = "") -> DataFrame:
        """The stream, not started."""
        schema = self.schema
        if isinstance(schema, str):
            declared = StructType.fromDDL(schema)
            assert isinstance(declared, StructType)
            schema = declared
        options = {"cloudFiles.format": "csv", "header": "true", **self.options}
        where = path or str(self.landing)
        return open_stream(
            self.spark,
            where,
            parse_options(options),
            schema,
            self.store,
            remember=remember,
            checkpoint=self.checkpoint,
        )

    def run(
        self,
        frame: DataFrame | None = None,
        *,
        into: str = "memory",
        each: Callable[[DataFrame, int], None] | None = None,
    ) -> None:
        """Takes in all files not yet read; `into` may be "delta", as the engine does it.

        `each` is called for each batch in the place of `keep`.
        """
        writer = (self.frame() if frame is None else frame).writeStream.trigger(availableNow=True)
        writer = writer.option("checkpointLocation", str(self.checkpoint))
        if into == "memory":
            query = writer.foreachBatch(each or self.keep).start()
        else:
            query = writer.format(into).start(str(self.root / "table"))
        query.awaitTermination()

    def keep(self, batch: DataFrame, number: int) -> None:
        """Keeps the rows of a batch."""
        # By number: a batch that is done again after a crash replaces itself.
        self.batches[number] = [_present(row) for row in batch.collect()]

    def rows(self) -> list[dict[str, Any]]:
        """All rows taken in, in no order, without columns that are NULL."""
        return [row for rows in self.batches.values() for row in rows]

    def unread(self) -> int:
        """Files that no run has read."""
        options = parse_options({"cloudFiles.format": "csv", **self.options})
        files = source_files(str(self.landing), options)
        return len(unread(self.checkpoint, files, overwrites=options.allow_overwrites))


def _present(row: Row) -> dict[str, Any]:
    return {key: value for key, value in row.asDict().items() if value is not None}
