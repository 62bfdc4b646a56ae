"""Values with more inner fields than their column's type has, as SQL text.

The source type is the target type with further fields; see `nested_types.evolve`.
"""

from __future__ import annotations

from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from local_shim.sql_text import literal, quote


def without_extra(value: str, source: DataType, target: DataType, depth: int = 0) -> str:
    """The value of type `source` as a value of type `target`, without the further fields."""
    each = f"e{depth}"
    if source == target:
        return value
    if isinstance(source, StructType) and isinstance(target, StructType):
        parts = [
            f"{literal(field.name)}, "
            + without_extra(
                f"{value}.{quote(field.name)}", source[field.name].dataType, field.dataType, depth
            )
            for field in target.fields
        ]
        return f"if({value} IS NULL, NULL, named_struct({', '.join(parts)}))"
    if isinstance(source, ArrayType) and isinstance(target, ArrayType):
        element = without_extra(each, source.elementType, target.elementType, depth + 1)
        return f"transform({value}, {each} -> {element})"
    if isinstance(source, MapType) and isinstance(target, MapType):
        part = without_extra(each, source.valueType, target.valueType, depth + 1)
        return f"transform_values({value}, (k{depth}, {each}) -> {part})"
    return value


def has_extra(value: str, source: DataType, target: DataType, depth: int = 0) -> str:
    """SQL condition: a further field of the value is not null; empty if there are none."""
    each = f"e{depth}"
    if isinstance(source, StructType) and isinstance(target, StructType):
        names = set(target.names)
        conditions = []
        for field in source.fields:
            part = f"{value}.{quote(field.name)}"
            if field.name not in names:
                conditions.append(f"{part} IS NOT NULL")
            else:
                kind = target[field.name].dataType
                conditions.append(has_extra(part, field.dataType, kind, depth))
        conditions = [condition for condition in conditions if condition]
        return f"({' OR '.join(conditions)})" if conditions else ""
    if isinstance(source, ArrayType) and isinstance(target, ArrayType):
        inner = has_extra(each, source.elementType, target.elementType, depth + 1)
        return inner and f"exists({value}, {each} -> {inner})"
    if isinstance(source, MapType) and isinstance(target, MapType):
        inner = has_extra(each, source.valueType, target.valueType, depth + 1)
        return inner and f"exists(map_values({value}), {each} -> {inner})"
    return ""
