"""Tables of a storage as files."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from local_shim import durable_files
from local_shim.errors import UsageError, close_match
from local_shim.graph.names import TableName
from local_shim.query.catalog import default_namespace
from local_shim.query.render import MICROSECONDS
from local_shim.query.storage_session import reading
from local_shim.sql_text import quote
from local_shim.storage import Storage


def export(storage: Storage, names: Sequence[str], folder: Path, how: str) -> list[Path]:
    """Writes tables to `<folder>/<catalog>.<schema>.<table>.<format>`, each in one piece.

    Without names: every table that a pipeline of the storage published. JSON lines hold all
    columns, NULLs included, in UTC with microseconds.
    """
    namespace = default_namespace(storage)
    published = {record.name: record for record in storage.records() if not record.private}
    tables = [TableName(*name.split(".", 2)) for name in published]
    if names:
        tables = [_stored_table(namespace.qualify(name), storage, published) for name in names]
    folder.mkdir(parents=True, exist_ok=True)
    with reading(storage, namespace) as spark:
        return [
            _exported(spark, storage, table, folder, how)
            for table in tables
            if storage.has_table(table)
        ]


def _stored_table(name: TableName, storage: Storage, published: Mapping[str, object]) -> TableName:
    if storage.has_table(name):
        return name
    raise UsageError(
        "TABLE_NOT_FOUND",
        f"the storage holds no table '{name}'.",
        hint=close_match(str(name), published),
    )


def _exported(
    spark: SparkSession, storage: Storage, table: TableName, folder: Path, how: str
) -> Path:
    frame = spark.read.format("delta").load(str(storage.table(table))).coalesce(1)
    path = folder / f"{table}.{how}"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as part:
        if how == "jsonl":
            line = F.to_json(
                F.struct(*[F.col(quote(name)) for name in frame.columns]), MICROSECONDS
            )
            frame.select(line.alias("value")).write.mode("overwrite").text(part)
        elif how == "csv":
            flat = frame.select([_flat(frame, name) for name in frame.columns])
            flat.write.mode("overwrite").options(header=True, **_CSV).csv(part)
        else:
            frame.write.mode("overwrite").parquet(part)
        _one_file(Path(part), path, spark, frame, how)
    return path


_CSV = {"timestampFormat": MICROSECONDS["timestampFormat"], "escape": '"'}


def _flat(frame: DataFrame, name: str) -> Column:
    kind = frame.schema[name].dataType.typeName()
    column = F.col(quote(name))
    nested = kind in ("struct", "array", "map")
    return F.to_json(column, MICROSECONDS).alias(name) if nested else column


def _one_file(part: Path, path: Path, spark: SparkSession, frame: DataFrame, how: str) -> None:
    written = sorted(each for each in part.iterdir() if each.name.startswith("part-"))
    if written:
        durable_files.move(written[0], path)
    else:
        durable_files.write_atomically(path, "" if how != "csv" else ",".join(frame.columns) + "\n")
