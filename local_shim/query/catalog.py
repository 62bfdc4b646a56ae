"""The storage as a catalog of tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from local_shim.errors import UsageError, close_match
from local_shim.graph.names import Namespace, TableName
from local_shim.storage import Storage

EVENT_LOG = "event_log"


def default_namespace(storage: Storage) -> Namespace:
    """Catalog and schema that most tables of the storage lie in."""
    names = [record.name.split(".", 2)[:2] for record in storage.records()]
    if not names:
        return Namespace("main", "default")
    catalog, schema = max(names, key=names.count)
    return Namespace(catalog, schema)


class StorageCatalog:
    """The tables of a storage by name; short names are those of its most used schema."""

    def __init__(self, storage: Storage):
        self.storage = storage
        self.namespace = default_namespace(storage)

    def folder(self, name: Sequence[str]) -> Path | None:
        """Where the table `name` lies: a dataset of any pipeline, or the event log."""
        if len(name) > 3:
            return None
        table = self._full(name)
        if self.storage.has_table(table):
            return self.storage.table(table)
        is_log = [part.lower() for part in name] == [EVENT_LOG]
        return self.storage.events_table() if is_log else None

    @cached_property
    def tables(self) -> list[TableName]:
        """Every table that is not private, those included that no pipeline made."""
        private = {record.name for record in self.storage.records() if record.private}
        logs = (self.storage.root / "tables").glob("*/*/*/_delta_log")
        folders = [log.parent.relative_to(self.storage.root / "tables") for log in logs]
        names = [TableName(*map(unquote, folder.parts)) for folder in folders]
        return sorted((name for name in names if str(name) not in private), key=str)

    def pipeline(self, table: Sequence[str]) -> str:
        """The pipeline that made a table; raises UsageError if none did."""
        record = self.storage.record(self._full(table))
        if record is None:
            raise self.not_found(".".join(table))
        return record.pipeline

    def checkpoints(self, table: Sequence[str]) -> dict[str, Path]:
        """The checkpoints of a table's flows by their names; UsageError if no pipeline made it."""
        self.pipeline(table)
        return self.storage.checkpoints(self._full(table))

    def _full(self, table: Sequence[str]) -> TableName:
        defaults = (self.namespace.catalog, self.namespace.schema)
        return TableName(*defaults[: 3 - len(table)], *table)

    def not_found(self, name: str) -> UsageError:
        """The error for a name that means no table, with the one that was probably meant."""
        full = [str(table) for table in self.tables]
        short = [table.table for table in self.tables if self._is_default(table)]
        return UsageError(
            "TABLE_OR_VIEW_NOT_FOUND",
            f"the storage holds no table '{name}'.",
            hint=close_match(name.lower(), full if "." in name else [*short, EVENT_LOG]),
        )

    def _is_default(self, table: TableName) -> bool:
        return (table.catalog, table.schema) == (self.namespace.catalog, self.namespace.schema)
