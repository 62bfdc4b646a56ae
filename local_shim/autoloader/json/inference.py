"""The fields of JSON files, read by plain Python while an update is planned."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
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
)

from local_shim.autoloader.files.listing import SourceFile
from local_shim.autoloader.files.text import open_text
from local_shim.autoloader.nested_types import new_fields, shared

_NUMBERS: list[type[DataType]] = [LongType, DecimalType, DoubleType]


def json_fields(files: Iterable[SourceFile], *, multi_line: bool, typed: bool) -> StructType:
    """Fields of all records in the order of their names; all text unless typed."""
    fields_type: DataType = StructType([])
    for file in files:
        fields_type = common(fields_type, _fields_of_file(file, multi_line))
    schema = _without_null_types(fields_type)
    fields = sorted(schema.fields, key=lambda f: f.name) if isinstance(schema, StructType) else []
    return StructType([StructField(f.name, f.dataType if typed else StringType()) for f in fields])


@lru_cache(maxsize=200_000)
def _fields_of_file(file: SourceFile, multi_line: bool) -> DataType:
    record_type: DataType = StructType([])
    for record in _records(file, multi_line):
        if isinstance(record, dict):
            record_type = common(record_type, _type_of(record))
    return shared(record_type) if isinstance(record_type, StructType) else record_type


def _records(file: SourceFile, multi_line: bool) -> Iterator[Any]:
    """Whatever can be read; broken records are the stream's business."""
    with open_text(file.path, "UTF-8") as stream:
        texts = [stream.read()] if multi_line else stream
        for text in texts:
            try:
                record = json.loads(text)
            except ValueError:
                continue
            yield from record if isinstance(record, list) else [record]


def _type_of(value: Any) -> DataType:
    if isinstance(value, bool):
        return BooleanType()
    if isinstance(value, int):
        return LongType() if -(2**63) <= value < 2**63 else _wide(value)
    if isinstance(value, float):
        return DoubleType()
    if isinstance(value, dict):
        return StructType([StructField(key, _type_of(each)) for key, each in sorted(value.items())])
    if isinstance(value, list):
        element: DataType = NullType()
        for each in value:
            element = common(element, _type_of(each))
        return ArrayType(element)
    # Spark's inference takes an empty text for null, as some programs write it for null.
    return StringType() if value else NullType()


def _wide(value: int) -> DataType:
    digits = len(str(abs(value)))
    return DecimalType(digits, 0) if digits <= 38 else DoubleType()


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
        return max(one, other, key=_rank)
    return StringType()


def _rank(kind: DataType) -> tuple[int, int]:
    return _NUMBERS.index(type(kind)), getattr(kind, "precision", 0)


def _common_struct(one: StructType, other: StructType) -> StructType:
    types = {field.name: field.dataType for field in one.fields}
    for field in other.fields:
        kind = types.get(field.name)
        types[field.name] = field.dataType if kind is None else common(kind, field.dataType)
    return StructType([StructField(name, types[name]) for name in sorted(types)])


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
