"""Change rows as events: a key, a sequence, what happened, and the row it brought.

Columns of an events frame: `key` (struct), `seq`, `sys` (bitemporal only), `kind` (text),
`row` (struct of the target's user columns), `supplied` (names of the leaf columns that an upsert
sets; NULL = all), `violates` (the row is outside the flow's `where`), `null_key`, `unplaced` (a
sequence is NULL).
The user's columns are packed into structs. This keeps their names apart from ours and makes
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

from local_shim.cdc.fold.leaf_columns import NAMES, leaves_of, supplied_leaves
from local_shim.cdc.target_table.columns import TargetColumns, ignoring_nulls, is_sparse, sortable
from local_shim.cdc.target_table.schema import conformed
from local_shim.cdc.target_table.target import CdcTarget
from local_shim.graph.elements import AutoCdcFlow, ScdType, SnapshotFlow
from local_shim.sql_text import quote

COUNTS = ("null_sequences", "null_keys", "violations", "events")
FLAGS = ("violates", "null_key", "unplaced")
UPSERT, DELETE, TRUNCATE = "upsert", "delete", "truncate"
# to_json cuts to milliseconds by default, which would make different rows look equal.
_EXACT = {
    "ignoreNullFields": "false",
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}


def events_of(changes: DataFrame, flow: AutoCdcFlow, columns: TargetColumns) -> DataFrame:
    """One event per change row. Conditions may use all source columns, also the dropped ones."""
    source = changes.schema
    row = packed(columns.selected, source)
    supplied = _supplied(flow, columns, row, source)
    fields = [
        packed(key_schema(columns), source).alias("key"),
        flow.sequence_by.cast(_required(columns.sequence)).alias("seq"),
        _kind(flow).alias("kind"),
        row.alias("row"),
        supplied.alias("supplied"),
        _violates(flow).alias("violates"),
        _any(F.col(quote(name)).isNull() for name in columns.keys).alias("null_key"),
        _any(each.isNull() for each in _sequences(flow)).alias("unplaced"),
    ]
    if flow.system_sequence_by is not None:
        fields.append(flow.system_sequence_by.cast(_required(columns.system)).alias("sys"))
    return changes.select(*fields)


_Flow = TypeVar("_Flow", AutoCdcFlow, AutoCdcFlow | SnapshotFlow)


def null_lowest(flow: _Flow, target: CdcTarget) -> _Flow:
    """The flow with a sequence that is never NULL, if its target takes NULL as the lowest one.

    Spark orders the fields of a struct with NULL first, and a struct of NULL is not NULL.
    """
    lenient = target.options.null_sequences and flow.scd_type is ScdType.ONE
    if not lenient or isinstance(flow, SnapshotFlow):
        return flow
    return replace(flow, sequence_by=F.struct(flow.sequence_by.alias("value")))


def key_schema(columns: TargetColumns) -> StructType:
    """The key columns and their types."""
    types = {field.name: field.dataType for field in columns.selected}
    return StructType([StructField(name, types[name]) for name in columns.keys])


def row_schema(columns: TargetColumns) -> StructType:
    """The user's columns of the target, all nullable."""
    return StructType([StructField(f.name, f.dataType) for f in columns.selected])


def packed(fields: StructType, source: StructType) -> Column:
    """A struct of these fields of a frame with the schema `source`; NULL for those it lacks."""
    kinds = {field.name.lower(): field.dataType for field in source}
    return F.struct(*(_packed_field(field, kinds.get(field.name.lower())) for field in fields))


def _packed_field(field: StructField, kind: DataType | None) -> Column:
    if kind is None:
        return F.lit(None).cast(field.dataType).alias(field.name)
    return conformed(F.col(quote(field.name)), kind, field.dataType).alias(field.name)


def rendered(row: Column) -> Column:
    """A row as JSON with all its digits."""
    return F.to_json(row, _EXACT)


def same_rows(one: Column, other: Column, kind: StructType) -> Column:
    """Null-safe equality of two structs of one type, also of a type without an order."""
    if sortable(kind):
        return one.eqNullSafe(other)
    return rendered(one).eqNullSafe(rendered(other))


def same_values(one: Column, other: Column, fields: Iterable[StructField]) -> Column:
    """Null-safe equality of some columns of two packed rows, also of types without an order."""
    nothing = F.lit(0).alias("nothing")  # a struct needs a field
    fields = list(fields)
    left, right = (
        F.struct(*(row[field.name].alias(field.name) for field in fields), nothing)
        for row in (one, other)
    )
    return same_rows(left, right, StructType(fields))


def payload(row: Column, supplied: Column) -> Column:
    """What tells two events of one key and sequence apart, as text; the greater one wins."""
    return F.concat(rendered(row), F.coalesce(F.array_join(supplied, ","), F.lit("")))


def counted(from_batch: Column) -> tuple[Column, ...]:
    """Aggregates over known events: how many the batch brought, and what is wrong with them."""
    return tuple(
        F.count_if(from_batch & condition).alias(name) for name, condition in _conditions().items()
    )


def counts_of_event() -> tuple[Column, ...]:
    """The counts of `counted` for one event of a batch."""
    return tuple(condition.cast("int").alias(name) for name, condition in _conditions().items())


def _conditions() -> dict[str, Column]:
    """The events that each of `COUNTS` counts."""
    is_key = F.col("kind") != TRUNCATE
    conditions = (F.col("unplaced"), is_key & F.col("null_key"), F.col("violates"), is_key)
    return dict(zip(COUNTS, conditions, strict=True))


def literal(text: str | None, kind: DataType) -> Column | None:
    """The sequence value that `scalar` wrote as JSON."""
    if text is None:
        return None
    schema = StructType([StructField("seq", kind)])
    return F.from_json(F.lit(text), schema, {**_EXACT, "ignoreNullFields": "true"})["seq"]


def scalar(value: Column) -> Column:
    """A sequence value as JSON text that `literal` reads back unchanged."""
    return rendered(F.struct(value.alias("seq")))


def state_schema(columns: TargetColumns, *, with_rows: bool) -> StructType:
    """The columns of state rows."""
    fields = [
        StructField("key", key_schema(columns)),
        StructField("seq", _required(columns.sequence)),
        StructField("kind", StringType()),
        StructField("at", LongType()),
        StructField("supplied", NAMES),
    ]
    if columns.system is not None:
        fields.append(StructField("sys", columns.system))
    if with_rows:
        fields.append(StructField("row", row_schema(columns)))
    return StructType(fields)


def _kind(flow: AutoCdcFlow) -> Column:
    kind = F.lit(UPSERT)
    if flow.apply_as_deletes is not None:
        kind = F.when(flow.apply_as_deletes, DELETE).otherwise(kind)
    if flow.apply_as_truncates is not None:  # [choice] a row that is both is a truncate
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


def _supplied(flow: AutoCdcFlow, columns: TargetColumns, row: Column, source: StructType) -> Column:
    if not is_sparse(flow):
        return F.lit(None).cast(NAMES)
    ignoring = ignoring_nulls(flow, columns, source.names)
    return supplied_leaves(flow, row, leaves_of(columns), ignoring)


def _required(kind: DataType | None) -> DataType:
    if kind is None:
        raise ValueError("a flow without a sequence has no events")
    return kind
