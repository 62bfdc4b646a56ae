"""The tables of a running stream: their shapes, and how far their rows have been written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import cast

from local_shim.dms.errors import TaskFailed
from local_shim.dms.publishing.state import START, RowPosition, TableState
from local_shim.dms.s3.column_clashes import tell_clashes
from local_shim.dms.s3.control import Exceptions
from local_shim.dms.s3.conversions import UnfitValue
from local_shim.dms.s3.file_schema import Facts, Fields, FileSchema
from local_shim.dms.source.catalog import Catalog, CatalogColumn, CatalogTable
from local_shim.dms.source.change import UNCHANGED, Relation, RowChange, Value
from local_shim.dms.source.lookup import Lookup, LookupFailed
from local_shim.dms.source.table_name import full_table_name
from local_shim.dms.task import Task

Columns = tuple[tuple[str, int, int], ...]  # name, type, type modifier


class RecordIgnored(Exception):
    """A row that an error policy leaves out."""


@dataclass(frozen=True)
class TaskContext:
    """What every stream of a task shares."""

    task: Task
    catalog: Catalog
    lookup: Lookup
    exceptions: Exceptions
    report: Callable[[str], None]


class TableStream:
    """One table: rows in, fields out."""

    def __init__(self, context: TaskContext, relation: Relation, state: TableState | None):
        self._context = context
        self.name = full_table_name(relation.schema, relation.table)
        self.oid = relation.oid
        self._relation = relation
        self._schema: FileSchema | None = None
        self._projection: list[int | None] | None = None
        self._key_places: list[int] = []
        self.relation_is_new = True
        self.columns = state.columns if state else ()
        self.key = state.key if state else ()
        replays = context.task.stand_in.faults.replay_transactions
        self._published = START if state is None or replays else state.published
        self._written = START  # since the stream was (re)started

    @property
    def file_schema(self) -> FileSchema:
        """The columns of its files."""
        if self._schema is None:
            self.adopt()
        assert self._schema is not None
        return self._schema

    def described(self, relation: Relation) -> None:
        """Takes a description of the table from the server."""
        if relation != self._relation or self._schema is None:
            self._relation = relation
            self.relation_is_new = True

    def adopt(self) -> bool:
        """Uses the newest description; True if it differs from the one in use."""
        described_columns = tuple((c.name, c.type_oid, c.typmod) for c in self._relation.columns)
        changed = bool(self.columns) and described_columns != self.columns
        keep_old = changed and not self._context.task.settings.handle_alter
        columns = self.columns if keep_old else described_columns
        # Read the catalog first: if that fails, nothing has changed yet.
        key = self._current_key(columns)
        self._schema = self._new_file_schema(columns, key)
        places = {name: i for i, (name, _, _) in enumerate(described_columns)}
        self._projection = [places.get(c[0]) for c in columns] if keep_old else None
        self.columns, self.key = columns, key
        self.relation_is_new = False
        return changed

    @property
    def position(self) -> RowPosition:
        """The last row that lies in a file, open or published."""
        return max(self._published, self._written)

    def next_row(self, final_lsn: int) -> RowPosition:
        """The position of the table's next row, which belongs to this transaction."""
        lsn, ordinal = self._written
        return (final_lsn, ordinal + 1 if lsn == final_lsn else 1)

    def is_replayed(self, position: RowPosition) -> bool:
        """Whether the row was in a file before the stream was (re)started."""
        return position <= self._published

    def advance(self, position: RowPosition) -> None:
        """The row at this position is in a file, or was left out; called after it was written."""
        self._written = position

    def restart(self) -> None:
        """The stream starts again: what is in files now will be skipped when it comes again."""
        self._published, self._written = self.position, START

    def fields(self, change: RowChange, facts: Facts, raw: bytes | None) -> Fields:
        """The row as fields of its file; `raw` is the message that holds it.

        Raises:
            RecordIgnored: The error policy leaves the row out.
            TaskFailed: The error policy stops the task.
        """
        op, _, old, old_is_key, new = change
        row = new if new is not None else old or []
        if self._projection is not None:
            old, row = old and self._project(old), self._project(row)
        if op == "U" and UNCHANGED in row:
            row = self._completed(row, None if old_is_key else old)
            raw = None  # what was looked up may be of any length
        values, old_values = cast("Fields", row), cast("Fields | None", old)  # all are there now
        return self.file_schema.row(op, values, old_values, facts, raw, self._unfit)

    def bad_text(self, what: str) -> None:
        """A row held bytes that are not UTF-8; they are replaced, or the task stops."""
        schema, table = self._relation.schema, self._relation.table
        if self._context.task.settings.data_error_policy == "STOP_TASK":
            raise TaskFailed(
                "DMS_INVALID_TEXT",
                f"{self.name} holds text that is not UTF-8: {what}.",
                hint='mend the row, or set "DataErrorPolicy": "LOG_ERROR" to replace the bytes',
            )
        self._context.exceptions.add(schema, table, what, "invalid UTF-8, replaced by U+FFFD")
        self._context.report(f"{self.name}: invalid UTF-8 replaced ({what})")

    def _project(self, row: list[Value]) -> list[Value]:
        """The row in the old columns, when a change of the table is not handled."""
        places = self._projection or []
        return [None if place is None else row[place] for place in places]

    def _current_key(self, columns: Columns) -> tuple[str, ...]:
        """The key as of this position of the stream; the catalog only knows today's.

        The stream names the columns of a primary key, but not their order.
        """
        table = self._context.catalog.table(self._relation.oid)
        key = table.key if table is not None else self.key
        identity = tuple(c.name for c in self._relation.columns if c.identity)
        if self._relation.identity == "d" and identity and set(key) != set(identity):
            key = identity
        names = {name for name, _, _ in columns}
        return tuple(name for name in key if name in names)

    def _new_file_schema(self, columns: Columns, key: tuple[str, ...]) -> FileSchema:
        task, relation = self._context.task, self._relation
        table = CatalogTable(
            relation.oid,
            relation.schema,
            relation.table,
            tuple(CatalogColumn(*column) for column in columns),
            key,
        )
        self._key_places = [i for i, c in enumerate(table.columns) if c.name in key]
        return new_file_schema(
            task, self._context.catalog, table, load=False, report=self._context.report
        )

    def _completed(self, row: list[Value], old: list[Value] | None) -> list[Value]:
        """The row with the values that the server did not send."""
        missing = [i for i, value in enumerate(row) if value is UNCHANGED]
        values: Sequence[Value] | None = [old[i] for i in missing] if old else None
        if values is None and self._context.task.stand_in.toast == "lookup" and self._key_places:
            table = self.file_schema.table
            try:
                values = self._context.lookup.values(table, self._key_places, row, missing)
            except LookupFailed as failure:
                self._lookup_failed(row, missing, failure)
        completed = list(row)
        for place, value in zip(missing, values or [None] * len(missing), strict=True):
            completed[place] = value
        return completed

    def _lookup_failed(
        self, row: Sequence[Value], missing: Sequence[int], failure: LookupFailed
    ) -> None:
        """The row is written with NULL; the rest of the task goes on."""
        table = self.file_schema.table
        columns = ", ".join(table.columns[i].name for i in missing)
        key = {table.columns[i].name: row[i] for i in self._key_places}
        self._context.exceptions.add(
            table.schema, table.name, f"{columns} of row {key}", f"look-up failed: {failure}"
        )
        self._context.report(
            f"{table.full_name}: {columns} could not be looked up and is NULL: {failure}"
        )

    def _unfit(self, column: str, unfit: UnfitValue, row: Sequence[bytes | None]) -> None:
        settings = self._context.task.settings
        policy = settings.truncation_policy if unfit.truncated else settings.data_error_policy
        handle_unfit(self._context, self.file_schema.table, column, unfit, row, policy)


class Streams:
    """The table streams by the server's table number."""

    def __init__(self, context: TaskContext, initial_states: dict[str, TableState]):
        self._context = context
        self._initial_states = initial_states
        self._by_oid: dict[int, TableStream] = {}

    def of(self, oid: int) -> TableStream:
        """The stream of a table that was described before."""
        return self._by_oid[oid]

    def described(self, relation: Relation) -> None:
        """Take a table's shape; a table that has no stream yet, or a new name, begins a stream."""
        stream = self._by_oid.get(relation.oid)
        name = full_table_name(relation.schema, relation.table)
        if stream is not None and stream.name == name:
            stream.described(relation)
            return
        state = self._initial_states.get(name)
        self._by_oid[relation.oid] = TableStream(self._context, relation, state)

    def restart(self) -> None:
        """The server will send from an earlier position."""
        for stream in self._by_oid.values():
            stream.restart()

    def states(
        self, previous: dict[str, TableState], growing: Collection[str]
    ) -> dict[str, TableState]:
        """The tables' states; those with rows in open files keep their published marks."""
        states = dict(previous)
        for stream in self._by_oid.values():
            old = states.get(stream.name, TableState())
            new = replace(old, oid=stream.oid, columns=stream.columns, key=stream.key)
            if stream.name not in growing:
                lsn, ordinal = stream.position
                new = replace(new, mark_lsn=lsn, mark_rows=ordinal)
            states[stream.name] = new
        return states


def handle_unfit(
    context: TaskContext,
    table: CatalogTable,
    column: str,
    unfit: UnfitValue,
    row: Sequence[bytes | None],
    policy: str,
) -> None:
    """Do with a value that does not fit what the task's error policy says."""
    key = {
        c.name: (value or b"").decode("utf-8", "replace")
        for c, value in zip(table.columns, row, strict=False)
        if c.name in table.key
    }
    if policy == "STOP_TASK":
        raise TaskFailed(
            "DMS_VALUE_UNFIT",
            f"{table.full_name}.{column} of row {key}: {unfit.reason}.",
            hint="raise LobMaxSize, mend the row, or set the error policy to LOG_ERROR",
        )
    context.exceptions.add(table.schema, table.name, f"{column} of row {key}", unfit.reason)
    if policy == "IGNORE_RECORD":
        raise RecordIgnored


def new_file_schema(
    task: Task,
    catalog: Catalog,
    table: CatalogTable,
    *,
    load: bool,
    report: Callable[[str], None],
) -> FileSchema:
    """The columns of a table's files in the full load or in the changes."""
    types = []
    for column in table.columns:
        type_ = catalog.column_type(column.type_oid, column.typmod)
        if not type_.has_rule:
            report(
                f"{table.full_name}.{column.name} is of type {catalog.type_name(column.type_oid)}, "
                "which DMS has no rule for: its text is written"
            )
        types.append(type_)
    plan = task.mapping.plan(table.schema, table.name, [c.name for c in table.columns])
    schema = FileSchema(
        table, types, plan, task.s3, task.value_rules(table.schema, table.name), load=load
    )
    tell_clashes(schema, report, refuse=load)
    return schema
