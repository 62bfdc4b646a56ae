"""The folders of a storage, and what it records between updates.

    tables/<catalog>/<schema>/<table>                 plain Delta tables
    checkpoints/<pipeline>/<table>/<flow>/<n>         progress of streaming flows
    schemas/<pipeline>/<flow>/<n>                     what Auto Loader learned about files
    state/<catalog>/<schema>/<table>/<n>              what AUTO CDC must remember beside its target
    system/tables/<table>.json                        one record for each table of any pipeline
    system/resets/<table>                             a full refresh that is underway
    system/journal/<pipeline>/<update>.jsonl          the events of one update
    system/lineage/<pipeline>.json                    the plans of its flows for events, kept
    system/analysis/<pipeline>.json                   what the analysis of its queries gave
    system/dependencies/<pipeline>.json               what its last complete update depended on
    system/events                                     the event log, a Delta table
    system/locks/<pipeline>                           held while an update runs
    system/maintenance/<pipeline>.json                when old files were last deleted

A full refresh opens generation n+1 of checkpoints, schemas and state; old ones stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, unquote

from local_shim import durable_files, stored_json
from local_shim.errors import UpdateActive
from local_shim.graph.names import TableName


@dataclass(frozen=True)
class TableRecord:
    """What the storage remembers of one table.

    `inputs` are the versions of the tables that a materialized view was last computed from, and
    `fingerprint` is what else its content depends on; both are empty when it must be recomputed.
    """

    name: str
    kind: str
    pipeline: str
    private: bool
    fingerprint: str = ""
    inputs: dict[str, int] = field(default_factory=dict)


_RECORD_VERSION = 1
_MAINTENANCE_VERSION = 1


class Storage:
    """One folder that holds the tables of any number of pipelines, seen by one of them."""

    def __init__(self, root: Path, pipeline: str):
        self.root = root.absolute()
        self.pipeline = pipeline

    # --- tables

    def table(self, name: TableName) -> Path:
        """Folder of a table; it need not exist."""
        return self.root / "tables" / _safe(name.catalog) / _safe(name.schema) / _safe(name.table)

    def table_name(self, folder: Path) -> str:
        """The name of the table in a folder; of a table elsewhere the folder itself."""
        tables = self.root / "tables"
        if not folder.is_relative_to(tables):
            return str(folder)
        return ".".join(unquote(part) for part in folder.relative_to(tables).parts)

    def has_table(self, name: TableName) -> bool:
        """Whether a Delta table is there, made by this pipeline or by others."""
        return self.version(name) >= 0  # an update killed early may leave a folder without a commit

    def version(self, name: TableName) -> int:
        """The table's newest version, -1 if there is none; read from names of files alone."""
        return delta_version(self.table(name))

    def events_table(self) -> Path:
        """Folder of the event log."""
        return self.root / "system" / "events"

    # --- generations of checkpoints, schemas and state

    def checkpoint(self, table: TableName, flow: str) -> Path:
        """Folder for the progress of a flow into a table."""
        return self._newest(self._checkpoints(table) / _safe(flow))

    def checkpoints(self, table: TableName) -> dict[str, Path]:
        """Folders for the progress of all flows into a table of any pipeline, by their names."""
        record = self.record(table)
        if record is not None and record.pipeline != self.pipeline:
            return Storage(self.root, record.pipeline).checkpoints(table)
        flows = durable_files.names(self._checkpoints(table))
        return {unquote(flow): self.checkpoint(table, unquote(flow)) for flow in sorted(flows)}

    def schemas(self, flow: str) -> Path:
        """Folder for the schemas that Auto Loader met in a flow's query."""
        return self._newest(self._schemas(flow))

    def state(self, table: TableName) -> Path:
        """Folder of the CDC state of a table."""
        return self._newest(self._state(table))

    def forget_flow(self, table: TableName, flow: str) -> None:
        """Opens an empty generation of a flow's checkpoint and schemas."""
        self._next(self._checkpoints(table) / _safe(flow))
        self._next(self._schemas(flow))

    def forget_state(self, table: TableName) -> None:
        """Opens an empty generation of a table's CDC state."""
        self._next(self._state(table))

    def generation(self, table: TableName, flow: str) -> int:
        """How often the flow was started from nothing; 0 at first."""
        return int(self.checkpoint(table, flow).name)

    def flow_id(self, table: TableName, flow: str) -> str:
        """The id of a flow in events: stays over updates, changes with a full refresh."""
        identity = f"{self.pipeline}/{flow}/{self.generation(table, flow)}"
        return hashlib.sha256(identity.encode()).hexdigest()[:32]

    def _checkpoints(self, table: TableName) -> Path:
        return self.root / "checkpoints" / _safe(self.pipeline) / _safe(str(table))

    def _schemas(self, flow: str) -> Path:
        return self.root / "schemas" / _safe(self.pipeline) / _safe(flow)

    def _state(self, table: TableName) -> Path:
        return self.root / "state" / _safe(table.catalog) / _safe(table.schema) / _safe(table.table)

    @staticmethod
    def _newest(folder: Path) -> Path:
        numbers = [int(name) for name in durable_files.names(folder) if name.isdigit()]
        return folder / str(max(numbers, default=0))

    def _next(self, folder: Path) -> None:
        durable_files.make_folder(folder / str(int(self._newest(folder).name) + 1))

    # --- full refreshes that are underway

    def begin_reset(self, table: TableName) -> None:
        """Notes that a full refresh of the table has begun, for the case that the machine stops."""
        durable_files.write_atomically(self._reset(table), "")

    def end_reset(self, table: TableName) -> None:
        """Notes that the table is empty and its flows start anew, or that the view was computed."""
        durable_files.delete(self._reset(table))

    def reset_underway(self, table: TableName) -> bool:
        """Whether a full refresh of the table has begun and not ended."""
        return self._reset(table).exists()

    def _reset(self, table: TableName) -> Path:
        return self.root / "system" / "resets" / _safe(str(table))

    # --- records

    def record(self, name: TableName) -> TableRecord | None:
        """What is remembered of a table, if anything.

        Raises UsageError if a newer version of this program wrote it.
        """
        return _read_record(self._record(str(name)))

    def records(self) -> list[TableRecord]:
        """All tables of all pipelines, by name."""
        folder = self.root / "system" / "tables"
        names = sorted(durable_files.names(folder))
        records = [_read_record(folder / name) for name in names if name.endswith(".json")]
        return [record for record in records if record is not None]

    def remember(self, record: TableRecord) -> None:
        """Replaces a table's record."""
        text = stored_json.dump(_RECORD_VERSION, asdict(record))
        durable_files.write_atomically(self._record(record.name), text)

    def _record(self, name: str) -> Path:
        return self.root / "system" / "tables" / f"{_safe(name)}.json"

    # --- maintenance

    def maintained_at(self) -> datetime | None:
        """When the tables of the pipeline were last maintained; None before its first update."""
        path = self._maintenance()
        text = durable_files.read_text(path)
        if text is None:
            return None
        return datetime.fromisoformat(stored_json.load(text, _MAINTENANCE_VERSION, path)["at"])

    def note_maintenance(self, now: datetime) -> None:
        """Notes that they were."""
        text = stored_json.dump(_MAINTENANCE_VERSION, {"at": now.isoformat()})
        durable_files.write_atomically(self._maintenance(), text)

    def _maintenance(self) -> Path:
        return self.root / "system" / "maintenance" / f"{_safe(self.pipeline)}.json"

    def delete_pipeline(self) -> None:
        """Deletes this pipeline's tables, its progress and its journals; the records go last.

        Done again, it goes on where it was interrupted. The caller holds the update lock.
        """
        own_records = [record for record in self.records() if record.pipeline == self.pipeline]
        names = [TableName(*record.name.split(".", 2)) for record in own_records]
        for name in names:
            durable_files.delete(self.table(name))
            durable_files.delete(self._state(name))
        for kind in ("checkpoints", "schemas"):
            durable_files.delete(self.root / kind / _safe(self.pipeline))
        durable_files.delete(self.journals())
        durable_files.delete(self.dependencies())
        durable_files.delete(self.analysis())
        for record in own_records:
            durable_files.delete(self._record(record.name))

    # --- updates

    def journal(self, update: str) -> Path:
        """File of one update's events."""
        return self.journals() / f"{_safe(update)}.jsonl"

    def ended_journal(self, update: str) -> Path:
        """The same, once the event log has its events."""
        return self.journals() / "done" / self.journal(update).name

    def lineage(self) -> Path:
        """File of the column lineage and the plans of this pipeline's flows."""
        return self.root / "system" / "lineage" / f"{_safe(self.pipeline)}.json"

    def analysis(self) -> Path:
        """File of what the analysis of its queries gave."""
        return self.root / "system" / "analysis" / f"{_safe(self.pipeline)}.json"

    def dependencies(self) -> Path:
        """File of what its last update depended on, if that was complete."""
        return self.root / "system" / "dependencies" / f"{_safe(self.pipeline)}.json"

    def journals(self) -> Path:
        """Folder of this pipeline's journals."""
        return self.root / "system" / "journal" / _safe(self.pipeline)

    def of_each_pipeline(self) -> list[Storage]:
        """The same storage, seen by each pipeline that has journals."""
        folders = durable_files.names(self.journals().parent)
        return [Storage(self.root, unquote(name)) for name in sorted(folders)]

    @contextmanager
    def update_lock(self) -> Iterator[None]:
        """Held while an update runs; the system frees it even after `kill -9`."""
        with ExitStack() as stack:
            try:
                path = self.root / "system" / "locks" / _safe(self.pipeline)
                stack.enter_context(durable_files.lock(path))
            except BlockingIOError:
                raise UpdateActive(
                    "UPDATE_ALREADY_RUNNING",
                    f"an update of pipeline '{self.pipeline}' is running in {self.root}.",
                    hint="wait for it to end; it was left alone",
                ) from None
            yield


def delta_version(folder: Path) -> int:
    """The newest version of a Delta table, -1 if there is none."""
    names = durable_files.names(folder / "_delta_log")
    stems = (name.removesuffix(".json") for name in names if name.endswith(".json"))
    return max((int(stem) for stem in stems if stem.isdigit()), default=-1)


def _read_record(path: Path) -> TableRecord | None:
    text = durable_files.read_text(path)
    if text is None:
        return None
    values = stored_json.load(text, _RECORD_VERSION, path)
    return TableRecord(**stored_json.known_fields(TableRecord, values))


def _safe(name: str) -> str:
    """A name as one path component: it can never lead out of its folder."""
    quoted = quote(name, safe=" ._-+@")
    return quoted.replace(".", "%2E") if set(quoted) <= {"."} else quoted
