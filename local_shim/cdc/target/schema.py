"""The columns of an AUTO CDC target."""

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
    TimestampType,
)

from local_shim.cdc.target.columns import TargetColumns, ignoring_nulls, layout_of
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
    Raises DefinitionError (reference 1.4, 2.9) naming missing and available columns.
    """
    layout = layout_of(flow, source)
    if isinstance(flow, AutoCdcFlow):
        ignoring_nulls(flow, layout, source.columns)
        _check_columns_to_update(flow, source)
    if version is not None:
        layout = TargetColumns(flow.scd_type, layout.keys, layout.columns, layout.tracked, version)
    if declared is None:
        return layout.target
    _check_declared(flow, layout, declared)
    return declared


def snapshot_schema(flow: SnapshotFlow, source: DataFrame | None) -> StructType:
    """Columns of a snapshot target; none yet if only the flow's function knows its frame."""
    return StructType([]) if source is None else target_schema(flow, source, None, TimestampType())


def fits(kind: DataType, into: DataType) -> bool:
    """Whether every value of a type is a value of the other, so that nothing is lost."""
    return extended(kind, into) == into


def extended(kind: DataType, known: DataType) -> DataType | None:
    """The table's type, with the struct fields that only the source has; None if values differ.

    A struct field that the source lacks is None, too: its values would be lost.
    """
    if isinstance(kind, StructType) and isinstance(known, StructType):
        return _extended_struct(kind, known)
    if isinstance(kind, ArrayType) and isinstance(known, ArrayType):
        element = extended(kind.elementType, known.elementType)
        return known if element == known.elementType else None
    if isinstance(kind, _WHOLE) and isinstance(known, _WHOLE):
        return known if _WHOLE.index(type(kind)) <= _WHOLE.index(type(known)) else None
    if isinstance(kind, DecimalType) and isinstance(known, DecimalType):
        whole = known.precision - known.scale >= kind.precision - kind.scale
        return known if whole and known.scale >= kind.scale else None
    if isinstance(kind, FloatType) and isinstance(known, DoubleType):
        return known
    return known if kind.simpleString() == known.simpleString() else None


def widest(kind: DataType) -> DataType:
    """The type that memory keeps a sequence in, so that `lit(0)` and BIGINT can meet."""
    if isinstance(kind, StructType):
        return StructType([StructField(field.name, widest(field.dataType)) for field in kind])
    return LongType() if isinstance(kind, _WHOLE) else kind


def missing_columns(known: StructType, wanted: StructType, path: str = "") -> list[str]:
    """What ALTER TABLE must add, each column after its neighbour in `wanted`."""
    have = {field.name.lower(): field for field in known}
    added = []
    place = "FIRST"
    for field in wanted:
        name = path + quote(field.name)
        found = have.get(field.name.lower())
        if found is None:
            added.append(f"{name} {field.dataType.simpleString()} {place}")
        elif isinstance(found.dataType, StructType) and isinstance(field.dataType, StructType):
            added += missing_columns(found.dataType, field.dataType, f"{name}.")
        place = f"AFTER {quote(field.name)}"
    return added


def conformed(column: Column, kind: DataType, into: DataType) -> Column:
    """A column as another type; structs by the names of their fields, not by position."""
    if not (isinstance(kind, StructType) and isinstance(into, StructType)):
        return column.cast(into)
    have = {field.name.lower(): field for field in kind}
    fields = []
    for field in into:
        found = have.get(field.name.lower())
        value = (
            F.lit(None).cast(field.dataType)
            if found is None
            else conformed(column.getField(found.name), found.dataType, field.dataType)
        )
        fields.append(value.alias(field.name))
    return F.when(column.isNotNull(), F.struct(*fields)).cast(into)


def _extended_struct(kind: StructType, known: StructType) -> StructType | None:
    mine = {field.name.lower(): field for field in kind}
    fields = []
    for field in known:
        found = mine.pop(field.name.lower(), None)
        inner = None if found is None else extended(found.dataType, field.dataType)
        if inner is None:
            return None
        fields.append(StructField(field.name, inner, field.nullable, field.metadata))
    return StructType([*fields, *mine.values()])


def _check_columns_to_update(flow: AutoCdcFlow, source: DataFrame) -> None:
    if flow.columns_to_update is None:
        return
    types = {field.name.lower(): field.dataType.simpleString() for field in source.schema}
    found = types.get(flow.columns_to_update.lower())
    if found != "array<string>":
        raise DefinitionError(
            "AUTOCDC_COLUMNS_TO_UPDATE_NOT_AN_ARRAY",
            f"Flow '{flow.name}': columns_to_update names '{flow.columns_to_update}', which is "
            f"{'not a column' if found is None else 'of type ' + found}; it must be a column of "
            f"type array<string>. Available columns: {', '.join(source.columns)}.",
            where=flow.where,
            hint="the array holds, per row, the names of the columns that the row sets",
        )


def _check_declared(
    flow: AutoCdcFlow | SnapshotFlow, layout: TargetColumns, declared: StructType
) -> None:
    types = {field.name.lower(): field.dataType for field in declared}
    missing = [name for name in layout.intervals if name.lower() not in types]
    expected = {field.name: field.dataType for field in layout.target}
    if missing:
        raise _declared_error(
            flow,
            f"lacks {', '.join(missing)}; "
            + ", ".join(f"{name} {_shown(expected.get(name))}" for name in layout.intervals)
            + " are required",
        )
    for name in layout.intervals:
        wanted, given = expected.get(name), types[name.lower()]
        if wanted is not None and wanted.simpleString() != given.simpleString():
            raise _declared_error(
                flow, f"has {name} {_shown(given)}, the sequence is {_shown(wanted)}"
            )
    unknown = [name for name in layout.columns.names if name.lower() not in types]
    if unknown:
        raise _declared_error(flow, f"lacks the source's columns {', '.join(unknown)}")


def _declared_error(flow: AutoCdcFlow | SnapshotFlow, what: str) -> DefinitionError:
    return DefinitionError(
        "USER_SPECIFIED_AND_INFERRED_SCHEMA_NOT_COMPATIBLE",
        f"Flow '{flow.name}': the declared schema of {flow.target} {what}.",
        where=flow.where,
        hint="add the columns to the schema, or leave the schema out",
    )


def _shown(kind: DataType | None) -> str:
    return "of the sequence's type" if kind is None else kind.simpleString().upper()
