"""What a task remembers between runs: positions, counters, table shapes, files on their way."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from local_shim import durable_files
from local_shim.errors import ShimError, UsageError

_VERSION = 1

# A row of a table: its transaction's commit position, and its ordinal among the table's rows there.
RowPosition = tuple[int, int]
START: RowPosition = (0, 0)


@dataclass(frozen=True)
class Move:
    """A finished file on its way: from the work folder to its key in the bucket."""

    origin: str
    key: str
    replaces: bool = False  # a reload with DO_NOTHING puts new load files over the old ones
    rows: dict[str, int] = field(default_factory=dict)  # by Op


@dataclass(frozen=True)
class Counts:
    """Rows written for one table, as DescribeTableStatistics names them."""

    full_load_rows: int = 0
    inserts: int = 0
    updates: int = 0
    deletes: int = 0
    ddls: int = 0
    truncates_ignored: int = 0
    ignored_updates: int = 0  # of a table whose old rows are not in the WAL
    ignored_deletes: int = 0

    def plus(self, letters: dict[str, int]) -> Counts:
        """With the rows of a file added, counted by Op."""
        return replace(
            self,
            inserts=self.inserts + letters.get("I", 0),
            updates=self.updates + letters.get("U", 0),
            deletes=self.deletes + letters.get("D", 0),
        )


@dataclass(frozen=True)
class TableState:
    """One source table: its shape, and how far its changes have been published.

    `mark_lsn` is the commit position of the last transaction with a published row, `mark_rows`
    the ordinal of the last published row among the table's rows in that transaction. The server
    sends whole transactions again; rows up to this position are then skipped.
    """

    oid: int = 0  # the table's number on the server; 0 in states written before it was kept
    columns: tuple[tuple[str, int, int], ...] = ()  # name, type, type modifier
    key: tuple[str, ...] = ()
    mark_lsn: int = 0
    mark_rows: int = 0
    last_name: int = 0  # milliseconds, in the newest CDC file's name
    rewritten_before: tuple[int, int] = (0, 0)  # its updates and deletes when the task began
    counts: Counts = field(default_factory=Counts)

    @property
    def published(self) -> RowPosition:
        """The last published row."""
        return self.mark_lsn, self.mark_rows


@dataclass(frozen=True)
class State:
    """A task between two publications."""

    task: str
    slot: str = ""
    publication: str = ""
    database: str = ""
    system: str = ""  # the server's identifier: positions of another server mean nothing
    phase: str = "new"  # new, loading, delivering, running
    confirmed: int = 0
    committed_at: int = 0  # microseconds, commit time of the newest published row
    sequence_time: str = ""
    sequence_counter: int = 0
    tables: dict[str, TableState] = field(default_factory=dict)
    moves: tuple[Move, ...] = ()
    held: tuple[Move, ...] = ()  # files that a fault delays
    positions: tuple[int, ...] = ()  # newest commits, for replaying them on request
    last_name: int = 0  # milliseconds, in the newest file name of preserved transactions


class Store:
    """The task's work folder: its state and its lock."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.path = folder / "state.json"

    def load(self) -> State | None:
        """The state, None for a task that never ran.

        Raises:
            UsageError: The file was written by another version or is damaged.
        """
        try:
            values = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise UsageError("DMS_STATE_DAMAGED", str(error), where=self.path) from None
        if values.pop("version", None) != _VERSION:
            raise UsageError(
                "DMS_STATE_VERSION",
                "The task's state was written by another version.",
                where=self.path,
                hint="dlt-local dms drop, then a new full load",
            )
        ambiguous = [name for name in values["tables"] if name.count(".") > 1 and '"' not in name]
        if ambiguous:  # written before names with dots were quoted
            raise UsageError(
                "DMS_STATE_VERSION",
                f"The task's state does not say which schema {ambiguous[0]} lies in.",
                where=self.path,
                hint="dlt-local dms drop, then a new full load",
            )
        return _state(values)

    def save(self, state: State) -> None:
        """Replace the state; the old one or the new one survives a crash, never half of one."""
        durable_files.write_atomically(
            self.path, json.dumps({"version": _VERSION, **asdict(state)})
        )

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes away from the task.

        Raises:
            ShimError: Another process runs it.
        """
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(durable_files.lock(self.folder / "lock"))
            except BlockingIOError:
                raise ShimError(
                    "DMS_TASK_RUNNING",
                    "Another process is running this task.",
                    where=self.folder,
                    hint="stop it (SIGTERM is clean), or give this one another --target",
                ) from None
            yield


def _state(values: dict[str, Any]) -> State:
    tables = {
        name: TableState(
            columns=tuple((str(c[0]), int(c[1]), int(c[2])) for c in table.pop("columns")),
            key=tuple(table.pop("key")),
            rewritten_before=tuple(table.pop("rewritten_before")),
            counts=Counts(**table.pop("counts")),
            **table,
        )
        for name, table in values.pop("tables").items()
    }
    return State(
        tables=tables,
        moves=tuple(Move(**move) for move in values.pop("moves")),
        held=tuple(Move(**move) for move in values.pop("held")),
        positions=tuple(values.pop("positions")),
        **values,
    )
