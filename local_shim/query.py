"""Reading a storage from outside of an update: SQL over its tables, and their export."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from local_shim.delta import kernel
from local_shim.engine.reads.execution import NOWHERE, FlowReads, PathMap
from local_shim.errors import UsageError, close_match
from local_shim.graph.graph import Graph
from local_shim.graph.names import Namespace, TableName
from local_shim.jvm.flow_session import own_session, pipeline_session
from local_shim.jvm.session import open_session
from local_shim.reading.interception import opened
from local_shim.reading.source_resolver import resolving_with
from local_shim.storage import Storage

FORMATS = ("jsonl", "csv", "parquet")
_MICROSECONDS = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
    "ignoreNullFields": "false",
}


@contextmanager
def reading(
    storage: Storage, namespace: Namespace, *, by_kernel: bool = False
) -> Iterator[SparkSession]:
    """A session in which names mean the storage's tables.

    `by_kernel` reads small tables faster, but knows queries only, no DESCRIBE and no time travel;
    frames made meanwhile are then also to be collected meanwhile.
    """
    spark = open_session()
    # The clone takes the views along that names in queries are replaced by.
    with opened(), pipeline_session(spark) as session, own_session(session, {}):
        world = FlowReads(
            session, storage, PathMap(), Graph({}, (), {}), namespace, "query", NOWHERE
        )
        world.by_kernel = by_kernel
        with resolving_with(world), kernel.asked(session) if by_kernel else nullcontext():
            yield session


def answer(storage: Storage, query: str, how: str) -> str:
    """The rows of a query, rendered; raises UsageError with Spark's own words if it is wrong."""
    with reading(storage, default_namespace(storage)) as spark:
        try:
            return render(spark.sql(query), how)
        except PySparkException as error:
            text = str(error).split("\n\nJVM stacktrace")[0].split(";\n'")[0]
            condition = error.getCondition() or "SQL"
            raise UsageError(condition, text.removeprefix(f"[{condition}] ")) from None


def default_namespace(storage: Storage) -> Namespace:
    """Catalog and schema that most tables of the storage lie in."""
    names = [record.name.split(".", 2)[:2] for record in storage.records()]
    if not names:
        return Namespace("main", "default")
    catalog, schema = max(names, key=names.count)
    return Namespace(catalog, schema)


def render(frame: DataFrame, how: str) -> str:
    """The rows as a table for people, or as CSV or JSON lines for programs."""
    if how == "json":
        return "\n".join(str(line) for line in frame.toJSON().collect())
    rows = frame.collect()
    if how == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(frame.columns)
        writer.writerows([["" if value is None else value for value in row] for row in rows])
        return text.getvalue().rstrip("\n")
    return _aligned(frame.columns, [[_cell(value) for value in row] for row in rows])


def _cell(value: object) -> str:
    return "NULL" if value is None else str(value)


def _aligned(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    numeric = [
        all(cell == "NULL" or _is_number(cell) for cell in column) and bool(rows)
        for column in (zip(*rows, strict=True) if rows else [()] * len(columns))
    ]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        ]
        return "  ".join(padded).rstrip()

    ruler = "  ".join("-" * width for width in widths)
    count = f"({len(rows)} row{'' if len(rows) == 1 else 's'})"
    return "\n".join([line(columns), ruler, *map(line, rows), count])


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).lstrip("-").isdigit()


def export(storage: Storage, names: Sequence[str], folder: Path, how: str) -> list[Path]:
    """Writes tables to `<folder>/<catalog>.<schema>.<table>.<format>`, each in one piece.

    Without names: every table that a pipeline of the storage published. JSON lines hold all
    columns, NULLs included, in UTC with microseconds.
    """
    namespace = default_namespace(storage)
    published = {record.name: record for record in storage.records() if not record.private}
    tables = [TableName(*name.split(".", 2)) for name in published]
    if names:
        tables = [_known(namespace.qualify(name), storage, published) for name in names]
    folder.mkdir(parents=True, exist_ok=True)
    with reading(storage, namespace) as spark:
        return [
            _exported(spark, storage, table, folder, how)
            for table in tables
            if storage.has_table(table)
        ]


def _known(name: TableName, storage: Storage, published: Mapping[str, object]) -> TableName:
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
                F.struct(*[F.col(f"`{name}`") for name in frame.columns]), _MICROSECONDS
            )
            frame.select(line.alias("value")).write.mode("overwrite").text(part)
        elif how == "csv":
            flat = frame.select([_flat(frame, name) for name in frame.columns])
            flat.write.mode("overwrite").options(header=True, **_CSV).csv(part)
        else:
            frame.write.mode("overwrite").parquet(part)
        _one_file(Path(part), path, spark, frame, how)
    return path


_CSV = {"timestampFormat": _MICROSECONDS["timestampFormat"], "escape": '"'}


def _flat(frame: DataFrame, name: str) -> Column:
    kind = frame.schema[name].dataType.typeName()
    column = F.col(f"`{name}`")
    nested = kind in ("struct", "array", "map")
    return F.to_json(column, _MICROSECONDS).alias(name) if nested else column


def _one_file(part: Path, path: Path, spark: SparkSession, frame: DataFrame, how: str) -> None:
    written = sorted(each for each in part.iterdir() if each.name.startswith("part-"))
    if written:
        os.replace(written[0], path)
    else:
        path.write_text("" if how != "csv" else ",".join(frame.columns) + "\n")
