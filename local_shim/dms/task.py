"""A replication task: the documents of its folder, its source and its target."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from local_shim.dms.s3.bucket import Bucket
from local_shim.dms.s3.type_rules import ValueRules
from local_shim.dms.settings.document import Document, read_document
from local_shim.dms.settings.mapping import TableMapping
from local_shim.dms.settings.replication_task import TaskSettings, read_task_settings
from local_shim.dms.settings.rules import read_table_mapping
from local_shim.dms.settings.s3_target import S3Settings, read_s3_settings
from local_shim.dms.settings.source_endpoint import SourceSettings, read_source_settings
from local_shim.dms.settings.stand_in import StandIn, read_stand_in
from local_shim.dms.source.connection import Source
from local_shim.errors import UsageError


@dataclass(frozen=True)
class Task:
    """Everything a run of the task needs to know."""

    name: str
    source: Source
    target: Path
    mapping: TableMapping
    settings: TaskSettings
    s3: S3Settings
    endpoint: SourceSettings
    stand_in: StandIn

    def value_rules(self, schema: str, table: str) -> ValueRules:
        """The settings that the values of a table depend on."""
        return ValueRules(
            self.mapping.lob_bytes(schema, table, self.settings.lob_bytes),
            self.endpoint.varchar_bytes,
            self.endpoint.trim_char,
        )

    @property
    def not_imitated(self) -> tuple[str, ...]:
        """What a real task does because of its settings, and the stand-in does not."""
        return (*self.settings.not_imitated, *self.mapping.not_imitated)

    def bucket(self) -> Bucket:
        """The folder it writes to."""
        return Bucket(self.target, self.s3.folder, self.name)


def load_task(folder: Path, source: str, target: Path) -> Task:
    """Read a task's folder.

    It holds `table-mappings.json`, `task-settings.json` and `s3-settings.json` as AWS takes
    them; `postgresql-settings.json` (the source endpoint) and `stand-in.json` (what only the
    stand-in can do) may be there too.

    Raises:
        UsageError: A document is missing or wrong; nothing was started.
    """
    knobs = read_stand_in(_optional(folder / "stand-in.json"))
    name = re.sub(r"[^a-z0-9_]+", "_", (knobs.task or folder.resolve().name).lower()).strip("_")
    if not name:
        raise UsageError("DMS_TASK_NAME", "The task has no name.", where=folder)
    settings = read_task_settings(read_document(folder / "task-settings.json"))
    mapping = read_table_mapping(read_document(folder / "table-mappings.json"))
    return Task(
        name=name,
        source=Source(source),
        target=target,
        mapping=replace(mapping, target_schema=settings.target_schema),
        settings=settings,
        s3=read_s3_settings(read_document(folder / "s3-settings.json")),
        endpoint=read_source_settings(_optional(folder / "postgresql-settings.json")),
        stand_in=knobs,
    )


def _optional(path: Path) -> Document:
    return read_document(path) if path.exists() else Document({}, str(path))
