"""Rows of stored tables, and the first of them as texts. Plain Delta tables need no Spark."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet

from local_shim.delta.live_files import LiveFiles, live_files
from local_shim.query.catalog import default_namespace
from local_shim.storage import Storage

Rows = dict[str, Any]  # "columns": names, "cells": one list of texts or None for each row
_INSTANT = pyarrow.timestamp("us", "UTC")
_ALL = 2**31 - 1  # rows; Spark knows no higher limit
_BATCH = 65_536  # rows
_MOST_CHARACTERS = 2_000  # of one cell


def first_rows(storage: Storage, names: Iterable[str], most: int) -> dict[str, Rows]:
    """At most `most` rows of each stored table as texts, in no particular order."""
    return {name: _texts(table) for name, table in read_tables(storage, names, most).items()}


def read_tables(
    storage: Storage, names: Iterable[str], most: int = _ALL
) -> dict[str, pyarrow.Table]:
    """At most `most` rows of each stored table, with values as stored."""
    namespace = default_namespace(storage)
    tables = {name: namespace.qualify(name) for name in names}
    folders = {n: storage.table(table) for n, table in tables.items() if storage.has_table(table)}
    files = {name: live_files(folder) for name, folder in folders.items()}
    plain = {name: _read(table, most) for name, table in files.items() if table}
    others = {name: folder for name, folder in folders.items() if name not in plain}
    rows = {**plain, **_read_by_spark(storage, others, most)}
    return {name: rows[name] for name in folders}


def _read(table: LiveFiles, most: int) -> pyarrow.Table:
    parts, remaining = [], most
    for path in table.paths:
        if remaining <= 0:
            break
        parts.append(_head(path, remaining))
        remaining -= parts[-1].num_rows
    rows = pyarrow.concat_tables(parts, promote_options="default") if parts else pyarrow.table({})
    columns = {name: _column(rows, name, kind) for name, kind in table.types.items()}
    return pyarrow.table(columns)


def _head(path: Path, most: int) -> pyarrow.Table:
    with parquet.ParquetFile(path, coerce_int96_timestamp_unit="us") as file:
        batches = file.iter_batches(batch_size=min(most, _BATCH))
        first_batches = islice(batches, -(-most // _BATCH))
        return pyarrow.Table.from_batches(first_batches, file.schema_arrow).slice(0, most)


def _column(rows: pyarrow.Table, name: str, kind: Any) -> Any:
    if name not in rows.column_names:  # the files are older than the column
        return pyarrow.nulls(rows.num_rows)
    column = rows.column(name)
    return column.cast(_INSTANT) if kind == "timestamp" else column  # INT96 holds no time zone


def _read_by_spark(
    storage: Storage, folders: Mapping[str, Path], most: int
) -> dict[str, pyarrow.Table]:
    if not folders:
        return {}
    from local_shim.query.storage_session import reading  # starts Spark

    with reading(storage, default_namespace(storage)) as spark:
        load = spark.read.format("delta").load
        return {name: load(str(path)).limit(most).toArrow() for name, path in folders.items()}


def _texts(table: pyarrow.Table) -> Rows:
    columns = [[_text(value) for value in column.to_pylist()] for column in table.columns]
    rows: Iterator[tuple[str | None, ...]] = zip(*columns, strict=True)
    return {"columns": table.column_names, "cells": [list(row) for row in rows]}


def _text(value: Any) -> str | None:
    """A value as `dlt-local sql` prints it."""
    match value:
        case None:
            return None
        case bool():
            text = str(value).lower()
        case datetime() if value.tzinfo:
            text = f"{value.astimezone(UTC).replace(tzinfo=None)}Z"
        case bytes():
            text = f"X'{value.hex().upper()}'"
        case dict() | list():
            text = json.dumps(value, default=str, ensure_ascii=False)
        case _:
            text = str(value)
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "…"
