"""Schema evolution mode `addNewColumnsWithTypeWidening`: columns that grow with their files.

[choice] Fields inside of structs, arrays and maps keep their types.
"""

from __future__ import annotations

from pyspark.sql.types import (
    ByteType,
    DataType,
    DecimalType,
    IntegerType,
    LongType,
    ShortType,
    StructField,
    StructType,
)

from local_shim.graph.type_widening import widens

MODE = "addNewColumnsWithTypeWidening"
# Digits with which a column of whole numbers starts as a decimal.
_DIGITS: dict[type[DataType], int] = {ByteType: 10, ShortType: 10, IntegerType: 10, LongType: 20}
_MOST_DIGITS = 38


def with_wider_types(current: StructType, incoming: StructType) -> tuple[StructType, list[str]]:
    """`current` with types that hold the values of `incoming`, too, and the columns that grew."""
    types = {field.name.lower(): field.dataType for field in incoming.fields}
    fields = [
        StructField(f.name, wider(f.dataType, types.get(f.name.lower(), f.dataType)), f.nullable)
        for f in current.fields
    ]
    pairs = zip(current.fields, fields, strict=True)
    return StructType(fields), [new.name for old, new in pairs if new.dataType != old.dataType]


def wider(current: DataType, incoming: DataType) -> DataType:
    """The type that `current` grows to; `current` itself if it cannot take `incoming`."""
    if isinstance(incoming, DecimalType):
        return _decimal(current, incoming)
    return incoming if widens(current, incoming) else current


def _decimal(current: DataType, incoming: DecimalType) -> DataType:
    scale = current.scale if isinstance(current, DecimalType) else 0
    digits = _DIGITS.get(type(current))
    if isinstance(current, DecimalType):
        digits = current.precision - current.scale
    if digits is None:
        return current
    digits = max(digits, incoming.precision - incoming.scale)
    scale = max(scale, incoming.scale)
    return DecimalType(digits + scale, scale) if digits + scale <= _MOST_DIGITS else current
