"""The replication slot and its publications: create, inspect, drop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as Connection
from psycopg2.extras import LogicalReplicationConnection

from local_shim.dms.source.catalog import CatalogTable
from local_shim.errors import SetupError

PLUGIN = "pgoutput"
_DROP_TRIES = 100


@dataclass(frozen=True)
class NewSlot:
    """A new slot: the position where its changes begin, and the snapshot of that moment."""

    lsn: int
    snapshot: str


@dataclass(frozen=True)
class SlotStatus:
    """A slot as the server sees it; `lag` in bytes of WAL."""

    confirmed: int
    active_pid: int | None
    wal_status: str  # reserved, extended, unreserved, lost
    lag: int


def parse_lsn(text: str) -> int:
    """`16/B374D848` as a number."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def create_slot(connection: LogicalReplicationConnection, name: str) -> NewSlot:
    """Make the slot; its snapshot lives until the connection does something else or closes.

    The server waits for all transactions that have written something. The connection's
    lock_timeout bounds the wait for each of them.

    Raises:
        SetupError: The server has no slot left.
        psycopg2.errors.LockNotAvailable: A transaction stayed open for too long.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE_REPLICATION_SLOT "{name}" LOGICAL {PLUGIN} EXPORT_SNAPSHOT')
            row = cursor.fetchone()
    except psycopg2.errors.LockNotAvailable:
        raise
    except (psycopg2.errors.ConfigurationLimitExceeded, psycopg2.OperationalError) as error:
        raise SetupError(
            "DMS_SLOT_LIMIT",
            " ".join(str(error).split()),
            hint="drop slots of tasks that are gone (dlt-local dms drop), "
            "or raise max_replication_slots and max_wal_senders",
        ) from None
    assert row is not None
    return NewSlot(parse_lsn(row[1]), row[2])


def slot_status(connection: Connection, name: str) -> SlotStatus | None:
    """The slot of this name, or None."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT confirmed_flush_lsn::text, active_pid, coalesce(wal_status, 'reserved'),"
            " pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint"
            " FROM pg_replication_slots WHERE slot_name = %s",
            [name],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return SlotStatus(parse_lsn(row[0] or "0/0"), row[1], row[2], int(row[3] or 0))


def drop_slot(connection: Connection, name: str) -> None:
    """Drop the slot if it exists.

    A reader that was killed may still hold the slot until the server notices. The lock of the
    task excludes any other reader, so the holder's connection is terminated.
    """
    with connection.cursor() as cursor:
        for attempt in range(_DROP_TRIES):
            try:
                cursor.execute(
                    "SELECT pg_terminate_backend(active_pid), pg_sleep(0.02)"
                    " FROM pg_replication_slots WHERE slot_name = %s AND active",
                    [name],
                )
                cursor.execute(
                    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                    " WHERE slot_name = %s",
                    [name],
                )
                return
            except psycopg2.errors.ObjectInUse:
                if attempt == _DROP_TRIES - 1:
                    raise


def current_position(connection: Connection) -> int:
    """The end of what the server has written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn()::text")
        row = cursor.fetchone()
    assert row is not None
    return parse_lsn(row[0])


def heartbeat(connection: Connection, task: str) -> None:
    """Write a message into the WAL, so that the slot moves though no table does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_logical_emit_message(false, 'dlt-local dms', %s)", [task])


def flush_wal(connection: Connection) -> int:
    """Commit something, so that all earlier WAL is written out; gives a position after it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SET synchronous_commit = on;"
            "SELECT pg_logical_emit_message(true, 'dlt-local dms', 'caught up?')"
        )
    return current_position(connection)


def publications(name: str) -> tuple[str, str]:
    """Two publications: tables whose old rows are in the WAL, and tables whose inserts are."""
    return name, f"{name}_inserts"


def sync_publications(connection: Connection, name: str, tables: Sequence[CatalogTable]) -> None:
    """Make the publications hold exactly these tables.

    A table that cannot say which row an UPDATE means would make that UPDATE fail at the source
    if its updates were published, so only its inserts are.

    [choice] Updates and deletes of such tables are counted from the server's own statistics,
    which also count what was rolled back.
    """
    keyed, unkeyed = publications(name)
    with _one_transaction(connection):  # a table that moves between them is always in one
        _publish(connection, keyed, [t for t in tables if t.tells_old_rows], "")
        _publish(
            connection, unkeyed, [t for t in tables if not t.tells_old_rows], "insert, truncate"
        )


def drop_publications(connection: Connection, name: str) -> None:
    """Drop both if they exist."""
    with connection.cursor() as cursor:
        for publication in publications(name):
            cursor.execute(
                sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(publication))
            )


def have_publications(connection: Connection, name: str) -> bool:
    """Whether both exist. PostgreSQL 18 ignores a missing one and its changes without an error."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_publication WHERE pubname IN %s", [publications(name)]
        )
        row = cursor.fetchone()
    return row is not None and row[0] == len(publications(name))


def published(connection: Connection, name: str) -> set[tuple[str, str, bool]]:
    """The tables of both publications: schema, name, and whether their updates are published."""
    keyed, _ = publications(name)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname, tablename, pubname = %s FROM pg_publication_tables"
            " WHERE pubname IN %s",
            [keyed, publications(name)],
        )
        return {(row[0], row[1], row[2]) for row in cursor.fetchall()}


@contextmanager
def _one_transaction(connection: Connection) -> Iterator[None]:
    """A transaction of its own, or the one that is open on the connection."""
    if connection.info.transaction_status != TRANSACTION_STATUS_IDLE:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            yield
        except BaseException:
            if not connection.closed:
                cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")


def _publish(
    connection: Connection, name: str, tables: Sequence[CatalogTable], operations: str
) -> None:
    selected = {(table.schema, table.name) for table in tables}
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_publication WHERE pubname = %s", [name])
        if cursor.fetchone() is None:
            everything = "insert, update, delete, truncate"
            cursor.execute(
                sql.SQL("CREATE PUBLICATION {} WITH (publish = {})").format(
                    sql.Identifier(name), sql.Literal(operations or everything)
                )
            )
        cursor.execute(
            "SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = %s", [name]
        )
        present = {(row[0], row[1]) for row in cursor.fetchall()}
        for verb, names in (("ADD", selected - present), ("DROP", present - selected)):
            if names:
                _alter(cursor, name, verb, sorted(names))


def _alter(
    cursor: psycopg2.extensions.cursor, name: str, verb: str, tables: Sequence[tuple[str, str]]
) -> None:
    only = "ONLY " if verb == "ADD" else ""
    cursor.execute(
        sql.SQL("ALTER PUBLICATION {} {} TABLE {}").format(
            sql.Identifier(name),
            sql.SQL(verb),
            sql.SQL(", ").join(sql.SQL(only) + sql.Identifier(*table) for table in tables),
        )
    )
