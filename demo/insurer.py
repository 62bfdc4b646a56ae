"""The insurer's database: made once, then living business days."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import psycopg2

from demo.place import Place
from local_shim.dms import server

PARTIES = 400
YEARS = 3
OPENING_DAY = date(2026, 6, 30)


class Insurer:
    """A connection to the insurer's own database."""

    def __init__(self, uri: str):
        self.uri = uri
        self.connection = psycopg2.connect(uri)
        self.connection.autocommit = True

    def is_open(self) -> bool:
        """Whether the book was opened in an earlier run."""
        return bool(self.rows("SELECT to_regclass('sim.book') IS NOT NULL")[0][0])

    def open(self, place: Place, parties: int = PARTIES) -> None:
        """Makes the schema, the reference rows and a book of business with history."""
        for path in sorted(place.init_sql.glob("*.sql")):
            self._do(path.read_text())
        self._do(
            f"CALL open_book(parties => {parties}, years => {YEARS}, as_of => '{OPENING_DAY}')"
        )

    def live(self, days: int) -> date:
        """Lives the next business days; gives the last of them."""
        day = self.last_day()
        for _ in range(days):
            day += timedelta(days=1)
            self._do(f"CALL live_day('{day}')")
        return day

    def last_day(self) -> date:
        """The last day that was lived."""
        day: date = self.rows("SELECT closed_day FROM sim.book")[0][0]
        return day

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def _do(self, statement: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)

    def close(self) -> None:
        """Ends the connection."""
        self.connection.close()


@contextmanager
def insurer(place: Place) -> Iterator[Insurer]:
    """The insurer on a private server, which runs no longer than the demo."""
    running = server.start(place.data)
    try:
        connected = Insurer(running.uri)
        try:
            yield connected
        finally:
            connected.close()
    finally:
        server.stop(running)
