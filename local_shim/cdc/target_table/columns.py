"""The columns of a target, from a flow's column lists and the columns of its source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql.types import (
    ArrayType,
    DataType,
    MapType,
    StructField,
    StructType,
    VariantType,
)

from local_shim.errors import DefinitionError
from local_shim.graph.elements import AutoCdcFlow, ScdType, SnapshotFlow

START, END = "__START_AT", "__END_AT"
SYSTEM_START, SYSTEM_END = "__SYSTEM_START_AT", "__SYSTEM_END_AT"
INTERVALS = {
    ScdType.ONE: (),
    ScdType.TWO: (START, END),
    ScdType.BITEMPORAL: (START, END, SYSTEM_START, SYSTEM_END),
}
RESERVED_PREFIX = "__spark_autocdc_"


@dataclass(frozen=True)
class TargetColumns:
    """The columns of a target and the part each of them plays.

    `selected` are the user's columns, keys among them, in source order; `intervals` are the
    `__START_AT` columns that the storage type adds after them. `sequence` and `system` are the
    types of the two sequences.
    """

    scd_type: ScdType
    keys: tuple[str, ...]
    selected: StructType
    tracked: tuple[str, ...]
    sequence: DataType | None
    system: DataType | None = None
    remainders: bool = False  # a delete that follows a delete shows a row without a start

    @property
    def intervals(self) -> tuple[str, ...]:
        """Names of the columns that AUTO CDC itself fills."""
        return INTERVALS[self.scd_type]

    @property
    def identity(self) -> tuple[str, ...]:
        """The identity of a target row."""
        starts = [name for name in self.intervals if name in (START, SYSTEM_START)]
        return (*self.keys, *starts)

    @property
    def values(self) -> tuple[str, ...]:
        """The user's columns that are no keys."""
        return tuple(name for name in self.selected.names if name not in self.keys)

    @property
    def target(self) -> StructType:
        """The target's whole schema."""
        types = (self.sequence, self.sequence, self.system, self.system)
        added = [
            StructField(name, kind)
            for name, kind in zip(self.intervals, types, strict=False)
            if kind is not None
        ]
        return StructType([*(_nullable(field) for field in self.selected), *added])


def columns_of(flow: AutoCdcFlow | SnapshotFlow, source: DataFrame) -> TargetColumns:
    """The target's columns as a flow declares them; DefinitionError if the source lacks some."""
    lists = flow if isinstance(flow, AutoCdcFlow) else None
    names = source.columns
    _refuse_reserved(flow, names)
    keys = _in_source(flow, "keys", flow.keys, names)
    included = _in_source(flow, "column_list", lists.columns, names) if lists else ()
    dropped = _in_source(flow, "except_column_list", lists.except_columns, names) if lists else ()
    selected = [
        name for name in names if (name in included or not included) and name not in dropped
    ]
    _refuse_lost_keys(flow, keys, selected)
    fields = {field.name: field for field in source.schema}
    return TargetColumns(
        scd_type=flow.scd_type,
        keys=keys,
        selected=StructType([fields[name] for name in selected]),
        tracked=_tracked(flow, keys, selected, dropped),
        sequence=_sequence_type(flow, source, "sequence_by") if lists else None,
        system=_sequence_type(flow, source, "system_sequence_by") if lists else None,
    )


def ignoring_nulls(
    flow: AutoCdcFlow, columns: TargetColumns, names: Sequence[str]
) -> tuple[str, ...]:
    """The value columns in which a NULL of an upsert says nothing (behaviour 53, 54)."""
    listed = _in_source(
        flow, "ignore_null_updates_column_list", flow.ignore_null_updates_columns, names
    )
    excepted = _in_source(
        flow, "ignore_null_updates_except_column_list", flow.ignore_null_updates_except, names
    )
    if listed:
        return tuple(name for name in columns.values if name in listed)
    if excepted:
        return tuple(name for name in columns.values if name not in excepted)
    return columns.values if flow.ignore_null_updates else ()


def is_sparse(flow: AutoCdcFlow | SnapshotFlow) -> bool:
    """Whether an upsert of this flow may leave columns as they are."""
    return isinstance(flow, AutoCdcFlow) and bool(
        flow.ignore_null_updates
        or flow.ignore_null_updates_columns
        or flow.ignore_null_updates_except
        or flow.columns_to_update
    )


def sortable(kind: DataType) -> bool:
    """Whether values of this type have an order."""
    if isinstance(kind, StructType):
        return all(sortable(field.dataType) for field in kind)
    if isinstance(kind, ArrayType):
        return sortable(kind.elementType)
    return not isinstance(kind, MapType | VariantType)


def _tracked(
    flow: AutoCdcFlow | SnapshotFlow,
    keys: Sequence[str],
    selected: Sequence[str],
    dropped: Sequence[str],
) -> tuple[str, ...]:
    # Databricks accepts a name here that except_column_list already drops (behaviour 158).
    dropped_too = {name.lower() for name in dropped}
    excepted = [name for name in flow.track_history_except if name.lower() not in dropped_too]
    tracked = _in_source(flow, "track_history_column_list", flow.track_history, selected)
    untracked = _in_source(flow, "track_history_except_column_list", excepted, selected)
    return tuple(
        name
        for name in selected
        if name not in keys and (name in tracked or not tracked) and name not in untracked
    )


def _sequence_type(
    flow: AutoCdcFlow | SnapshotFlow, source: DataFrame, argument: str
) -> DataType | None:
    expression = getattr(flow, argument, None)
    if expression is None:
        return None
    kind = source.select(expression).schema[0].dataType
    if not sortable(kind):
        raise DefinitionError(
            "AUTOCDC_NON_ORDERABLE_SEQUENCE",
            f"Flow '{flow.name}': {argument} has the type {kind.simpleString()}, "
            "which has no order.",
            where=flow.where,
            hint="sequence by a number, a text, a date, a timestamp, or a struct of these",
        )
    return kind


def _refuse_reserved(flow: AutoCdcFlow | SnapshotFlow, names: Iterable[str]) -> None:
    intervals = {name.lower() for name in INTERVALS[flow.scd_type]}
    for name in names:
        if name.lower() in intervals or name.lower().startswith(RESERVED_PREFIX):
            raise DefinitionError(
                "AUTOCDC_RESERVED_COLUMN_NAME",
                f"Flow '{flow.name}': the source has a column '{name}', a name that AUTO CDC "
                "gives to its own columns.",
                where=flow.where,
                hint="rename the column in a view, and let the flow read the view",
            )


def _refuse_lost_keys(
    flow: AutoCdcFlow | SnapshotFlow, keys: Sequence[str], selected: Sequence[str]
) -> None:
    missing = [key for key in keys if key not in selected]
    if missing:
        raise DefinitionError(
            "AUTOCDC_KEY_NOT_IN_SELECTED_SCHEMA",
            f"Flow '{flow.name}': the key columns {', '.join(missing)} are not among the target's "
            f"columns ({', '.join(selected)}).",
            where=flow.where,
            hint="keys must be in column_list, and not in except_column_list",
        )


def _in_source(
    flow: AutoCdcFlow | SnapshotFlow, argument: str, requested: Sequence[str], names: Sequence[str]
) -> tuple[str, ...]:
    """The requested columns in the source's own spelling; names are case-insensitive."""
    spelling = {name.lower(): name for name in names}
    missing = [name for name in requested if name.lower() not in spelling]
    if missing:
        raise DefinitionError(
            "AUTOCDC_COLUMNS_NOT_FOUND",
            f"Flow '{flow.name}': {argument} names {', '.join(missing)}, which "
            f"the source does not have. Available columns: "
            f"{', '.join(names)}.",
            where=flow.where,
            hint=f"correct {argument}, or add the column to the source '{flow.source}'",
        )
    return tuple(spelling[name.lower()] for name in requested)


def _nullable(field: StructField) -> StructField:
    return StructField(field.name, field.dataType, True, field.metadata)
