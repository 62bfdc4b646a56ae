"""A statement about names of the storage as one that Spark answers without a catalog.

Spark reads a Delta table by its folder wherever it takes a table name, so each name is replaced by
delta.`folder`. SHOW TABLES, SCHEMAS and CATALOGS become a query over the names themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from local_shim.autoloader.files.file_states import file_states_sql
from local_shim.errors import UsageError
from local_shim.jvm.sql_statement import Mention, Statement, TableFunction
from local_shim.query.catalog import EVENT_LOG, StorageCatalog
from local_shim.reading.sql_edits.names import CHANGE_FEED, FILE_STATES
from local_shim.sql_text import literal, quote

_READERS = "SELECT, WITH, VALUES, TABLE, DESCRIBE, SHOW and EXPLAIN"


def rewrite(statement: Statement, text: str, catalog: StorageCatalog) -> str:
    """The text for Spark; raises UsageError for a statement that does more than read."""
    if not statement.reads_only:
        verb = re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL).split()[0].upper()
        raise UsageError(
            "READ_ONLY",
            f"{verb} is refused: `dlt-local sql` reads a storage and never changes it.",
            hint=f"allowed: {_READERS}",
        )
    if statement.kind in _LISTINGS:
        return _LISTINGS[statement.kind](statement, catalog)
    edits = [edit for mention in statement.mentions for edit in _by_folder(mention, text, catalog)]
    edits += [edit for call in statement.functions for edit in _call(call, catalog)]
    for start, stop, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[stop:]
    return text


Edit = tuple[int, int, str]


def _by_folder(mention: Mention, text: str, catalog: StorageCatalog) -> Iterator[Edit]:
    folder = catalog.folder(mention.name)
    if folder is None:
        return
    if mention.alias_at is not None:  # columns may be qualified by the table's name
        yield mention.alias_at, mention.alias_at, f" AS {quote(mention.name[-1])}"
    yield mention.start, mention.stop, f"delta.{quote(str(folder))}"


def _call(call: TableFunction, catalog: StorageCatalog) -> Iterator[Edit]:
    if call.name == CHANGE_FEED and isinstance(call.argument, str):
        folder = catalog.folder(call.argument.split("."))
        if folder is None:
            raise catalog.not_found(call.argument)
        path = literal(str(folder))
        yield call.start, call.stop, f"table_changes_by_path({path}, {call.rest}"
    if call.name == FILE_STATES:
        yield call.start, call.stop, file_states_sql(_checkpoints(call.argument, catalog))
    if call.name == EVENT_LOG:
        pipeline = call.argument
        if not isinstance(pipeline, str):
            pipeline = catalog.pipeline(pipeline)
        log = quote(str(catalog.storage.events_table()))
        rows = f"(SELECT * FROM delta.{log} WHERE origin.pipeline_id = {literal(pipeline)})"
        yield call.start, call.stop, rows


def _checkpoints(argument: str | tuple[str, ...], catalog: StorageCatalog) -> dict[str, Path]:
    """Those of a table, or the one that lies at a path."""
    if not isinstance(argument, str):
        return catalog.checkpoints(argument)
    if not Path(argument, "offsets").is_dir():
        raise UsageError(
            "CHECKPOINT_NOT_FOUND",
            f"'{argument}' is no checkpoint of a stream.",
            hint="cloud_files_state(TABLE(t)) finds those of the table t",
        )
    return {"": Path(argument)}


def _tables(statement: Statement, catalog: StorageCatalog) -> str:
    """[choice] SHOW TABLES without IN lists all schemas: a storage is small."""
    rows = [
        (f"{name.catalog}.{name.schema}", name.table)
        for name in catalog.tables
        if _inside(statement.namespace, (name.catalog, name.schema), catalog)
    ]
    matching = [row for row in rows if _like(row[1], statement.pattern)]
    return _values(("namespace", "tableName"), matching, ", false AS isTemporary")


def _schemas(statement: Statement, catalog: StorageCatalog) -> str:
    namespace = statement.namespace or (catalog.namespace.catalog,)
    names = {name.schema for name in catalog.tables if (name.catalog,) == namespace}
    return _values(("namespace",), [(n,) for n in sorted(names) if _like(n, statement.pattern)])


def _catalogs(statement: Statement, catalog: StorageCatalog) -> str:
    names = {name.catalog for name in catalog.tables}
    return _values(("catalog",), [(n,) for n in sorted(names) if _like(n, statement.pattern)])


_LISTINGS = {
    "ShowTables": _tables,
    "ShowNamespacesCommand": _schemas,
    "ShowCatalogsCommand": _catalogs,
}


def _inside(namespace: Sequence[str], schema: tuple[str, str], catalog: StorageCatalog) -> bool:
    parts = tuple(part.lower() for part in namespace)
    if len(parts) == 1:
        return schema == (catalog.namespace.catalog, *parts)
    return not parts or schema == parts


def _like(name: str, pattern: str | None) -> bool:
    """Whether a pattern of SHOW … LIKE takes `name`: `*` is any text, `|` stands between two."""
    parts = [re.escape(part).replace(r"\*", ".*") for part in (pattern or "*").split("|")]
    return any(re.fullmatch(part.strip(), name, re.IGNORECASE) for part in parts)


def _values(columns: Sequence[str], rows: Iterable[Sequence[str]], more: str = "") -> str:
    listed = [f"({', '.join(map(literal, row))})" for row in rows]
    values = ", ".join(listed) or f"({', '.join(['NULL'] * len(columns))})"
    where = "" if listed else " WHERE false"
    return f"SELECT *{more} FROM VALUES {values} AS t({', '.join(columns)}){where}"
