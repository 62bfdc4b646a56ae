"""Values that the stream left out (TOAST), read from the table by primary key.

[choice] As DMS does with LOBs while it replicates: the value may be newer than the change, and is
NULL if the row is gone. `"toast": "null"` in stand-in.json leaves such fields NULL throughout.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg2
from psycopg2 import sql

from local_shim.dms.source.catalog import SourceTable
from local_shim.dms.source.change import Value
from local_shim.dms.source.connection import Link


class Lookup:
    """Reads single rows."""

    def __init__(self, link: Link):
        self._link = link

    def values(
        self, table: SourceTable, key: Sequence[int], row: Sequence[Value], wanted: Sequence[int]
    ) -> list[bytes | None] | None:
        """The wanted columns of the row with this key; None if there is no such row any more."""
        columns = [table.columns[i].name for i in wanted]
        query = sql.SQL("SELECT {} FROM ONLY {} WHERE {}").format(
            sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(c)) for c in columns),
            sql.Identifier(table.schema, table.name),
            sql.SQL(" AND ").join(
                sql.SQL("{} = %s").format(sql.Identifier(table.columns[i].name)) for i in key
            ),
        )
        texts = [text.decode() if isinstance(text := row[i], bytes) else None for i in key]
        try:
            with self._link.connection().cursor() as cursor:
                cursor.execute(query, texts)
                found = cursor.fetchone()
        except (psycopg2.errors.UndefinedTable, psycopg2.errors.UndefinedColumn):
            return None  # dropped or renamed since the change
        if found is None:
            return None
        return [None if value is None else value.encode() for value in found]
