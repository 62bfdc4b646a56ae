"""The target table: reading the rows a batch concerns, and writing what becomes of them."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from local_shim.cdc.events import key_schema, packed
from local_shim.cdc.layout import END, START, SYSTEM_END, SYSTEM_START, Layout
from local_shim.cdc.scd1 import DROP, PUT
from local_shim.cdc.schema import missing_columns, quoted
from local_shim.graph.names import TableName
from local_shim.session import LARGE_DATA, empty_frame

TOMBSTONE_SECONDS = 172_800.0
# Above this a MERGE with deletion vectors is faster than rewriting the table.
SMALL_TABLE_BYTES = 32 * 2**20
_NAMES = {START: "start", END: "end", SYSTEM_START: "sys_start", SYSTEM_END: "sys_end"}


@dataclass(frozen=True)
class CdcTarget:
    """Where a target's rows and its memory lie.

    `table` is the path of the Delta table, `state` that of the memory (a new one after each full
    refresh), `tombstone_seconds` how long deletes of keys are remembered.
    """

    table: str
    state: str
    name: TableName
    tombstone_seconds: float = TOMBSTONE_SECONDS


@dataclass(frozen=True)
class Batch:
    """The transaction id of one micro-batch."""

    app: str
    version: int


@dataclass(frozen=True)
class CdcResult:
    """What a batch did: target rows inserted or changed, target rows removed, and warnings."""

    upserted: int
    deleted: int
    warnings: tuple[str, ...]

    def plus(self, other: CdcResult) -> CdcResult:
        """Both together."""
        return CdcResult(
            self.upserted + other.upserted,
            self.deleted + other.deleted,
            self.warnings + other.warnings,
        )


# Flows of one target take turns: each reads what the one before it wrote.
_TURNS: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)


@contextmanager
def turn(target: CdcTarget) -> Iterator[None]:
    """The only writer of this target in this process while the block runs."""
    with _TURNS[target.table]:
        yield


@dataclass(frozen=True)
class Table:
    """What is known of a Delta table without a Spark job."""

    schema: StructType
    properties: dict[str, str]
    bytes: int
    files: tuple[str, ...] | None = None  # where plain Parquet files are all of it

    @property
    def small(self) -> bool:
        """Whether rewriting it is the cheapest way to change it."""
        feed = self.properties.get("delta.enableChangeDataFeed", "false").lower() == "true"
        return self.bytes < SMALL_TABLE_BYTES and not feed


def look_at(spark: SparkSession, path: str) -> Table | None:
    """The table at this path; None if there is none."""
    if not (Path(path.removeprefix("file:")) / "_delta_log").exists():
        return None
    jvm = spark._jvm
    log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, path)  # type: ignore[union-attr]
    snapshot = log.update(False, jvm.scala.Option.empty(), jvm.scala.Option.empty())  # type: ignore[union-attr]
    properties = snapshot.metadata().configuration()
    pairs = properties.toSeq()
    found = {pairs.apply(i)._1(): pairs.apply(i)._2() for i in range(pairs.size())}
    schema = StructType.fromJson(json.loads(snapshot.schema().json()))
    files, size = _from_checksum(snapshot, found)
    return Table(schema, found, int(snapshot.sizeInBytes()) if size is None else size, files)


def committed(spark: SparkSession, path: str) -> dict[str, int]:
    """Per application, the last transaction version that the table's log has."""
    jvm: Any = spark._jvm
    log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, path)
    found = log.unsafeVolatileSnapshot().transactions().toSeq()
    pairs = [found.apply(i) for i in range(found.size())]
    return {pair._1(): int(pair._2()) for pair in pairs}


def rows_of(spark: SparkSession, path: str, table: Table) -> DataFrame:
    """The table's rows as of the look at it."""
    if table.files is None:
        return spark.read.format("delta").load(path)
    if not table.files:
        return empty_frame(spark, table.schema)
    return spark.read.schema(table.schema).parquet(*(f"{path}/{name}" for name in table.files))


def held_rows(
    spark: SparkSession, path: str, table: Table, layout: Layout, prune: Column | None
) -> DataFrame:
    """The target's rows, packed: `key`, `row`, and `start`, `end`, … where it has them."""
    rows = rows_of(spark, path, table)
    if prune is not None:
        rows = rows.where(prune)
    intervals = (F.col(quoted(name)).alias(_NAMES[name]) for name in layout.intervals)
    return rows.select(
        packed(key_schema(layout), table.schema).alias("key"),
        packed(layout.columns, table.schema).alias("row"),
        *intervals,
    )


def edits_of(outcome: DataFrame, layout: Layout) -> DataFrame:
    """`op` and the whole target row to put or drop, one per identity."""
    values: dict[str, Column] = {
        name: F.coalesce(F.col("row")[name], F.col("key")[name])
        if name in layout.keys
        else F.col("row")[name]
        for name in layout.columns.names
    }
    sources = {START: "seq", END: "end", SYSTEM_START: "sys_start", SYSTEM_END: "sys_end"}
    for name in layout.intervals:
        values[name] = F.col(sources[name])
    row = F.struct(*(value.alias(name) for name, value in values.items()))
    return outcome.where(F.col("op").isNotNull()).select(
        F.col("op").alias("__cdc_op"), row.alias("__cdc_row")
    )


@contextmanager
def settings(spark: SparkSession, values: dict[str, str]) -> Iterator[None]:
    """These configuration values while the block runs."""
    before = {key: spark.conf.get(key, None) for key in values}
    for key, value in values.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, old in before.items():
            if old is None:
                spark.conf.unset(key)
            else:
                spark.conf.set(key, old)


def profile(table: Table) -> dict[str, str]:
    """Session settings that fit the table's size; nothing for a small one."""
    return {} if table.bytes < SMALL_TABLE_BYTES else dict(LARGE_DATA)


def transaction(batch: Batch) -> dict[str, str]:
    """Makes Delta skip a write that this micro-batch has already committed."""
    return {
        "spark.databricks.delta.write.txnAppId": batch.app,
        "spark.databricks.delta.write.txnVersion": str(batch.version),
    }


def write(
    edits: DataFrame,
    path: str,
    layout: Layout,
    table: Table,
    *,
    touches: bool,
    null_keys: bool,
    prune: Column | None = None,
) -> None:
    """Bring the edits into the target, in one commit.

    A batch of new rows only is appended; a small table is written anew; a big one, and one
    whose change feed is read, is merged.
    """
    if not touches:
        _append(edits.where(F.col("__cdc_op") == PUT).select("__cdc_row.*"), path)
    elif table.small:
        _rewrite(edits, path, table, layout)
    else:
        _merge(edits, path, layout, table, null_keys, prune)


def made_ready(spark: SparkSession, path: str, table: Table | None, wanted: StructType) -> Table:
    """The table, created if it is not there, with all wanted columns."""
    if table is None:
        _append(empty_frame(spark, wanted), path)
    else:
        missing = missing_columns(table.schema, wanted)
        for column in missing:
            spark.sql(f"ALTER TABLE delta.{quoted(path)} ADD COLUMNS ({column})")
        if not missing:
            return table
    ready = look_at(spark, path)
    assert ready is not None  # it was written just now
    return ready


def _append(rows: DataFrame, path: str) -> None:
    rows.write.format("delta").mode("append").save(path)


def _rewrite(edits: DataFrame, path: str, table: Table, layout: Layout) -> None:
    # All in one task: neither side of the join needs an exchange.
    rows = rows_of(edits.sparkSession, path, table).coalesce(1)
    gone = edits.select(*(F.col("__cdc_row")[n].alias(f"__cdc_{n}") for n in layout.identity))
    same = _all(F.col(quoted(n)).eqNullSafe(F.col(quoted(f"__cdc_{n}"))) for n in layout.identity)
    put = edits.where(F.col("__cdc_op") == PUT).select("__cdc_row.*")
    left = rows.join(gone.coalesce(1).hint("shuffle_hash"), same, "left_anti")
    whole = left.unionByName(put).coalesce(1)
    whole.write.format("delta").mode("overwrite").save(path)


def _merge(
    edits: DataFrame,
    path: str,
    layout: Layout,
    table: Table,
    null_keys: bool,
    prune: Column | None,
) -> None:
    spark = edits.sparkSession
    if "delta.enableDeletionVectors" not in table.properties and table.bytes >= SMALL_TABLE_BYTES:
        spark.sql(
            f"ALTER TABLE delta.{quoted(path)} "
            "SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"
        )
    target = {name: F.col(f"t.{quoted(name)}") for name in layout.target.names}
    source = {name: F.col(f"s.__cdc_row.{quoted(name)}") for name in layout.target.names}
    nullable = set(layout.keys) if null_keys else set()
    same = _all(
        target[n].eqNullSafe(source[n]) if n in nullable else target[n] == source[n]
        for n in layout.identity
    )
    if prune is not None:
        same = same & prune
    values = {quoted(name): column for name, column in source.items()}
    (
        DeltaTable.forPath(spark, path)
        .alias("t")
        .merge(edits.alias("s"), same)
        .whenMatchedDelete(F.col("s.__cdc_op") == DROP)
        .whenMatchedUpdate(set=values)  # type: ignore[arg-type]
        .whenNotMatchedInsert(F.col("s.__cdc_op") == PUT, values)  # type: ignore[arg-type]
        .execute()
    )


def _all(conditions: Iterator[Column]) -> Column:
    first, *others = conditions
    for other in others:
        first = first & other
    return first


def _from_checksum(
    snapshot: Any, properties: dict[str, str]
) -> tuple[tuple[str, ...] | None, int | None]:
    """The files and bytes that the version's checksum file lists, known without a Spark job.

    Reading such files directly spares two jobs of state reconstruction and file pruning, most of
    the time that a small table costs. Where anything but plain files makes up the table
    (deletion vectors, partitions, renamed or widened columns), there are no files to give.
    """
    checksum = snapshot.checksumOpt()
    if not checksum.isDefined():
        return None, None
    size = int(checksum.get().tableSizeBytes())
    listed = checksum.get().allFiles()
    partitioned = snapshot.metadata().partitionColumns().size() > 0
    if not listed.isDefined() or partitioned or _NOT_PLAIN & set(properties):
        return None, size
    files = [listed.get().apply(i) for i in range(listed.get().size())]
    paths = [file.path() for file in files]
    odd = any(":" in path or "%" in path for path in paths)
    if odd or any(file.deletionVector() is not None for file in files):
        return None, size
    return tuple(paths), size


_NOT_PLAIN = {"delta.columnMapping.mode", "delta.enableTypeWidening"}
