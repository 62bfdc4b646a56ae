"""The full load: every selected table, copied from the snapshot in which the slot begins.

Nothing appears in the bucket before all tables are copied. A crash in the middle therefore
leaves no half of a load that a reader could have taken for the whole; the next run starts over.

[choice] MaxFileSize holds for Parquet too, measured before encoding.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from local_shim.dms.changes.table_stream import (
    RecordIgnored,
    TaskContext,
    handle_unfit,
    new_file_schema,
)
from local_shim.dms.clock import Clock, timestamp_text
from local_shim.dms.publishing.publisher import Publisher
from local_shim.dms.publishing.state import Counts, Move, TableState
from local_shim.dms.s3.conversions import UnfitValue
from local_shim.dms.s3.data_file import DataFile, open_file
from local_shim.dms.s3.file_schema import Facts, FileSchema
from local_shim.dms.s3.object_keys import load_name
from local_shim.dms.source.catalog import Catalog, CatalogTable
from local_shim.dms.task import Task

_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


class Stamps:
    """The timestamp column of load rows: the task's start, or a time that rises row by row."""

    def __init__(self, start: int, clock: Clock, settings_say_start: bool):
        self._last = start
        self._clock = clock
        self._start = timestamp_text(start) if settings_say_start else None

    def next(self) -> bytes:
        """The next row's timestamp."""
        if self._start is not None:
            return self._start
        self._last = max(self._last + 1, self._clock.now())
        return timestamp_text(self._last)


class LoadNames:
    """Counts the LOAD files of each folder, which several tables may share by rename rules."""

    def __init__(self, extension: str, exists: Callable[[str], bool] = lambda key: False):
        self._extension = extension
        self._exists = exists
        self._numbers: Counter[str] = Counter()

    def next(self, folder: str) -> str:
        """The key of the folder's next LOAD file; keys that exist are passed over."""
        while True:
            self._numbers[folder] += 1
            key = f"{folder}/{load_name(self._numbers[folder], self._extension)}"
            if not self._exists(key):
                return key


class TableLoad:
    """Takes the lines of one table's COPY and writes its LOAD files."""

    def __init__(
        self,
        context: TaskContext,
        publisher: Publisher,
        table: CatalogTable,
        schema: FileSchema,
        names: LoadNames,
        stamps: Stamps,
    ):
        self.rows = 0
        self.moves: list[Move] = []
        self._context = context
        self._publisher = publisher
        self._table = table
        self._schema = schema
        self._names = names
        self._stamps = stamps
        self._file: DataFile | None = None

    def write(self, line: bytes) -> int:
        """One row in COPY's text form; psycopg2 calls this for each."""
        values = parse_copy_line(line)
        try:
            fields = self._schema.row(
                "I", values, None, Facts(self._stamps.next()), line, self._unfit
            )
        except RecordIgnored:
            return len(line)
        file = self._file or self._open()
        file.append(fields)
        self.rows += 1
        if self.rows % 1_000_000 == 0:
            self._context.report(f"{self._table.full_name}: {self.rows:,} rows so far")
        if file.size >= self._context.task.s3.max_load_bytes:
            self.close()
        return len(line)

    @property
    def state(self) -> TableState:
        """The table as the task remembers it after the load."""
        return TableState(
            self._table.oid,
            tuple((c.name, c.type_oid, c.typmod) for c in self._table.columns),
            self._table.key,
            rewritten_before=self._context.catalog.rewritten(self._table),
            counts=Counts(self.rows),
        )

    def close(self) -> None:
        """Finish the open file, if any."""
        if self._file is None:
            return
        self._file.close()
        plan = self._schema.plan
        key = self._names.next(self._publisher.bucket.table_folder(plan.schema, plan.table))
        in_files = sum(move.rows["I"] for move in self.moves)
        self.moves.append(Move(self._file.path.name, key, rows={"I": self.rows - in_files}))
        self._file = None

    def _open(self) -> DataFile:
        task = self._context.task
        self._file = open_file(
            self._publisher.bucket.new_file(),
            self._schema,
            task.s3,
            boolean=task.endpoint.boolean_as_boolean,
            on_bad_text=self._bad_text,
        )
        return self._file

    def _bad_text(self, what: str) -> None:
        unfit = UnfitValue(None, f"invalid UTF-8, replaced by U+FFFD: {what}")
        policy = self._context.task.settings.data_error_policy
        policy = "LOG_ERROR" if policy == "IGNORE_RECORD" else policy
        handle_unfit(self._context, self._table, "a column", unfit, [None] * 0, policy)

    def _unfit(self, column: str, unfit: UnfitValue, row: Sequence[bytes | None]) -> None:
        settings = self._context.task.settings
        policy = settings.truncation_policy if unfit.truncated else settings.data_error_policy
        handle_unfit(self._context, self._table, column, unfit, row, policy)


def parse_copy_line(line: bytes) -> list[bytes | None]:
    r"""The values of a line of COPY's text form: tab-separated, `\N` for NULL, `\t` for a tab."""
    fields = line[:-1].split(b"\t")
    if b"\\" not in line:
        return fields  # type: ignore[return-value]
    return [
        None if field == b"\\N" else _unescaped(field) if b"\\" in field else field
        for field in fields
    ]


def _unescaped(field: bytes) -> bytes:
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), field)


def selected_tables(task: Task, catalog: Catalog) -> list[CatalogTable]:
    """The tables that the mapping takes, in the order of the load."""
    tables = [t for t in catalog.tables() if task.mapping.selects(t.schema, t.name) and t.columns]
    return sorted(tables, key=lambda t: -task.mapping.load_order(t.schema, t.name))


def load_tables(
    context: TaskContext,
    publisher: Publisher,
    connection: Connection,
    tables: Sequence[CatalogTable],
    stamps: Stamps,
) -> tuple[list[Move], dict[str, TableState]]:
    """Copy tables inside the connection's transaction; files are finished but not visible."""
    moves: list[Move] = []
    states = {}
    names = LoadNames(context.task.s3.extension)
    for number, table in enumerate(tables, 1):
        load = load_table(context, publisher, connection, table, names, stamps)
        moves += load.moves
        states[table.full_name] = load.state
        context.report(f"{number}/{len(tables)} {table.full_name}: {load.rows:,} rows")
    return moves, states


def deliver_load(
    task: Task,
    publisher: Publisher,
    tables: Sequence[CatalogTable],
    loaded: tuple[list[Move], dict[str, TableState]],
    position: int,
    report: Callable[[str], None],
) -> None:
    """Make the load visible; what an earlier one left is deleted if the task says so."""
    moves, states = loaded
    fresh = task.settings.prep_mode != "DO_NOTHING"
    if fresh:
        for table in tables:
            plan = task.mapping.plan(table.schema, table.name, ())
            publisher.bucket.remove_folder(publisher.bucket.table_folder(plan.schema, plan.table))
    else:
        for move in moves:
            if publisher.bucket.exists(move.key):
                report(f"{move.key} of an earlier load is replaced, as with DMS")
        moves = [replace(move, replaces=True) for move in moves]
    state = publisher.state
    for name, previous in state.tables.items():
        if not fresh and name in states:
            counts = replace(previous.counts, full_load_rows=states[name].counts.full_load_rows)
            states[name] = replace(states[name], counts=counts)
        if name in states:
            states[name] = replace(states[name], last_name=previous.last_name)
    publisher.deliver_load(
        moves,
        replace(state, phase="running", confirmed=position, tables=states, positions=(), held=()),
    )


def load_table(
    context: TaskContext,
    publisher: Publisher,
    connection: Connection,
    table: CatalogTable,
    names: LoadNames,
    stamps: Stamps,
) -> TableLoad:
    """Copy one table inside the connection's transaction."""
    schema = new_file_schema(context.task, context.catalog, table, load=True, report=context.report)
    load = TableLoad(context, publisher, table, schema, names, stamps)
    query = sql.SQL("COPY (SELECT {} FROM ONLY {}) TO STDOUT").format(
        sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns),
        sql.Identifier(table.schema, table.name),
    )
    with connection.cursor() as cursor:
        cursor.copy_expert(query, load)
    load.close()
    return load
