"""The rows that a batch puts into a target and drops from it, and their write."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from local_shim.cdc.fold.outcome import DROP, PUT
from local_shim.cdc.target_table.columns import END, START, SYSTEM_END, SYSTEM_START, TargetColumns
from local_shim.cdc.write.table import Table, rows_of
from local_shim.delta.transaction import Transaction, append, replace_all, with_positions
from local_shim.graph.table_columns import generated
from local_shim.sql_text import quote

_FEW = 200_000  # rows: they fit into one file, and into the memory of every task


@dataclass(frozen=True)
class TargetEdits:
    """`frame` has `__cdc_op` and the whole target row `__cdc_row`, one per identity."""

    frame: DataFrame
    count: int
    touches: bool  # whether target rows may have to go
    null_keys: bool
    prune: Column | None = None  # holds for every row of the target that may be touched

    @property
    def new_rows(self) -> DataFrame:
        """The rows to put, as the table has them."""
        rows = self.frame.where(F.col("__cdc_op") == PUT).select("__cdc_row.*")
        return rows.coalesce(1) if self.count < _FEW else rows


def edits_of(outcome: DataFrame, columns: TargetColumns) -> DataFrame:
    """`op` and the whole target row to put or drop, one per identity."""
    values: dict[str, Column] = {
        name: F.coalesce(F.col("row")[name], F.col("key")[name])
        if name in columns.keys
        else F.col("row")[name]
        for name in columns.selected.names
    }
    sources = {START: "seq", END: "end", SYSTEM_START: "sys_start", SYSTEM_END: "sys_end"}
    if columns.remainders:
        sources[START] = "start"
    for name in columns.intervals:
        values[name] = F.col(sources[name])
    row = F.struct(*(value.alias(name) for name, value in values.items()))
    return outcome.where(F.col("op").isNotNull()).select(
        F.col("op").alias("__cdc_op"), row.alias("__cdc_row")
    )


def write(edits: TargetEdits, path: Path, columns: TargetColumns, table: Table) -> None:
    """Bring the edits into the target, in one commit.

    A batch that only adds rows is appended. A small table is rewritten; in a big one the old rows
    are marked as deleted. A table with a change feed or row tracking is merged.
    """
    edits = replace(edits, frame=_with_generated(edits.frame, table.schema))
    if not edits.touches:
        append(edits.new_rows, str(path))
    elif table.small:
        _rewrite(edits, path, table, columns)
    elif table.merged:
        _merge(edits, path, columns)
    else:
        _exchange(edits, path, columns, table)


def _with_generated(edits: DataFrame, table: StructType) -> DataFrame:
    """The edits with the generated columns of the table in their rows."""
    expressions = generated(table)
    if not expressions:
        return edits
    row = edits.select("__cdc_row.*").columns
    values = {name: F.expr(text) for name, text in expressions.items() if name not in row}
    whole = edits.select("__cdc_op", "__cdc_row.*").withColumns(values)
    return whole.select("__cdc_op", F.struct(*map(quote, [*row, *values])).alias("__cdc_row"))


def _rewrite(edits: TargetEdits, path: Path, table: Table, columns: TargetColumns) -> None:
    # All in one task: neither side of the join needs an exchange.
    rows = rows_of(edits.frame.sparkSession, path, table).coalesce(1)
    replaced = _identities(edits, columns).coalesce(1).hint("shuffle_hash")
    remaining = rows.join(replaced, _same(columns, columns.identity), "left_anti")
    whole = remaining.unionByName(edits.new_rows).coalesce(1)
    replace_all(whole, str(path), table.version)


def _exchange(edits: TargetEdits, path: Path, columns: TargetColumns, table: Table) -> None:
    spark = edits.frame.sparkSession
    if "delta.enableDeletionVectors" not in table.properties:
        spark.sql(
            f"ALTER TABLE delta.{quote(str(path))} "
            "SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"
        )
    rows = with_positions(spark.read.format("delta").load(str(path)))
    if edits.prune is not None:
        rows = rows.where(edits.prune)
    replaced = _identities(edits, columns)
    if edits.count < _FEW:
        replaced = F.broadcast(replaced)
    nullable = columns.keys if edits.null_keys else ()
    places = rows.join(replaced, _same(columns, nullable), "left_semi")
    Transaction(spark, str(path)).replace_rows(places, edits.new_rows)


def _merge(edits: TargetEdits, path: Path, columns: TargetColumns) -> None:
    target = {name: F.col(f"t.{quote(name)}") for name in columns.target.names}
    source = {name: F.col(f"s.__cdc_row.{quote(name)}") for name in columns.target.names}
    nullable = set(columns.keys) if edits.null_keys else set()
    new, old = _identity(columns, source.__getitem__), _identity(columns, target.__getitem__)
    same = _all_same(old, new, nullable)
    if edits.prune is not None:
        same = same & edits.prune
    values = {quote(name): column for name, column in source.items()}
    (
        DeltaTable.forPath(edits.frame.sparkSession, str(path))
        .alias("t")
        .merge(edits.frame.alias("s"), same)
        .whenMatchedDelete(F.col("s.__cdc_op") == DROP)
        .whenMatchedUpdate(set=values)  # type: ignore[arg-type]
        .whenNotMatchedInsert(F.col("s.__cdc_op") == PUT, values)  # type: ignore[arg-type]
        .execute()
    )


def _identities(edits: TargetEdits, columns: TargetColumns) -> DataFrame:
    values = _identity(columns, lambda name: F.col("__cdc_row")[name])
    return edits.frame.select(*(value.alias(f"__cdc_{name}") for name, value in values.items()))


def _same(columns: TargetColumns, nullable: Iterable[str]) -> Column:
    """A target row and one of `_identities` are the same; `nullable` columns may be NULL."""
    target = _identity(columns, lambda name: F.col(quote(name)))
    return _all_same(target, {n: F.col(quote(f"__cdc_{n}")) for n in target}, nullable)


def _identity(columns: TargetColumns, of: Callable[[str], Column]) -> dict[str, Column]:
    """The identity of a target row; a row without a start has its end."""
    values = {name: of(name) for name in columns.identity}
    if columns.remainders:
        values[START] = F.coalesce(of(START), of(END))
    return values


def _all_same(one: dict[str, Column], other: dict[str, Column], nullable: Iterable[str]) -> Column:
    equal = (one[n].eqNullSafe(other[n]) if n in nullable else one[n] == other[n] for n in one)
    return reduce(and_, equal)
