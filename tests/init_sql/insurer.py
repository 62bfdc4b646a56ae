"""A database of the test server, and the business that can be lived in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol

import psycopg2

INIT_SQL = Path(__file__).parents[2] / "init_sql"
AS_OF = date(2026, 6, 30)

Row = tuple[object, ...]


class Database:
    """One database of the test server; every call is a transaction of its own."""

    def __init__(self, uri: str) -> None:
        self.connection = psycopg2.connect(uri)
        self.connection.autocommit = True

    def run(self, sql: str, *values: object) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values or None)

    def rows(self, sql: str, *values: object) -> list[Row]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return cursor.fetchall()

    def value(self, sql: str, *values: object) -> object:
        return self.rows(sql, *values)[0][0]

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What happens inside is one transaction, and is rolled back."""
        self.run("BEGIN")
        try:
            yield
        finally:
            self.run("ROLLBACK")

    def open_book(self, parties: int, seed: int, years: int = 3) -> None:
        self.run(
            "CALL open_book(parties => %s, years => %s, seed => %s, as_of => %s)",
            *(parties, years, seed, AS_OF),
        )

    def live(self, days: int) -> None:
        first = self.value("SELECT closed_day FROM sim.book")
        assert isinstance(first, date)
        for number in range(1, days + 1):
            self.run("CALL live_day(%s)", first + timedelta(days=number))


def apply_init_sql(database: Database) -> None:
    for script in sorted(INIT_SQL.glob("*.sql")):
        database.run(script.read_text())


class OpenBook(Protocol):
    """Opens a book of so many parties and years, drawn with this seed."""

    def __call__(self, parties: int, seed: int, years: int = 3) -> Database: ...
