"""TargetEdits of a target: the rows to put and the rows to drop, and how they get there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import and_

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from local_shim.cdc.fold.scd1 import DROP, PUT
from local_shim.cdc.target.columns import END, START, SYSTEM_END, SYSTEM_START, TargetColumns
from local_shim.cdc.write.table import Table, rows_of
from local_shim.delta.transaction import Transaction, append, replace_all, with_positions
from local_shim.sql_text import quote

_FEW = 200_000  # rows: they fit into one file, and into the memory of every task


@dataclass(frozen=True)
class TargetEdits:
    """`frame` has `__cdc_op` and the whole target row `__cdc_row`, one per identity."""

    frame: DataFrame
    count: int
    touches: bool  # some target rows have to go
    null_keys: bool
    prune: Column | None = None  # holds for every row of the target that may be touched

    @property
    def put(self) -> DataFrame:
        """The rows to put, as the table has them."""
        rows = self.frame.where(F.col("__cdc_op") == PUT).select("__cdc_row.*")
        return rows.coalesce(1) if self.count < _FEW else rows


def edits_of(outcome: DataFrame, layout: TargetColumns) -> DataFrame:
    """`op` and the whole target row to put or drop, one per identity."""
    values: dict[str, Column] = {
        name: F.coalesce(F.col("row")[name], F.col("key")[name])
        if name in layout.keys
        else F.col("row")[name]
        for name in layout.columns.names
    }
    sources = {START: "seq", END: "end", SYSTEM_START: "sys_start", SYSTEM_END: "sys_end"}
    if layout.remainders:
        sources[START] = "start"
    for name in layout.intervals:
        values[name] = F.col(sources[name])
    row = F.struct(*(value.alias(name) for name, value in values.items()))
    return outcome.where(F.col("op").isNotNull()).select(
        F.col("op").alias("__cdc_op"), row.alias("__cdc_row")
    )


def write(edits: TargetEdits, path: str, layout: TargetColumns, table: Table) -> None:
    """Bring the edits into the target, in one commit.

    A batch of new rows only is appended; a small table is written anew; in a big one the old
    rows are marked as deleted. A table whose change feed or row ids are read is merged.
    """
    if not edits.touches:
        append(edits.put, path)
    elif table.small:
        _rewrite(edits, path, table, layout)
    elif table.merged:
        _merge(edits, path, layout)
    else:
        _exchange(edits, path, layout, table)


def _rewrite(edits: TargetEdits, path: str, table: Table, layout: TargetColumns) -> None:
    # All in one task: neither side of the join needs an exchange.
    rows = rows_of(edits.frame.sparkSession, path, table).coalesce(1)
    gone = _identities(edits, layout).coalesce(1).hint("shuffle_hash")
    left = rows.join(gone, _same(layout, layout.identity), "left_anti")
    whole = left.unionByName(edits.put).coalesce(1)
    replace_all(whole, path, table.version)


def _exchange(edits: TargetEdits, path: str, layout: TargetColumns, table: Table) -> None:
    spark = edits.frame.sparkSession
    if "delta.enableDeletionVectors" not in table.properties:
        spark.sql(
            f"ALTER TABLE delta.{quote(path)} "
            "SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"
        )
    rows = with_positions(spark.read.format("delta").load(path))
    if edits.prune is not None:
        rows = rows.where(edits.prune)
    gone = _identities(edits, layout)
    if edits.count < _FEW:
        gone = F.broadcast(gone)
    nullable = layout.keys if edits.null_keys else ()
    found = rows.join(gone, _same(layout, nullable), "left_semi")
    Transaction(spark, path).replace_rows(found, edits.put)


def _merge(edits: TargetEdits, path: str, layout: TargetColumns) -> None:
    target = {name: F.col(f"t.{quote(name)}") for name in layout.target.names}
    source = {name: F.col(f"s.__cdc_row.{quote(name)}") for name in layout.target.names}
    nullable = set(layout.keys) if edits.null_keys else set()
    mine, theirs = _identity(layout, source.__getitem__), _identity(layout, target.__getitem__)
    same = _all_same(theirs, mine, nullable)
    if edits.prune is not None:
        same = same & edits.prune
    values = {quote(name): column for name, column in source.items()}
    (
        DeltaTable.forPath(edits.frame.sparkSession, path)
        .alias("t")
        .merge(edits.frame.alias("s"), same)
        .whenMatchedDelete(F.col("s.__cdc_op") == DROP)
        .whenMatchedUpdate(set=values)  # type: ignore[arg-type]
        .whenNotMatchedInsert(F.col("s.__cdc_op") == PUT, values)  # type: ignore[arg-type]
        .execute()
    )


def _identities(edits: TargetEdits, layout: TargetColumns) -> DataFrame:
    found = _identity(layout, lambda name: F.col("__cdc_row")[name])
    return edits.frame.select(*(value.alias(f"__cdc_{name}") for name, value in found.items()))


def _same(layout: TargetColumns, nullable: Iterable[str]) -> Column:
    """A target row and one of `_identities` are the same; `nullable` columns may be NULL."""
    target = _identity(layout, lambda name: F.col(quote(name)))
    return _all_same(target, {n: F.col(quote(f"__cdc_{n}")) for n in target}, nullable)


def _identity(layout: TargetColumns, of: Callable[[str], Column]) -> dict[str, Column]:
    """What tells one target row from another; a row without a start has its end."""
    found = {name: of(name) for name in layout.identity}
    if layout.remainders:
        found[START] = F.coalesce(of(START), of(END))
    return found


def _all_same(one: dict[str, Column], other: dict[str, Column], nullable: Iterable[str]) -> Column:
    alike = (one[n].eqNullSafe(other[n]) if n in nullable else one[n] == other[n] for n in one)
    return reduce(and_, alike)
