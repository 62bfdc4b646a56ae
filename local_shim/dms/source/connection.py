"""Connections to the source, all speaking the same dialect of text; nothing secret is shown."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import make_dsn, parse_dsn
from psycopg2.extras import LogicalReplicationConnection

from local_shim.errors import SetupError, UsageError

# One dialect for the full load and for the slot, whatever the server or the user prefers.
_DIALECT = " ".join(
    f"-c {name}"
    for name in (
        "TimeZone=UTC",
        "DateStyle=ISO",
        "IntervalStyle=postgres",
        "extra_float_digits=1",
        "bytea_output=hex",
        "xmlbinary=base64",
        "lc_monetary=C",
        "search_path=pg_catalog",  # type names and casts mean the same to everybody
        "statement_timeout=0",
        "idle_in_transaction_session_timeout=0",
    )
)


@dataclass(frozen=True)
class Source:
    """Where the database is: a libpq URI, `service=NAME`, or empty for libpq's environment."""

    dsn: str

    def __repr__(self) -> str:
        """Without the password: a traceback or a log may show it."""
        return f"Source({self.describe()})"

    def describe(self) -> str:
        """The source for people: host, port, database; never a password."""
        try:
            parts = parse_dsn(self.dsn)
        except psycopg2.ProgrammingError:
            return "a source that libpq cannot read"
        keys = ("service", "host", "port", "dbname", "user")
        return " ".join(f"{key}={parts[key]}" for key in keys if key in parts) or "libpq defaults"

    def arguments(self, encoding: str = "UTF8", lock_timeout: int = 0) -> dict[str, Any]:
        """Keyword arguments for psycopg2; `lock_timeout` in seconds, 0 for none.

        Raises:
            UsageError: libpq cannot read the URI.
        """
        try:
            parts: dict[str, Any] = dict(parse_dsn(self.dsn))
        except psycopg2.ProgrammingError:
            raise UsageError(
                "DMS_SOURCE_INVALID",
                "The source is not a libpq URI or keyword string.",
                hint="postgresql://USER@HOST:PORT/DATABASE, or service=NAME",
            ) from None
        timeout = f"-c lock_timeout={lock_timeout}s"
        parts["options"] = f"{parts.get('options', '')} {_DIALECT} {timeout}".strip()
        return {
            "application_name": "dlt-local dms",
            "connect_timeout": "15",
            **parts,
            "client_encoding": encoding,
        }


def connect(source: Source, encoding: str = "UTF8") -> Connection:
    """An ordinary connection in autocommit.

    Raises:
        SetupError: The server cannot be reached or refuses us.
    """
    try:
        connection: Connection = psycopg2.connect(**source.arguments(encoding))
    except psycopg2.OperationalError as error:
        raise _unreachable(source, error) from None
    connection.autocommit = True
    return connection


def connect_replication(
    source: Source, encoding: str = "UTF8", lock_timeout: int = 0
) -> LogicalReplicationConnection:
    """A connection that speaks the replication protocol.

    Raises:
        SetupError: The server cannot be reached or refuses us.
    """
    dsn = make_dsn(**source.arguments(encoding, lock_timeout))
    try:
        return psycopg2.connect(dsn, connection_factory=LogicalReplicationConnection)
    except psycopg2.OperationalError as error:
        raise _unreachable(source, error) from None


def replication_dsn(source: Source, encoding: str) -> str:
    """The connection string of a stream, for libpq."""
    dsn: str = make_dsn(**source.arguments(encoding))
    return dsn


class Link:
    """An ordinary connection, opened when first used and again after it was lost."""

    def __init__(self, source: Source):
        self._source = source
        self._connection: Connection | None = None

    def connection(self) -> Connection:
        """The connection."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._source)
        return self._connection

    def close(self) -> None:
        """Close it, if there is one."""
        if self._connection is not None:
            self._connection.close()


@contextlib.contextmanager
def linked(source: Source) -> Iterator[Link]:
    """A link, opened at once and closed at the end."""
    link = Link(source)
    link.connection()
    try:
        yield link
    finally:
        link.close()


@contextlib.contextmanager
def connected(source: Source) -> Iterator[Connection]:
    """An ordinary connection, closed at the end."""
    connection = connect(source)
    try:
        yield connection
    finally:
        connection.close()


def hide_password(source: Source) -> None:
    """Overwrite a password that was given on the command line, so that `ps` does not show it.

    Linux keeps the arguments in this process's memory, where /proc/PID/stat says.
    """
    with contextlib.suppress(psycopg2.ProgrammingError):
        secret = str(parse_dsn(source.dsn).get("password") or "")
        stat = Path("/proc/self/stat")
        if secret and stat.exists():
            fields = stat.read_text().rpartition(")")[2].split()
            _overwrite(int(fields[45]), int(fields[46]), source.dsn.encode())


def _overwrite(start: int, end: int, text: bytes) -> None:
    if not 0 < start < end:
        return
    at = ctypes.string_at(start, end - start).find(text)
    if at >= 0:
        ctypes.memmove(start + at, b"x" * len(text), len(text))


def _unreachable(source: Source, error: psycopg2.OperationalError) -> SetupError:
    reason = " ".join(str(error).split())
    hint = "is the server running, and is the URI right?"
    if "replication" in reason and "permission" in reason:
        hint = "ALTER ROLE … WITH REPLICATION, or use a superuser as DMS does"
    elif "password" in reason or "pg_hba" in reason:
        hint = "put the password into ~/.pgpass, a service file or PGPASSWORD"
    return SetupError("DMS_SOURCE_UNREACHABLE", reason, where=source.describe(), hint=hint)
