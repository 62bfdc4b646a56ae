"""Reads the source's catalog: its version and settings, tables, keys and types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local_shim.dms.source.connection import Link
from local_shim.dms.source.replica_identity import HAS_IDENTITY
from local_shim.dms.source.table_name import full_table_name
from local_shim.dms.source.types import ColumnType, TypeRow, column_type
from local_shim.errors import SetupError

_OLDEST, _NEWEST = 13, 18


@dataclass(frozen=True)
class CatalogColumn:
    """A column of a source table."""

    name: str
    type_oid: int
    typmod: int


@dataclass(frozen=True)
class CatalogTable:
    """A table of the source, its columns in their order and its primary key."""

    oid: int
    schema: str
    name: str
    columns: tuple[CatalogColumn, ...]
    key: tuple[str, ...]
    tells_old_rows: bool = True  # the stream identifies the row of an update or delete

    @property
    def full_name(self) -> str:
        """Schema and name, as `full_table_name` writes them."""
        return full_table_name(self.schema, self.name)


@dataclass(frozen=True)
class OtherRelation:
    """Something that looks like a table: a view, a partitioned parent, an unlogged table."""

    schema: str
    name: str
    kind: str
    partitions: tuple[str, ...]

    def __str__(self) -> str:
        text = f"{full_table_name(self.schema, self.name)} is {self.kind}"
        return f"{text} ({', '.join(self.partitions)})" if self.partitions else text


# Stored generated columns are not in pgoutput's stream, so the full load leaves them out too.
_TABLES = f"""
SELECT c.oid::bigint, n.nspname, c.relname, {HAS_IDENTITY},
       coalesce((SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           AND a.attgenerated = ''), '{{}}'),
       coalesce((SELECT array_agg(a.atttypid::bigint ORDER BY a.attnum) FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           AND a.attgenerated = ''), '{{}}'),
       coalesce((SELECT array_agg(a.atttypmod ORDER BY a.attnum) FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           AND a.attgenerated = ''), '{{}}'),
       coalesce((SELECT array_agg(a.attname::text ORDER BY k.place)
         FROM pg_index i, unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(attnum, place),
              pg_attribute a
         WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts
           AND a.attrelid = c.oid AND a.attnum = k.attnum), '{{}}')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p'
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%%'
  AND c.relname NOT LIKE 'awsdms\\_%%'
  AND (%(oid)s IS NULL OR c.oid = %(oid)s)
ORDER BY n.nspname, c.relname
"""
# What a pattern of table names matches and the stream does not have.
_OTHERS = """
SELECT n.nspname, c.relname, CASE
  WHEN c.relkind = 'v' THEN 'a view' WHEN c.relkind = 'm' THEN 'a materialized view'
  WHEN c.relkind = 'f' THEN 'a foreign table'
  WHEN c.relkind = 'p' THEN 'a partitioned table, whose rows are in its partitions'
  ELSE 'an unlogged table, whose changes are not in the WAL' END,
  ARRAY(SELECT quote_ident(s.nspname) || '.' || quote_ident(p.relname)
    FROM pg_partition_tree(c.oid) t JOIN pg_class p ON p.oid = t.relid
    JOIN pg_namespace s ON s.oid = p.relnamespace
    WHERE c.relkind = 'p' AND t.isleaf ORDER BY 1)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (c.relkind IN ('v', 'm', 'f', 'p') OR (c.relkind = 'r' AND c.relpersistence = 'u'))
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY n.nspname, c.relname
"""
_TYPE = """
SELECT typname, typtype, typcategory, typbasetype::bigint, typtypmod
FROM pg_type WHERE oid = %s
"""


class Catalog:
    """Reads the catalog; each type once."""

    def __init__(self, link: Link):
        self._link = link
        self._types: dict[int, TypeRow | None] = {}

    def check(self) -> None:
        """Raise unless the server can serve a logical slot.

        Raises:
            SetupError: Its version is not supported, or wal_level is not logical.
        """
        version = self._link.connection().server_version // 10000
        if not _OLDEST <= version <= _NEWEST:
            raise SetupError(
                "DMS_SOURCE_VERSION",
                f"PostgreSQL {version} is not supported; {_OLDEST} to {_NEWEST} are.",
            )
        level = self.one("SHOW wal_level")
        if level != "logical":
            raise SetupError(
                "DMS_WAL_LEVEL",
                f"The server runs with wal_level = {level}; changes can only be read with logical.",
                hint="ALTER SYSTEM SET wal_level = 'logical';  then restart the server "
                "(on RDS: rds.logical_replication = 1)",
            )

    def one(self, query: str, parameters: Sequence[object] | None = None) -> Any:
        """The first column of the first row, None if there is none."""
        with self._link.connection().cursor() as cursor:
            cursor.execute(query, parameters)
            row = cursor.fetchone()
        return row[0] if row else None

    def data_encoding(self) -> str:
        """The encoding to ask rows in: UTF-8, which any server converts to.

        A SQL_ASCII database does not know what its bytes mean. It would refuse to send those
        that are not UTF-8; asked for SQL_ASCII it sends them as they are, and we decide.
        """
        return "SQL_ASCII" if self.one("SHOW server_encoding") == "SQL_ASCII" else "UTF8"

    def tables(self) -> list[CatalogTable]:
        """All ordinary tables that are not the system's."""
        return self._tables(None)

    def table(self, oid: int) -> CatalogTable | None:
        """One table, None if it is gone."""
        return next(iter(self._tables(oid)), None)

    def others(self) -> list[OtherRelation]:
        """Relations that rules may name and that no changes can be read of."""
        with self._link.connection().cursor() as cursor:
            cursor.execute(_OTHERS)
            return [OtherRelation(s, n, k, tuple(p)) for s, n, k, p in cursor.fetchall()]

    def rewritten(self, table: CatalogTable) -> tuple[int, int]:
        """How many rows were ever updated and deleted, as the server's statistics count them.

        They come a little late and count transactions that were rolled back too.
        """
        with self._link.connection().cursor() as cursor:
            cursor.execute(
                "SELECT pg_stat_get_tuples_updated(%s), pg_stat_get_tuples_deleted(%s)",
                [table.oid, table.oid],
            )
            row = cursor.fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def column_type(self, oid: int, typmod: int) -> ColumnType:
        """DMS's view of a type; domains are taken as what they are made of."""
        type_ = column_type(oid, typmod, None)
        if type_.has_rule:
            return type_
        row = self._type_row(oid)
        if row and row.typtype == "d":
            return self.column_type(row.base, row.base_typmod)
        return column_type(oid, typmod, row)

    def type_name(self, oid: int) -> str:
        """The type's name for messages."""
        row = self._type_row(oid)
        return row.name if row else f"type {oid}"

    def _type_row(self, oid: int) -> TypeRow | None:
        if oid not in self._types:
            with self._link.connection().cursor() as cursor:
                cursor.execute(_TYPE, [oid])
                row = cursor.fetchone()
            self._types[oid] = TypeRow(*row) if row else None
        return self._types[oid]

    def _tables(self, oid: int | None) -> list[CatalogTable]:
        with self._link.connection().cursor() as cursor:
            cursor.execute(_TABLES, {"oid": oid})
            rows = cursor.fetchall()
        return [_source_table(row) for row in rows]


def _source_table(row: tuple[Any, ...]) -> CatalogTable:
    oid, schema, name, tells_old_rows, names, types, typmods, key = row
    columns = tuple(map(CatalogColumn, names, types, typmods))
    return CatalogTable(oid, schema, name, columns, tuple(key), tells_old_rows)
