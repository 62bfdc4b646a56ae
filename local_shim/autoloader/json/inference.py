"""The fields of JSON files, read by plain Python while an update is planned."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DecimalType,
    DoubleType,
    LongType,
    NullType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from local_shim.autoloader.files.listing import SourceFile
from local_shim.autoloader.json.json_format import JsonFormat
from local_shim.autoloader.json.records import records
from local_shim.autoloader.nested_types import new_fields, shared
from local_shim.autoloader.text_types import is_timestamp

_NUMBERS: list[type[DataType]] = [LongType, DecimalType, DoubleType]


def json_fields(files: Iterable[SourceFile], form: JsonFormat) -> StructType:
    """Fields of all records in the order of their names; all text unless typed."""
    fields_type: DataType = StructType([])
    for file in files:
        fields_type = common(fields_type, _fields_of_file(file, form))
    if form.drop_null_fields:
        fields_type = _without_null_fields(fields_type) or StructType([])
    schema = _without_null_types(fields_type)
    fields = sorted(schema.fields, key=lambda f: f.name) if isinstance(schema, StructType) else []
    return StructType(
        [StructField(f.name, f.dataType if form.typed else StringType()) for f in fields]
    )


@lru_cache(maxsize=200_000)
def _fields_of_file(file: SourceFile, form: JsonFormat) -> DataType:
    record_type: DataType = StructType([])
    for record in records(file, form):
        if isinstance(record, dict):
            record_type = common(record_type, _type_of(record, form))
    return shared(record_type) if isinstance(record_type, StructType) else record_type


def _type_of(value: Any, form: JsonFormat) -> DataType:
    if isinstance(value, dict):
        return StructType(
            [StructField(key, _type_of(each, form)) for key, each in sorted(value.items())]
        )
    if isinstance(value, list):
        element: DataType = NullType()
        for each in value:
            element = common(element, _type_of(each, form))
        return ArrayType(element)
    if isinstance(value, str):
        return _type_of_text(value, form)
    if value is None:
        return NullType()
    return StringType() if form.primitives_as_string else _type_of_number(value)


def _type_of_text(text: str, form: JsonFormat) -> DataType:
    if not text:  # as some programs write it for null
        return NullType()
    if form.prefers_decimal and (decimal := _decimal(text)) is not None:
        return _type_of_number(decimal)
    if form.infer_timestamp and is_timestamp(text, form.timestamp_pattern):
        return TimestampType()
    return StringType()


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _type_of_number(value: bool | int | float | Decimal) -> DataType:
    if isinstance(value, bool):
        return BooleanType()
    if isinstance(value, int):
        return LongType() if -(2**63) <= value < 2**63 else _decimal_type(len(str(abs(value))), 0)
    if isinstance(value, float):
        return DoubleType()
    _, digits, exponent = value.as_tuple()
    scale = max(0, -int(exponent))
    return _decimal_type(max(len(digits) + max(0, int(exponent)), scale), scale)


def _decimal_type(precision: int, scale: int) -> DataType:
    return DecimalType(precision, scale) if precision <= 38 else DoubleType()


def common(one: DataType, other: DataType) -> DataType:
    """The type that holds values of both."""
    if one == other or isinstance(other, NullType):
        return one
    if isinstance(one, NullType):
        return other
    if isinstance(one, StructType) and isinstance(other, StructType):
        return _common_struct(one, other)
    if isinstance(one, ArrayType) and isinstance(other, ArrayType):
        return ArrayType(common(one.elementType, other.elementType))
    if type(one) in _NUMBERS and type(other) in _NUMBERS:
        return _common_number(one, other)
    return StringType()


def _common_number(one: DataType, other: DataType) -> DataType:
    if DoubleType() in (one, other):
        return DoubleType()
    whole, scale = 0, 0
    for kind in (one, other):
        decimal = kind if isinstance(kind, DecimalType) else DecimalType(20, 0)
        whole = max(whole, decimal.precision - decimal.scale)
        scale = max(scale, decimal.scale)
    return _decimal_type(whole + scale, scale)


def _common_struct(one: StructType, other: StructType) -> StructType:
    types = {field.name: field.dataType for field in one.fields}
    for field in other.fields:
        kind = types.get(field.name)
        types[field.name] = field.dataType if kind is None else common(kind, field.dataType)
    return StructType([StructField(name, types[name]) for name in sorted(types)])


def _without_null_fields(kind: DataType) -> DataType | None:
    """The type without the fields that hold nothing but null or what is empty; None for those."""
    if isinstance(kind, NullType):
        return None
    if isinstance(kind, ArrayType):
        element = _without_null_fields(kind.elementType)
        return element and ArrayType(element)
    if not isinstance(kind, StructType):
        return kind
    types = [(field.name, _without_null_fields(field.dataType)) for field in kind.fields]
    fields = [StructField(name, each) for name, each in types if each is not None]
    return StructType(fields) if fields else None


def _without_null_types(kind: DataType) -> DataType:
    """The type with text where nothing but null was seen, and each name once in a struct."""
    if isinstance(kind, NullType):
        return StringType()
    if isinstance(kind, ArrayType):
        return ArrayType(_without_null_types(kind.elementType))
    if not isinstance(kind, StructType):
        return kind
    fields = new_fields(kind, StructType([]))
    return (
        StructType([StructField(f.name, _without_null_types(f.dataType)) for f in fields])
        if fields
        else StringType()
    )
