"""The target's Delta table: what a batch knows of it without a Spark job, and its rows."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from local_shim.cdc.fold.change_rows import key_schema, packed
from local_shim.cdc.target_table.columns import END, START, SYSTEM_END, SYSTEM_START, TargetColumns
from local_shim.cdc.target_table.schema import missing_columns
from local_shim.delta.snapshot import Snapshot, newest_snapshot, plain_rows
from local_shim.jvm.fast_paths import fast_paths_enabled
from local_shim.jvm.session import empty_frame
from local_shim.sql_text import quote

# Above this a commit with deletion vectors is faster than rewriting the table.
SMALL_TABLE_BYTES = 32 * 2**20
_NAMES = {START: "start", END: "end", SYSTEM_START: "sys_start", SYSTEM_END: "sys_end"}


class Table(Snapshot):
    """The newest version of a target, and how a batch may change it."""

    @property
    def small(self) -> bool:
        """Whether rewriting it is the cheapest way to change it."""
        return self.bytes < SMALL_TABLE_BYTES and not self._is("delta.enableChangeDataFeed")

    @property
    def merged(self) -> bool:
        """Whether its readers need what only a MERGE keeps: changes, row ids, whole files.

        Also if fast paths are switched off: a MERGE is Delta's documented way.
        """
        if not fast_paths_enabled():
            return True
        needs_merge = self._is("delta.enableChangeDataFeed") or self._is("delta.enableRowTracking")
        return (
            needs_merge or self.properties.get("delta.enableDeletionVectors", "").lower() == "false"
        )

    def _is(self, name: str) -> bool:
        return self.properties.get(name, "false").lower() == "true"


def table_at(spark: SparkSession, path: Path) -> Table | None:
    """The table at this path; None if there is none."""
    snapshot = newest_snapshot(spark, str(path))
    return None if snapshot is None else Table(**vars(snapshot))


def rows_of(spark: SparkSession, path: Path, table: Table) -> DataFrame:
    """The table's rows at the version that was read."""
    rows = plain_rows(spark, str(path), table)
    return spark.read.format("delta").load(str(path)) if rows is None else rows


def target_rows(
    spark: SparkSession, path: Path, table: Table, columns: TargetColumns, prune: Column | None
) -> DataFrame:
    """The target's rows, packed: `key`, `row`, and `start`, `end`, … where it has them."""
    rows = rows_of(spark, path, table)
    if prune is not None:
        rows = rows.where(prune)
    intervals = (F.col(quote(name)).alias(_NAMES[name]) for name in columns.intervals)
    return rows.select(
        packed(key_schema(columns), table.schema).alias("key"),
        packed(columns.selected, table.schema).alias("row"),
        *intervals,
    )


def ensure_table(
    spark: SparkSession, path: Path, table: Table | None, required: StructType
) -> Table:
    """The table, created if it is not there, with all required columns."""
    if table is None:
        empty_frame(spark, required).write.format("delta").mode("append").save(str(path))
    else:
        missing = missing_columns(table.schema, required)
        for column in missing:
            spark.sql(f"ALTER TABLE delta.{quote(str(path))} ADD COLUMNS ({column})")
        if not missing:
            return table
    ready = table_at(spark, path)
    assert ready is not None  # it was written just now
    return ready
