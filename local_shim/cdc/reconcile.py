"""Fits a flow's columns to the target that is there: its names, its types, its lost columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pyspark.sql import DataFrame
from pyspark.sql.types import DataType, StructField, StructType

from local_shim.cdc.drift import check_definition, drift_error, refuse_lost_keys
from local_shim.cdc.fold.change_rows import null_lowest
from local_shim.cdc.state.store import CdcState, Manifest
from local_shim.cdc.target_table.columns import START, SYSTEM_START, TargetColumns, columns_of
from local_shim.cdc.target_table.schema import fits, lost_columns, merged_type, widest
from local_shim.cdc.target_table.target import CdcTarget, shows_remainders
from local_shim.cdc.write.table import Table, table_at
from local_shim.graph.elements import AutoCdcFlow, ScdType, SnapshotFlow
from local_shim.graph.table_columns import generated


@dataclass(frozen=True)
class ReconciledFlow:
    """A flow's columns as `declared` on its source, and as they fit the table.

    `table` is None before the first batch. `warnings` name columns that only the table has.
    """

    declared: TargetColumns
    columns: TargetColumns
    table: Table | None
    warnings: tuple[str, ...] = ()


def check_drift(
    flow: AutoCdcFlow | SnapshotFlow, target: CdcTarget, source: DataFrame
) -> tuple[str, ...]:
    """FlowError if this flow no longer fits its target; warnings if the source lacks columns.

    Keys, storage type, tracked columns and the sequence may not change (behaviour 34). The error
    says what would be lost and which refresh cures it. Writes nothing.
    """
    manifest = CdcState(target.state).manifest()
    refuse_lost_keys(flow, manifest, source.columns, target)
    return reconcile(null_lowest(flow, target), source, target, manifest).warnings


def reconcile(
    flow: AutoCdcFlow | SnapshotFlow,
    source: DataFrame,
    target: CdcTarget,
    manifest: Manifest,
    version: DataType | None = None,
) -> ReconciledFlow:
    """Checks a flow against what its target has, and takes over the target's names and types.

    Columns that the table lacks stay in: `ensure_table` adds them. `version` is the type of
    a snapshot flow's versions. Raises FlowError if the flow does not fit its target.

    [choice] A column that the source lost stays in the target, and new rows have NULL there, as
    in open-source Spark; the same goes for fields of structs. Databricks does not say.
    """
    declared = columns_of(flow, source)
    declared = declared if version is None else replace(declared, sequence=version)
    check_definition(flow, declared, manifest, target)
    table = table_at(source.sparkSession, target.table)
    schema = None if table is None else table.schema
    columns = replace(
        declared if schema is None else _as_in_table(flow, declared, schema, target),
        sequence=_sequence(flow, declared, manifest, schema, target),
        remainders=shows_remainders(flow, target),
    )
    missing = [] if schema is None else lost_columns(declared.selected, columns.selected)
    return ReconciledFlow(declared, columns, table, _warnings(flow, target, missing))


def _as_in_table(
    flow: AutoCdcFlow | SnapshotFlow, declared: TargetColumns, table: StructType, target: CdcTarget
) -> TargetColumns:
    in_table = {f.name.lower(): f for f in table if f.name not in declared.intervals}
    in_source = {field.name.lower(): field for field in declared.selected}
    fields = [
        _field(flow, field, in_table.get(name, field), target) for name, field in in_source.items()
    ]
    missing = [
        field
        for name, field in in_table.items()
        if name not in in_source and field.name not in generated(table)
    ]
    spelling = {field.name.lower(): field.name for field in fields}
    tracked = [spelling[name.lower()] for name in declared.tracked]
    return replace(
        declared,
        keys=tuple(spelling[key.lower()] for key in declared.keys),
        selected=StructType([*fields, *missing]),
        tracked=(*tracked, *_tracked_of(flow, missing)),
        system=_system(declared, table),
    )


def _tracked_of(flow: AutoCdcFlow | SnapshotFlow, missing: list[StructField]) -> list[str]:
    """Lost columns that make versions: otherwise versions that differ there only would merge."""
    excepted = {name.lower() for name in flow.track_history_except}
    names = [field.name for field in missing if field.name.lower() not in excepted]
    return [] if flow.track_history else names


def _field(
    flow: AutoCdcFlow | SnapshotFlow, source: StructField, table: StructField, target: CdcTarget
) -> StructField:
    kind = merged_type(source.dataType, table.dataType)
    if kind is None:
        raise drift_error(
            flow,
            target,
            "INCOMPATIBLE_COLUMN_TYPE",
            f"column '{source.name}' is {source.dataType.simpleString()} in the source and "
            f"{table.dataType.simpleString()} in the table",
            "values that the table's type cannot hold",
        )
    return StructField(table.name, kind)


def _warnings(
    flow: AutoCdcFlow | SnapshotFlow, target: CdcTarget, missing: list[str]
) -> tuple[str, ...]:
    if not missing:
        return ()
    return (
        f"The source of flow '{flow.name}' does not have {', '.join(missing)}, which {target.name} "
        "has. Rows that the flow writes have NULL there; other rows keep their values.",
    )


def _sequence(
    flow: AutoCdcFlow | SnapshotFlow,
    declared: TargetColumns,
    manifest: Manifest,
    table: StructType | None,
    target: CdcTarget,
) -> DataType | None:
    """The type of the sequence in target and state; the first flow of a target decides it."""
    existing = None
    if table is not None and START in table.names:
        existing = table[START].dataType
    elif manifest.columns is not None:
        existing = manifest.columns["seq"].dataType
    if declared.sequence is None:
        return existing
    if existing is None:
        return widest(declared.sequence) if flow.scd_type is ScdType.ONE else declared.sequence
    if not _fits_sequence(declared.sequence, existing):
        raise drift_error(
            flow,
            target,
            "SEQUENCING_TYPE_DRIFT",
            f"the sequence is {declared.sequence.simpleString()}, and the target was built with "
            f"{existing.simpleString()}",
            "the order between applied and coming changes",
        )
    return existing


def _fits_sequence(kind: DataType, existing: DataType) -> bool:
    """Whether a sequence keeps its order as the existing type; structs are compared by position."""
    if isinstance(kind, StructType) and isinstance(existing, StructType):
        pairs = zip(kind, existing, strict=False)
        fields_fit = all(_fits_sequence(a.dataType, b.dataType) for a, b in pairs)
        return len(kind) == len(existing) and fields_fit
    return fits(kind, existing)


def _system(declared: TargetColumns, table: StructType) -> DataType | None:
    has_column = SYSTEM_START in table.names and declared.system is not None
    return table[SYSTEM_START].dataType if has_column else declared.system
