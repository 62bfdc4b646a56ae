"""Reports the transactions that a new slot or a lock waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import connection as Connection

from local_shim.dms.source.connection import Source, connected
from local_shim.errors import ShimError

_BEFORE_THE_FIRST_WORD = 1.0  # seconds; shorter waits are normal and not reported
_BETWEEN_LOOKS = 5.0
_WRITERS = """
SELECT 'pid ' || pid || ' (' || concat_ws(', ', nullif(application_name, ''), usename, state)
       || '), open since ' || to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
FROM pg_stat_activity
WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
UNION ALL
SELECT 'the prepared transaction ' || gid || ', open since '
       || to_char(prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
FROM pg_prepared_xacts
ORDER BY 1
"""


def open_transactions(connection: Connection) -> list[str]:
    """Every transaction that has written something and is still open, for people."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITERS)
        return [row[0] for row in cursor.fetchall()]


@contextmanager
def reporting_waits(source: Source, what: str, report: Callable[[str], None]) -> Iterator[None]:
    """Report for whom the block waits, once for each transaction, if it takes long."""
    finished = threading.Event()
    watcher = threading.Thread(target=_watch, args=(source, what, report, finished), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        finished.set()
        watcher.join()


def _watch(
    source: Source, what: str, report: Callable[[str], None], finished: threading.Event
) -> None:
    reported: set[str] = set()
    delay = _BEFORE_THE_FIRST_WORD
    while not finished.wait(delay):
        delay = _BETWEEN_LOOKS
        try:
            with connected(source) as connection:
                transactions = open_transactions(connection)
        except (psycopg2.Error, ShimError):
            continue  # the block itself will find that the server is gone
        for transaction in transactions:
            if transaction not in reported and not finished.is_set():
                reported.add(transaction)
                report(f"{what} waits for {transaction}")
