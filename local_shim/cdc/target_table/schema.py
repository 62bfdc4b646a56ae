"""The schema of an AUTO CDC target, and which source types fit which table types."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    ByteType,
    DataType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    ShortType,
    StructField,
    StructType,
)

from local_shim.cdc.target_table.columns import TargetColumns, columns_of, ignoring_nulls
from local_shim.errors import DefinitionError
from local_shim.graph.elements import AutoCdcFlow, SnapshotFlow
from local_shim.sql_text import quote

_WHOLE = (ByteType, ShortType, IntegerType, LongType)


def target_schema(
    flow: AutoCdcFlow | SnapshotFlow,
    source: DataFrame,
    declared: StructType | None = None,
    version: DataType | None = None,
) -> StructType:
    """Names and types of the clean target: selected columns, then the interval columns.

    `declared` is the schema the user gave the table, if any; it is checked and returned.
    `version` is the type of a snapshot flow's versions, when known. Starts no Spark job.
    Raises DefinitionError (behaviour 36 to 38, 58, 59) naming missing and available columns.
    """
    columns = columns_of(flow, source)
    if isinstance(flow, AutoCdcFlow):
        ignoring_nulls(flow, columns, source.columns)
        _check_columns_to_update(flow, source)
    if version is not None:
        columns = TargetColumns(
            flow.scd_type, columns.keys, columns.selected, columns.tracked, version
        )
    if declared is None:
        return columns.target
    _check_declared(flow, columns, declared)
    return declared


def fits(kind: DataType, into: DataType) -> bool:
    """Whether every value of a type is a value of the other, so that nothing is lost."""
    return merged_type(kind, into) == into


def merged_type(source: DataType, table: DataType) -> DataType | None:
    """The table's type with the struct fields that only the source has; None if values would go.

    Fields that only the table has stay: `conformed` fills them with NULL.
    """
    if isinstance(source, StructType) and isinstance(table, StructType):
        return _merged_struct(source, table)
    if isinstance(source, ArrayType) and isinstance(table, ArrayType):
        element = merged_type(source.elementType, table.elementType)
        return None if element is None else ArrayType(element, table.containsNull)
    return table if _holds(table, source) else None


def lost_columns(source: StructType, table: StructType, path: str = "") -> list[str]:
    """Names of columns and struct fields that only the table has."""
    in_source = {field.name.lower(): field.dataType for field in source}
    names = []
    for field in table:
        kind = in_source.get(field.name.lower())
        inner, other = _fields(field.dataType), _fields(kind)
        if kind is None:
            names.append(path + field.name)
        elif inner is not None and other is not None:
            names += lost_columns(other, inner, f"{path}{field.name}.")
    return names


def widest(kind: DataType) -> DataType:
    """The type in which the state keeps a sequence, so that `lit(0)` and BIGINT can be compared."""
    if isinstance(kind, StructType):
        return StructType([StructField(field.name, widest(field.dataType)) for field in kind])
    return LongType() if isinstance(kind, _WHOLE) else kind


def missing_columns(table: StructType, required: StructType, path: str = "") -> list[str]:
    """What ALTER TABLE must add, each column after its neighbour in `required`."""
    in_table = {field.name.lower(): field.dataType for field in table}
    added = []
    place = "FIRST"
    for field in required:
        name = path + quote(field.name)
        kind = in_table.get(field.name.lower())
        if kind is None:
            added.append(f"{name} {field.dataType.simpleString()} {place}")
        else:
            added += _missing_fields(kind, field.dataType, name)
        place = f"AFTER {quote(field.name)}"
    return added


def conformed(column: Column, kind: DataType, into: DataType) -> Column:
    """A column as another type; fields of structs by their names, also inside arrays."""
    if isinstance(kind, ArrayType) and isinstance(into, ArrayType):
        inner, element = kind.elementType, into.elementType
        return F.transform(column, lambda each: conformed(each, inner, element)).cast(into)
    if not (isinstance(kind, StructType) and isinstance(into, StructType)):
        return column.cast(into)
    by_name = {field.name.lower(): field for field in kind}
    fields = []
    for field in into:
        source = by_name.get(field.name.lower())
        value = (
            F.lit(None).cast(field.dataType)
            if source is None
            else conformed(column.getField(source.name), source.dataType, field.dataType)
        )
        fields.append(value.alias(field.name))
    return F.when(column.isNotNull(), F.struct(*fields)).cast(into)


def _merged_struct(source: StructType, table: StructType) -> StructType | None:
    in_source = {field.name.lower(): field for field in source}
    fields = []
    for field in table:
        other = in_source.pop(field.name.lower(), field)
        kind = merged_type(other.dataType, field.dataType)
        if kind is None:
            return None
        fields.append(StructField(field.name, kind, field.nullable, field.metadata))
    return StructType([*fields, *in_source.values()])


def _holds(table: DataType, source: DataType) -> bool:
    """Whether a column of the table's type can hold every value of the source's type."""
    if isinstance(source, _WHOLE) and isinstance(table, _WHOLE):
        return _WHOLE.index(type(source)) <= _WHOLE.index(type(table))
    if isinstance(source, DecimalType) and isinstance(table, DecimalType):
        more_digits = table.precision - table.scale >= source.precision - source.scale
        return more_digits and table.scale >= source.scale
    if isinstance(source, FloatType) and isinstance(table, DoubleType):
        return True
    return source.simpleString() == table.simpleString()


def _fields(kind: DataType | None) -> StructType | None:
    """The fields of a struct, or of the structs in an array."""
    while isinstance(kind, ArrayType):
        kind = kind.elementType
    return kind if isinstance(kind, StructType) else None


def _missing_fields(table: DataType, required: DataType, path: str) -> list[str]:
    if isinstance(table, ArrayType) and isinstance(required, ArrayType):
        return _missing_fields(table.elementType, required.elementType, f"{path}.element")
    if isinstance(table, StructType) and isinstance(required, StructType):
        return missing_columns(table, required, f"{path}.")
    return []


def _check_columns_to_update(flow: AutoCdcFlow, source: DataFrame) -> None:
    if flow.columns_to_update is None:
        return
    types = {field.name.lower(): field.dataType.simpleString() for field in source.schema}
    kind = types.get(flow.columns_to_update.lower())
    if kind != "array<string>":
        raise DefinitionError(
            "AUTOCDC_COLUMNS_TO_UPDATE_NOT_AN_ARRAY",
            f"Flow '{flow.name}': columns_to_update names '{flow.columns_to_update}', which is "
            f"{'not a column' if kind is None else 'of type ' + kind}; it must be a column of "
            f"type array<string>. Available columns: {', '.join(source.columns)}.",
            where=flow.where,
            hint="the array holds, per row, the names of the columns that the row sets",
        )


def _check_declared(
    flow: AutoCdcFlow | SnapshotFlow, columns: TargetColumns, declared: StructType
) -> None:
    types = {field.name.lower(): field.dataType for field in declared}
    missing = [name for name in columns.intervals if name.lower() not in types]
    expected = {field.name: field.dataType for field in columns.target}
    if missing:
        raise _declared_error(
            flow,
            f"lacks {', '.join(missing)}; "
            + ", ".join(f"{name} {_sql_type(expected.get(name))}" for name in columns.intervals)
            + " are required",
        )
    for name in columns.intervals:
        sequence_type, kind = expected.get(name), types[name.lower()]
        if sequence_type is not None and sequence_type.simpleString() != kind.simpleString():
            raise _declared_error(
                flow, f"has {name} {_sql_type(kind)}, the sequence is {_sql_type(sequence_type)}"
            )
    unknown = [name for name in columns.selected.names if name.lower() not in types]
    if unknown:
        raise _declared_error(flow, f"lacks the source's columns {', '.join(unknown)}")


def _declared_error(flow: AutoCdcFlow | SnapshotFlow, what: str) -> DefinitionError:
    return DefinitionError(
        "USER_SPECIFIED_AND_INFERRED_SCHEMA_NOT_COMPATIBLE",
        f"Flow '{flow.name}': the declared schema of {flow.target} {what}.",
        where=flow.where,
        hint="add the columns to the schema, or leave the schema out",
    )


def _sql_type(kind: DataType | None) -> str:
    return "of the sequence's type" if kind is None else kind.simpleString().upper()
