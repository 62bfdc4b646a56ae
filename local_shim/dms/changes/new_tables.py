"""Tables that are created while a task runs: published, loaded, and then replicated.

A table is published under a lock that keeps writers out for a moment. The snapshot of its load is
taken under the same lock, so each row is in the load or in the stream, never in both. Rows of the
stream before the lock, which an attempt that was killed may have published, are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import psycopg2
from psycopg2 import sql

from local_shim.dms.full_load import LoadNames, Stamps, load_table, selected_tables
from local_shim.dms.publishing.state import State
from local_shim.dms.source.catalog import Catalog, CatalogTable
from local_shim.dms.source.connection import connect
from local_shim.dms.source.open_transactions import open_transactions
from local_shim.dms.source.slot import current_position, published, sync_publications
from local_shim.dms.task_session import Session

_SECONDS_BETWEEN_LOOKS = 2.0
_LOCK_TIMEOUT = "2s"  # others queue behind us while we wait for the lock


class NewTables:
    """Finds tables that the task does not replicate yet, and takes them."""

    def __init__(self, session: Session, catalog: Catalog):
        self._session = session
        self._catalog = catalog
        self._next_look = session.clock.elapsed() + _SECONDS_BETWEEN_LOOKS
        self._refused: set[tuple[int, str]] = set()

    def are_due(self) -> bool:
        """Whether tables were created, dropped or changed, so that the publications must change."""
        if self._session.clock.elapsed() < self._next_look:
            return False
        self._next_look = self._session.clock.elapsed() + _SECONDS_BETWEEN_LOOKS
        tables = selected_tables(self._session.task, self._catalog)
        waiting = [table for table in tables if self._is_new(table)]
        if waiting and not all(self._was_refused(table) for table in waiting):
            return True
        rest = [table for table in tables if table not in waiting]
        return self._publications_differ(rest)

    def take(self) -> None:
        """Publish the selected tables, loading first what the new ones hold."""
        tables = selected_tables(self._session.task, self._catalog)
        replicated = [table for table in tables if not self._is_new(table)]
        if self._publications_differ(replicated):
            sync_publications(self._session.connection, self._session.state.publication, replicated)
        for table in tables:
            if self._is_new(table) and self._load(table, replicated):
                replicated.append(table)

    def _is_new(self, table: CatalogTable) -> bool:
        return is_new(self._session.state, table)

    def _was_refused(self, table: CatalogTable) -> bool:
        return any(oid == table.oid for oid, _ in self._refused)

    def _publications_differ(self, tables: Sequence[CatalogTable]) -> bool:
        name = self._session.state.publication
        return published(self._session.connection, name) != {
            (table.schema, table.name, table.tells_old_rows) for table in tables
        }

    def _load(self, table: CatalogTable, replicated: Sequence[CatalogTable]) -> bool:
        try:
            rows = self._publish_and_load(table, replicated)
        except psycopg2.Error as error:
            if self._session.connection.closed:
                raise
            self._refuse(table, error)
            return False
        self._session.report(
            f"{table.full_name} is new: {rows:,} rows that it held were loaded, "
            "its changes are taken from here on"
        )
        return True

    def _refuse(self, table: CatalogTable, error: psycopg2.Error) -> None:
        """The table is not taken yet, nothing of it is lost: the next look tries again."""
        reason = " ".join(str(error).split())
        if isinstance(error, psycopg2.errors.LockNotAvailable):
            blockers = open_transactions(self._session.connection)
            reason = f"it is locked ({'; '.join(blockers)})" if blockers else "it is locked"
        if (table.oid, reason) not in self._refused:
            self._session.report(f"{table.full_name} is new and cannot be taken yet: {reason}")
            self._refused.add((table.oid, reason))

    def _publish_and_load(self, table: CatalogTable, replicated: Sequence[CatalogTable]) -> int:
        session, source = self._session, self._session.task.source
        with (
            closing(connect(source)) as locker,
            closing(connect(source, self._catalog.data_encoding())) as reader,
        ):
            with locker.cursor() as lock, reader.cursor() as snapshot:
                lock.execute(f"BEGIN; SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
                lock.execute(
                    sql.SQL("LOCK TABLE ONLY {} IN SHARE ROW EXCLUSIVE MODE").format(
                        sql.Identifier(table.schema, table.name)
                    )
                )
                position = current_position(locker)
                snapshot.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1")
                sync_publications(locker, session.state.publication, [*replicated, table])
                lock.execute("COMMIT")
            stamps = Stamps(session.clock.now(), session.clock, session.task.s3.task_start_time)
            names = LoadNames(session.task.s3.extension, session.publisher.bucket.exists)
            context = session.context(self._catalog)
            load = load_table(context, session.publisher, reader, table, names, stamps)
        state = session.state
        table_state = replace(load.state, mark_lsn=position, mark_rows=0)
        tables = {**state.tables, table.full_name: table_state}
        session.publisher.deliver_load(load.moves, replace(state, tables=tables))
        return load.rows


def is_new(state: State, table: CatalogTable) -> bool:
    """Whether the task has neither loaded this table nor read a change of it, under any name."""
    by_name = state.tables.get(table.full_name)
    if by_name is not None and by_name.oid in (0, table.oid):
        return False  # 0: written before states knew the table's number
    return table.oid not in {table_state.oid for table_state in state.tables.values()}
