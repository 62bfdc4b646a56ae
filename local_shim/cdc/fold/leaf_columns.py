"""The cells of a row: the smallest things that a sparse update may set or leave alone.

A cell is a column, or a leaf of a struct column (reference 2.8: leaves reconcile one by one).
A struct has one cell more, its presence, so that NULL and a struct of NULLs stay different.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BooleanType, DataType, StringType, StructType

from local_shim.cdc.target.columns import TargetColumns
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
        """What the cell is called in `supplied` lists."""
        return ".".join(self.path) + ("?" if self.presence else "")

    def of(self, row: Column) -> Column:
        """The cell's value in a packed row."""
        found = row
        for field in self.path:
            found = found.getField(field)
        return found.isNotNull() if self.presence else found


def cells_of(layout: TargetColumns) -> tuple[LeafColumn, ...]:
    """All cells of a layout's value columns."""
    return tuple(
        cell
        for field in layout.columns
        if field.name in layout.values
        for cell in _cells((field.name,), field.dataType)
    )


def supplied_cells(
    flow: AutoCdcFlow, cells: Sequence[LeafColumn], ignoring: Sequence[str]
) -> Column:
    """Names of the cells that an upsert of this flow speaks about; NULL means all of them."""
    if flow.columns_to_update is not None:
        return _listed(flow.columns_to_update, cells)
    row = F.struct(*(F.col(quote(name)).alias(name) for name in _columns(cells)))
    names = [
        F.lit(cell.name)
        if cell.path[0] not in ignoring
        else F.when(_says_something(cell, row), cell.name)
        for cell in cells
    ]
    return F.array_compact(F.array(*names)).cast(NAMES)


def is_supplied(cell: LeafColumn, supplied: Column) -> Column:
    """Whether an event with this list speaks about the cell."""
    return supplied.isNull() | F.array_contains(supplied, cell.name)


def rebuilt(layout: TargetColumns, key: Column, value: Callable[[LeafColumn], Column]) -> Column:
    """A packed row out of a key and the value of each cell."""
    fields = []
    for field in layout.columns:
        if field.name in layout.keys:
            fields.append(key.getField(field.name).alias(field.name))
        else:
            column = _rebuilt((field.name,), field.dataType, value)
            fields.append(column.cast(field.dataType).alias(field.name))
    return F.struct(*fields)


def _cells(path: tuple[str, ...], kind: DataType) -> list[LeafColumn]:
    if not isinstance(kind, StructType):
        return [LeafColumn(path, kind)]
    inner = [cell for field in kind for cell in _cells((*path, field.name), field.dataType)]
    return [LeafColumn(path, BooleanType(), presence=True), *inner]


def _rebuilt(
    path: tuple[str, ...], kind: DataType, value: Callable[[LeafColumn], Column]
) -> Column:
    if not isinstance(kind, StructType):
        return value(LeafColumn(path, kind))
    there = value(LeafColumn(path, BooleanType(), presence=True))
    inner = [
        _rebuilt((*path, field.name), field.dataType, value).alias(field.name) for field in kind
    ]
    return F.when(F.coalesce(there, F.lit(False)), F.struct(*inner))


def _says_something(cell: LeafColumn, row: Column) -> Column:
    return cell.of(row) if cell.presence else cell.of(row).isNotNull()


def _columns(cells: Sequence[LeafColumn]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cell.path[0] for cell in cells))


def _listed(column: str, cells: Sequence[LeafColumn]) -> Column:
    """All cells of the columns that the row's array names, in any case; a NULL array means all."""
    asked = F.transform(F.col(quote(column)), F.lower)
    named = [F.when(F.array_contains(asked, cell.path[0].lower()), cell.name) for cell in cells]
    listed = F.array_compact(F.array(*named)).cast(NAMES)
    return F.when(asked.isNotNull(), listed)
