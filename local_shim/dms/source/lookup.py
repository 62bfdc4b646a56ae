"""Values that the stream left out (TOAST), read from the table by primary key.

[choice] As DMS does with LOBs while it replicates: the value may be newer than the change, and is
NULL if the row is gone. `"toast": "null"` in stand-in.json leaves such fields NULL throughout.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg2
from psycopg2 import sql

from local_shim.dms.source.catalog import CatalogTable
from local_shim.dms.source.change import Value
from local_shim.dms.source.connection import Link

# The operator of the key's own index: that of an extension's type is not in pg_catalog.
_EQUALS = """
SELECT a.attname::text, n.nspname::text, o.oprname::text, format_type(a.atttypid, a.atttypmod)
FROM pg_index i
CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indclass::oid[]) AS k(attnum, opclass)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
JOIN pg_opclass c ON c.oid = k.opclass
JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amopstrategy = 3
  AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype
JOIN pg_operator o ON o.oid = m.amopopr
JOIN pg_namespace n ON n.oid = o.oprnamespace
WHERE i.indrelid = %s AND i.indisprimary
"""


class LookupFailed(Exception):
    """The server could not answer; the message says why."""


class Lookup:
    """Reads single rows."""

    def __init__(self, link: Link):
        self._link = link
        self._conditions: dict[tuple[int, tuple[str, ...]], sql.Composable] = {}

    def values(
        self, table: CatalogTable, key: Sequence[int], row: Sequence[Value], missing: Sequence[int]
    ) -> list[bytes | None] | None:
        """The missing columns of the row with this key; None if there is no such row any more.

        Raises:
            LookupFailed: The query failed, though the server is there.
        """
        columns = [table.columns[i].name for i in missing]
        texts = [text.decode() if isinstance(text := row[i], bytes) else None for i in key]
        connection = self._link.connection()
        try:
            query = sql.SQL("SELECT {} FROM ONLY {} WHERE {}").format(
                sql.SQL(", ").join(sql.SQL("{}::text").format(_identifier(c)) for c in columns),
                _identifier(table.schema, table.name),
                self._condition(table, tuple(table.columns[i].name for i in key)),
            )
            with connection.cursor() as cursor:
                cursor.execute(query, texts)
                current_row = cursor.fetchone()
        except (psycopg2.errors.UndefinedTable, psycopg2.errors.UndefinedColumn):
            return None  # dropped or renamed since the change
        except (psycopg2.Error, UnicodeDecodeError) as error:
            if connection.closed:
                raise  # the server is gone: the row comes again
            raise LookupFailed(" ".join(str(error).split())) from None
        if current_row is None:
            return None
        return [None if value is None else value.encode() for value in current_row]

    def _condition(self, table: CatalogTable, key: tuple[str, ...]) -> sql.Composable:
        """`"a" OPERATOR(public.=) %s::ltree AND …`, read once for each table."""
        condition = self._conditions.get((table.oid, key))
        if condition is None:
            with self._link.connection().cursor() as cursor:
                cursor.execute(_EQUALS, [table.oid])
                operators = {row[0]: row[1:] for row in cursor.fetchall()}
            condition = sql.SQL(" AND ").join(_equals(name, operators.get(name)) for name in key)
            self._conditions[table.oid, key] = condition
        return condition


def _equals(column: str, operator: tuple[str, str, str] | None) -> sql.Composable:
    if operator is None:  # the key has changed since
        return sql.SQL("{} = %s").format(_identifier(column))
    schema, name, type_ = operator
    return sql.SQL("{} OPERATOR({}.{}) %s::{}").format(
        _identifier(column),
        _identifier(schema),
        sql.SQL(name.replace("%", "%%")),
        sql.SQL(type_.replace("%", "%%")),
    )


def _identifier(*names: str) -> sql.Identifier:
    """A name in a query with parameters, where psycopg2 reads `%` as the start of one."""
    return sql.Identifier(*(name.replace("%", "%%") for name in names))
