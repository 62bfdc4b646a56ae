"""Walks over whole column types: structs, the elements of arrays, the values of maps.

A field at any depth is named by its path, as schema hints name it: `user.born`,
`items.element.sku`, `prices.value.net`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from pyspark.sql.types import ArrayType, DataType, MapType, StringType, StructField, StructType

from local_shim.sql_text import quote

_EMPTY = StructType([])


def evolve(
    current: StructType, incoming: StructType, parent: str = ""
) -> tuple[StructType, list[str]]:
    """`current` with the fields that only `incoming` has, and the paths of those fields.

    New fields come last in their struct. A field that both have keeps its type in `current`, and a
    name in another case is the same name.
    """
    incoming_types = {field.name.lower(): field.dataType for field in incoming.fields}
    fields, paths = [], []
    for field in current.fields:
        incoming_type = incoming_types.get(field.name.lower(), field.dataType)
        kind, inner = _evolve_type(field.dataType, incoming_type, f"{parent}{field.name}.")
        fields.append(StructField(field.name, kind, field.nullable, field.metadata))
        paths += inner
    new = new_fields(incoming, current)
    return StructType(fields + new), paths + [parent + field.name for field in new]


def _evolve_type(current: DataType, incoming: DataType, parent: str) -> tuple[DataType, list[str]]:
    if isinstance(current, StructType) and isinstance(incoming, StructType):
        return evolve(current, incoming, parent)
    if isinstance(current, ArrayType) and isinstance(incoming, ArrayType):
        element, paths = _evolve_type(
            current.elementType, incoming.elementType, f"{parent}element."
        )
        return ArrayType(element, current.containsNull), paths
    if isinstance(current, MapType) and isinstance(incoming, MapType):
        value, paths = _evolve_type(current.valueType, incoming.valueType, f"{parent}value.")
        return MapType(current.keyType, value, current.valueContainsNull), paths
    return current, []


def new_fields(incoming: StructType, current: StructType) -> list[StructField]:
    """Fields of `incoming` whose names `current` has in no case; each name once."""
    names = {field.name.lower() for field in current.fields}
    fields = []
    for field in incoming.fields:
        if field.name.lower() not in names:
            names.add(field.name.lower())
            fields.append(field)
    return fields


@lru_cache(maxsize=1000)
def shared(schema: StructType) -> StructType:
    """One object for equal schemas, as most files of a folder have the same."""
    return schema


def with_type_at(kind: DataType, path: Sequence[str], hint: DataType) -> DataType:
    """The type with `hint` at the path; what lies on the path and is not there is made.

    `element` leads into an array, `key` and `value` into a map; in a struct all are field names,
    and take the case that the path has.
    """
    if not path:
        return hint
    name, rest = path[0], path[1:]
    if isinstance(kind, ArrayType) and name == "element":
        return ArrayType(with_type_at(kind.elementType, rest, hint))
    if isinstance(kind, MapType) and name == "key":
        return MapType(with_type_at(kind.keyType, rest, hint), kind.valueType)
    if isinstance(kind, MapType) and name == "value":
        return MapType(kind.keyType, with_type_at(kind.valueType, rest, hint))
    if not isinstance(kind, StructType):
        container = _CONTAINERS.get(name)
        return (
            _with_field(_EMPTY, path, hint)
            if container is None
            else with_type_at(container, path, hint)
        )
    return _with_field(kind, path, hint)


_CONTAINERS: dict[str, DataType] = {
    "element": ArrayType(StringType()),
    "key": MapType(StringType(), StringType()),
    "value": MapType(StringType(), StringType()),
}


def _with_field(struct: StructType, path: Sequence[str], hint: DataType) -> StructType:
    name, rest = path[0], path[1:]
    fields, missing = [], True
    for field in struct.fields:
        matches = field.name.lower() == name.lower()
        kind = with_type_at(field.dataType, rest, hint) if matches else field.dataType
        spelling = name if matches else field.name
        fields.append(StructField(spelling, kind, field.nullable, field.metadata))
        missing = missing and not matches
    if missing:
        fields.append(StructField(name, with_type_at(StringType(), rest, hint)))
    return StructType(fields)


def type_text(kind: DataType) -> str:
    """The type as SQL text, with the names of inner fields quoted."""
    if isinstance(kind, StructType):
        return f"struct<{', '.join(f'{quote(f.name)}: {type_text(f.dataType)}' for f in kind)}>"
    if isinstance(kind, ArrayType):
        return f"array<{type_text(kind.elementType)}>"
    if isinstance(kind, MapType):
        return f"map<{type_text(kind.keyType)}, {type_text(kind.valueType)}>"
    return kind.simpleString()


def columns_text(fields: Sequence[StructField]) -> str:
    """The columns with their types as SQL text."""
    return ", ".join(f"{quote(field.name)} {type_text(field.dataType)}" for field in fields)


def inner_types(kind: DataType) -> Iterator[DataType]:
    """The type and all types inside it."""
    yield kind
    parts: list[DataType] = []
    if isinstance(kind, StructType):
        parts = [field.dataType for field in kind.fields]
    elif isinstance(kind, ArrayType):
        parts = [kind.elementType]
    elif isinstance(kind, MapType):
        parts = [kind.keyType, kind.valueType]
    for part in parts:
        yield from inner_types(part)
