"""Whether a JSON text has fields, at any depth, that its column's type lacks."""

from __future__ import annotations

from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from local_shim.sql_text import among, literal


def unknown_fields(text: str, kind: DataType, options: str) -> str:
    """SQL condition on the JSON text `text`: a field that is not null has no place in `kind`.

    It is empty if the type has no struct. Each level of the type parses its texts into a map or
    an array of raw texts, so a value is parsed once for each level above it. `options` is the
    last argument of `from_json`, with a comma in front, or empty.
    """
    condition = _condition(text, kind, options, 0)
    return condition and f"coalesce({condition}, false)"


def _condition(text: str, kind: DataType, options: str, depth: int) -> str:
    each = f"e{depth}"
    if isinstance(kind, ArrayType):
        inner = _condition(each, kind.elementType, options, depth + 1)
        return inner and f"exists(from_json({text}, 'ARRAY<STRING>'{options}), {each} -> {inner})"
    entries = f"from_json({text}, 'MAP<STRING, STRING>'{options})"
    if isinstance(kind, MapType):
        inner = _condition(each, kind.valueType, options, depth + 1)
        return inner and f"exists(map_values({entries}), {each} -> {inner})"
    if not isinstance(kind, StructType):
        return ""
    cases = [f"NOT ({among(f'{each}.key', [field.name for field in kind.fields])})"]
    for field in kind.fields:
        inner = _condition(f"{each}.value", field.dataType, options, depth + 1)
        if inner:
            cases.append(f"({each}.key = {literal(field.name)} AND {inner})")
    missing = f"{each}.value IS NOT NULL AND ({' OR '.join(cases)})"
    return f"exists(map_entries({entries}), {each} -> {missing})"
