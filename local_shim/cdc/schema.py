"""The columns of an AUTO CDC target."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql.types import (
    ByteType,
    DataType,
    IntegerType,
    LongType,
    ShortType,
    StructType,
    TimestampType,
)

from local_shim.cdc.layout import Layout, ignoring_nulls, layout_of
from local_shim.errors import DefinitionError
from local_shim.graph.elements import AutoCdcFlow, SnapshotFlow

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
        layout = Layout(flow.scd_type, layout.keys, layout.columns, layout.tracked, version)
    if declared is None:
        return layout.target
    _check_declared(flow, layout, declared)
    return declared


def snapshot_schema(flow: SnapshotFlow, source: DataFrame | None) -> StructType:
    """Columns of a snapshot target; none yet if only the flow's function knows its frame."""
    return StructType([]) if source is None else target_schema(flow, source, None, TimestampType())


def common_type(one: DataType, other: DataType) -> DataType:
    """The wider of two whole-number types; of other types, the first."""
    if isinstance(one, _WHOLE) and isinstance(other, _WHOLE):
        return max(one, other, key=lambda kind: _WHOLE.index(type(kind)))
    return one


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


def _check_declared(flow: AutoCdcFlow | SnapshotFlow, layout: Layout, declared: StructType) -> None:
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
