"""Random schemas and random lives of their rows; and how a value is read back from a file."""

from __future__ import annotations

import random
import string
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from psycopg2 import sql
from psycopg2.extras import Json

_AWKWARD = string.ascii_letters + string.digits + " \t\n\r\"',;\\|ßéЖ保🏠\u2028"
_EPOCH = datetime(1970, 1, 1)


def _text(rng: random.Random, longest: int) -> str:
    return "".join(rng.choice(_AWKWARD) for _ in range(rng.randint(0, longest)))


def _moment(rng: random.Random) -> datetime:
    return _EPOCH + timedelta(microseconds=rng.randint(-(10**15), 10**16))


def _single(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


@dataclass(frozen=True)
class Type:
    """A column type: its SQL, a random value, the value as the source shows it, CSV's reading."""

    ddl: str
    make: Callable[[random.Random], Any]
    from_csv: Callable[[str], Any] = str
    as_text: bool = False  # compared by PostgreSQL's text
    tidy: Callable[[Any], Any] = lambda value: value


TYPES = (
    Type("smallint", lambda r: r.randint(-32768, 32767), int),
    Type("bigint", lambda r: r.randint(-(2**63), 2**63 - 1), int),
    Type("numeric(12,3)", lambda r: Decimal(r.randint(-(10**12) + 1, 10**12 - 1)) / 1000, Decimal),
    Type("numeric(38,0)", lambda r: Decimal(r.randint(-(10**37), 10**37)), Decimal),
    Type("real", lambda r: _single(r.uniform(-1e9, 1e9)), float, tidy=_single),
    Type("double precision", lambda r: r.uniform(-1e300, 1e300), float),
    Type("boolean", lambda r: r.random() < 0.5, lambda text: {"true": True, "false": False}[text]),
    Type("char(5)", lambda r: _text(r, 5).rstrip(), tidy=lambda v: v.rstrip(" ")),
    Type("varchar(40)", lambda r: _text(r, 40)),
    Type("text", lambda r: _text(r, 60)),
    Type("text", lambda r: "".join(r.choices(string.printable, k=9000))),  # stored apart
    Type("jsonb", lambda r: Json({_text(r, 5): [r.randint(0, 9), None]}), as_text=True),
    Type("int[]", lambda r: [r.randint(0, 99) for _ in range(r.randint(0, 4))], as_text=True),
    Type("uuid", lambda r: str(uuid.UUID(int=r.getrandbits(128))), as_text=True),
    Type("bytea", lambda r: r.randbytes(r.randint(0, 30)), bytes.fromhex, tidy=bytes),
    Type("date", lambda r: _moment(r).date(), date.fromisoformat),
    Type(
        "time",
        lambda r: time(
            r.randint(0, 23), r.randint(0, 59), r.randint(0, 59), 1000 * r.randint(0, 999)
        ),
        time.fromisoformat,
    ),
    Type("timestamp", _moment, datetime.fromisoformat),
    Type(
        "timestamptz",
        lambda r: _moment(r).replace(tzinfo=UTC),
        lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
    ),
)


@dataclass
class RandomTable:
    """A table of random columns behind an integer key, and statements on its rows."""

    name: str
    rng: random.Random
    columns: dict[str, Type] = field(default_factory=dict)

    def create(self, cursor: Any) -> None:
        """Make the table."""
        for number in range(self.rng.randint(1, 7)):
            self.columns[f"c{number}"] = self.rng.choice(TYPES)
        columns = "".join(f", {name} {type_.ddl}" for name, type_ in self.columns.items())
        cursor.execute(f"CREATE TABLE {self.name} (id int PRIMARY KEY{columns})")

    def live(self, cursor: Any) -> None:
        """One random statement."""
        act = self.rng.choices(
            [self._insert, self._change, self._move, self._remove, self._grow], [6, 6, 2, 3, 0.3]
        )[0]
        act(cursor, self.rng.randint(1, 15))

    def _value(self, name: str) -> Any:
        return None if self.rng.random() < 0.15 else self.columns[name].make(self.rng)

    def _insert(self, cursor: Any, key: int) -> None:
        values = [key, *(self._value(name) for name in self.columns)]
        query = sql.SQL("INSERT INTO {} VALUES ({}) ON CONFLICT DO NOTHING").format(
            sql.Identifier(self.name), sql.SQL(", ").join(sql.Placeholder() * len(values))
        )
        cursor.execute(query, values)

    def _change(self, cursor: Any, key: int) -> None:
        name = self.rng.choice(list(self.columns))
        cursor.execute(
            f"UPDATE {self.name} SET {name} = %s WHERE id BETWEEN %s AND %s",
            [self._value(name), key, key + self.rng.randint(0, 3)],
        )

    def _move(self, cursor: Any, key: int) -> None:
        cursor.execute(
            f"UPDATE {self.name} SET id = %s WHERE id = %s AND NOT EXISTS"
            f" (SELECT FROM {self.name} WHERE id = %s)",
            [key + 1, key, key + 1],
        )

    def _remove(self, cursor: Any, key: int) -> None:
        cursor.execute(f"DELETE FROM {self.name} WHERE id = %s", [key])

    def _grow(self, cursor: Any, key: int) -> None:
        name = f"c{len(self.columns)}"
        self.columns[name] = self.rng.choice(TYPES)
        cursor.execute(f"ALTER TABLE {self.name} ADD {name} {self.columns[name].ddl}")

    def source(self, cursor: Any) -> dict[int, dict[str, Any]]:
        """The rows as the database shows them."""
        expressions = (f"{n}::text" if t.as_text else n for n, t in self.columns.items())
        cursor.execute(f"SELECT id, {', '.join(expressions)} FROM {self.name}")
        return {
            row[0]: {
                name: None if value is None else type_.tidy(value)
                for (name, type_), value in zip(self.columns.items(), row[1:], strict=True)
            }
            for row in cursor.fetchall()
        }

    def from_csv(self, row: dict[str, str]) -> dict[str, Any]:
        """A row of a CSV file; a column that is not in the file is NULL."""
        return {
            name: None if row.get(name, "\\N") == "\\N" else type_.from_csv(row[name])
            for name, type_ in self.columns.items()
        }

    def from_parquet(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row of a Parquet file; timestamps without a zone come back adjusted to UTC."""
        read = {}
        for name, type_ in self.columns.items():
            value = row.get(name)
            if type_.ddl == "timestamp" and value is not None:
                value = value.replace(tzinfo=None)
            read[name] = value
        return read


def same(actual: Any, expected: Any) -> bool:
    """Equal, and of the same kind: 1 is not true."""
    return type(actual) is type(expected) and bool(actual == expected)
