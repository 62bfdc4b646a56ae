"""Change rows as events: a key, a sequence, what happened, and the row it brought.

Columns of an events frame: `key` (struct), `seq`, `sys` (bitemporal only), `kind` (text),
`row` (struct of the target's user columns), `rendered` (the row as JSON: the greatest wins among
upserts of one sequence), `supplied` (names of the cells an upsert speaks about; NULL = all),
`violates` (the row is outside the flow's `where`), `null_key`, `unplaced` (a sequence is NULL).
Packing the user's columns into structs keeps their names apart from ours, and makes
equality of keys null-safe: NULL fields of structs are equal to each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from typing import TypeVar

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, LongType, StringType, StructField, StructType

from local_shim.cdc.fold.leaf_columns import NAMES, cells_of, supplied_cells
from local_shim.cdc.target.columns import TargetColumns, ignoring_nulls, is_sparse, sortable
from local_shim.cdc.target.schema import conformed
from local_shim.cdc.target.target import CdcTarget
from local_shim.graph.elements import AutoCdcFlow, ScdType, SnapshotFlow
from local_shim.sql_text import quote

COUNTS = ("null_sequences", "null_keys", "violations", "events")
FLAGS = ("violates", "null_key", "unplaced")
UPSERT, DELETE, TRUNCATE = "upsert", "delete", "truncate"
# to_json cuts to milliseconds unless told otherwise: two rows must never look alike.
_EXACT = {
    "ignoreNullFields": "false",
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}


def events_of(changes: DataFrame, flow: AutoCdcFlow, layout: TargetColumns) -> DataFrame:
    """One event a change row. Conditions see all source columns, also the dropped ones."""
    given = changes.schema
    row = packed(layout.columns, given)
    supplied = _supplied(flow, layout, changes)
    columns = [
        packed(key_schema(layout), given).alias("key"),
        flow.sequence_by.cast(_known(layout.sequence)).alias("seq"),
        _kind(flow).alias("kind"),
        row.alias("row"),
        payload(row, supplied).alias("rendered"),
        supplied.alias("supplied"),
        _violates(flow).alias("violates"),
        _any(F.col(quote(name)).isNull() for name in layout.keys).alias("null_key"),
        _any(each.isNull() for each in _sequences(flow)).alias("unplaced"),
    ]
    if flow.system_sequence_by is not None:
        columns.append(flow.system_sequence_by.cast(_known(layout.system)).alias("sys"))
    return changes.select(*columns)


_Flow = TypeVar("_Flow", AutoCdcFlow, AutoCdcFlow | SnapshotFlow)


def null_lowest(flow: _Flow, target: CdcTarget) -> _Flow:
    """The flow with a sequence that is never NULL, if its target lets NULL be the lowest one.

    Spark orders the fields of a struct with NULL first, and a struct of NULL is not NULL.
    """
    lenient = target.manner.null_sequences and flow.scd_type is ScdType.ONE
    if not lenient or isinstance(flow, SnapshotFlow):
        return flow
    return replace(flow, sequence_by=F.struct(flow.sequence_by.alias("value")))


def key_schema(layout: TargetColumns) -> StructType:
    """The key columns and their types."""
    types = {field.name: field.dataType for field in layout.columns}
    return StructType([StructField(name, types[name]) for name in layout.keys])


def row_schema(layout: TargetColumns) -> StructType:
    """The user's columns of the target, all nullable."""
    return StructType([StructField(f.name, f.dataType) for f in layout.columns])


def packed(columns: StructType, given: StructType) -> Column:
    """A struct of these columns of a frame with the columns `given`, as these types."""
    kinds = {field.name.lower(): field.dataType for field in given}
    return F.struct(
        *(
            conformed(F.col(quote(f.name)), kinds[f.name.lower()], f.dataType).alias(f.name)
            for f in columns
        )
    )


def rendered(row: Column) -> Column:
    """A row as JSON with all its digits."""
    return F.to_json(row, _EXACT)


def same_values(one: Column, other: Column, fields: Iterable[StructField]) -> Column:
    """Null-safe equality of some columns of two packed rows, also of types without an order."""
    nothing = F.lit(0).alias("nothing")  # a struct needs a field
    mine, theirs = (
        F.struct(*(row[field.name].alias(field.name) for field in fields), nothing)
        for row in (one, other)
    )
    if all(sortable(field.dataType) for field in fields):
        return mine.eqNullSafe(theirs)
    return rendered(mine).eqNullSafe(rendered(theirs))


def payload(row: Column, supplied: Column) -> Column:
    """What tells two events of one key and sequence apart, as text; the greater one wins."""
    return F.concat(rendered(row), F.coalesce(F.array_join(supplied, ","), F.lit("")))


def counted(mine: Column) -> tuple[Column, ...]:
    """Aggregates over a pool of events: what is wrong with those that the batch brought."""
    is_key = mine & (F.col("kind") != TRUNCATE)
    conditions = (
        mine & F.col("unplaced"),
        is_key & F.col("null_key"),
        mine & F.col("violates"),
        is_key,
    )
    return tuple(
        F.count_if(condition).alias(name)
        for name, condition in zip(COUNTS, conditions, strict=True)
    )


def literal(text: str | None, kind: DataType) -> Column | None:
    """The sequence value that `scalar` wrote as JSON."""
    if text is None:
        return None
    schema = StructType([StructField("seq", kind)])
    return F.from_json(F.lit(text), schema, {**_EXACT, "ignoreNullFields": "true"})["seq"]


def scalar(value: Column) -> Column:
    """A sequence value as JSON text that `literal` reads back unchanged."""
    return rendered(F.struct(value.alias("seq")))


def memory_schema(layout: TargetColumns, *, with_rows: bool) -> StructType:
    """The columns of remembered events."""
    fields = [
        StructField("key", key_schema(layout)),
        StructField("seq", _known(layout.sequence)),
        StructField("kind", StringType()),
        StructField("at", LongType()),
        StructField("supplied", NAMES),
    ]
    if layout.system is not None:
        fields.append(StructField("sys", layout.system))
    if with_rows:
        fields.append(StructField("row", row_schema(layout)))
    return StructType(fields)


def _kind(flow: AutoCdcFlow) -> Column:
    kind = F.lit(UPSERT)
    if flow.apply_as_deletes is not None:
        kind = F.when(flow.apply_as_deletes, DELETE).otherwise(kind)
    if flow.apply_as_truncates is not None:  # a row that is both is a truncate (reference 2.7)
        kind = F.when(flow.apply_as_truncates, TRUNCATE).otherwise(kind)
    return kind


def _sequences(flow: AutoCdcFlow) -> list[Column]:
    system = flow.system_sequence_by
    return [flow.sequence_by] if system is None else [flow.sequence_by, system]


def _any(conditions: Iterable[Column]) -> Column:
    return reduce(lambda one, other: one | other, conditions)


def _violates(flow: AutoCdcFlow) -> Column:
    if flow.prune_where is None:
        return F.lit(False)
    return ~F.coalesce(flow.prune_where, F.lit(False))


def _supplied(flow: AutoCdcFlow, layout: TargetColumns, changes: DataFrame) -> Column:
    if not is_sparse(flow):
        return F.lit(None).cast(NAMES)
    return supplied_cells(flow, cells_of(layout), ignoring_nulls(flow, layout, changes.columns))


def _known(kind: DataType | None) -> DataType:
    if kind is None:
        raise ValueError("a flow without a sequence has no events")
    return kind
