"""Values with more inner fields or elements than their column's type has, as SQL text.

The source type is the target type with further fields (see `nested_types.evolve`), and with an
array in the place of a single value (see `with_repeats`).
"""

from __future__ import annotations

from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

from local_shim.sql_text import literal, quote


def with_repeats(kind: DataType, incoming: DataType) -> DataType:
    """`kind` with an array for each value, at any depth, of which `incoming` has several."""
    if isinstance(incoming, ArrayType):
        element = kind.elementType if isinstance(kind, ArrayType) else kind
        return ArrayType(with_repeats(element, incoming.elementType))
    if not isinstance(kind, StructType) or not isinstance(incoming, StructType):
        return kind
    types = {field.name.lower(): field.dataType for field in incoming.fields}
    return StructType(
        [
            StructField(f.name, with_repeats(f.dataType, types.get(f.name.lower(), f.dataType)))
            for f in kind.fields
        ]
    )


def without_extra(value: str, source: DataType, target: DataType, depth: int = 0) -> str:
    """The value of type `source` as a value of type `target`, without the further fields.

    An array with several elements is NULL where the target has a single value.
    """
    each = f"e{depth}"
    if source == target:
        return value
    if isinstance(source, ArrayType) and not isinstance(target, ArrayType):
        only = without_extra(f"get({value}, 0)", source.elementType, target, depth)
        return f"if(size({value}) = 1, {only}, NULL)"
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
    """SQL condition: a further field is not null, or there are several elements for one value.

    It is empty if the types leave no room for that.
    """
    each = f"e{depth}"
    if isinstance(source, ArrayType) and not isinstance(target, ArrayType):
        inner = has_extra(f"get({value}, 0)", source.elementType, target, depth)
        return f"(size({value}) > 1{' OR ' if inner else ''}{inner})"
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
