"""The leaf columns of a row: what a sparse update may set or leave alone (behaviour 53).

A leaf is a column, or a field of a struct column that is no struct itself. A struct has one more
leaf, its presence, so that NULL and a struct of NULLs stay different.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BooleanType, DataType, StringType, StructType

from local_shim.cdc.target_table.columns import TargetColumns
from local_shim.graph.elements import AutoCdcFlow
from local_shim.sql_text import quote

NAMES = ArrayType(StringType())


@dataclass(frozen=True)
class LeafColumn:
    """A column or a struct leaf by its path, or (`presence`) whether the struct is there."""

    path: tuple[str, ...]
    kind: DataType
    presence: bool = False

    @property
    def name(self) -> str:
        """The leaf's name in `supplied` lists."""
        return ".".join(self.path) + ("?" if self.presence else "")

    def of(self, row: Column) -> Column:
        """The leaf's value in a packed row."""
        value = row
        for field in self.path:
            value = value.getField(field)
        return value.isNotNull() if self.presence else value


def leaves_of(columns: TargetColumns) -> tuple[LeafColumn, ...]:
    """All leaves of a target's value columns."""
    return tuple(
        leaf
        for field in columns.selected
        if field.name in columns.values
        for leaf in _leaves((field.name,), field.dataType)
    )


def supplied_leaves(
    flow: AutoCdcFlow, row: Column, leaves: Sequence[LeafColumn], ignoring: Sequence[str]
) -> Column:
    """Names of the leaves that an upsert with this row supplies; NULL means all of them.

    In the columns `ignoring`, NULL supplies nothing.
    """
    if flow.columns_to_update is not None:
        return _listed(flow.columns_to_update, leaves)
    names = [
        F.lit(leaf.name)
        if leaf.path[0] not in ignoring
        else F.when(_has_value(leaf, row), leaf.name)
        for leaf in leaves
    ]
    return F.array_compact(F.array(*names)).cast(NAMES)


def is_supplied(leaf: LeafColumn, supplied: Column) -> Column:
    """Whether an event with this list supplies the leaf."""
    return supplied.isNull() | F.array_contains(supplied, leaf.name)


def rebuilt(columns: TargetColumns, key: Column, value: Callable[[LeafColumn], Column]) -> Column:
    """A packed row out of a key and the value of each leaf."""
    fields = []
    for field in columns.selected:
        if field.name in columns.keys:
            fields.append(key.getField(field.name).alias(field.name))
        else:
            column = _rebuilt((field.name,), field.dataType, value)
            fields.append(column.cast(field.dataType).alias(field.name))
    return F.struct(*fields)


def _leaves(path: tuple[str, ...], kind: DataType) -> list[LeafColumn]:
    if not isinstance(kind, StructType):
        return [LeafColumn(path, kind)]
    inner = [leaf for field in kind for leaf in _leaves((*path, field.name), field.dataType)]
    return [LeafColumn(path, BooleanType(), presence=True), *inner]


def _rebuilt(
    path: tuple[str, ...], kind: DataType, value: Callable[[LeafColumn], Column]
) -> Column:
    if not isinstance(kind, StructType):
        return value(LeafColumn(path, kind))
    presence = value(LeafColumn(path, BooleanType(), presence=True))
    inner = [
        _rebuilt((*path, field.name), field.dataType, value).alias(field.name) for field in kind
    ]
    return F.when(F.coalesce(presence, F.lit(False)), F.struct(*inner))


def _has_value(leaf: LeafColumn, row: Column) -> Column:
    return leaf.of(row) if leaf.presence else leaf.of(row).isNotNull()


def _listed(column: str, leaves: Sequence[LeafColumn]) -> Column:
    """All leaves of the columns that the row's array names, in any case; a NULL array means all."""
    requested = F.transform(F.col(quote(column)), F.lower)
    named = [
        F.when(F.array_contains(requested, leaf.path[0].lower()), leaf.name) for leaf in leaves
    ]
    listed = F.array_compact(F.array(*named)).cast(NAMES)
    return F.when(requested.isNotNull(), listed)
