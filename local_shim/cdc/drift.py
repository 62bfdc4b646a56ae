"""What may not change between the updates of one target, because its history hangs on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql.types import DataType, StructField, StructType

from local_shim.cdc.fold.change_rows import null_lowest
from local_shim.cdc.state.store import CdcState, Manifest
from local_shim.cdc.target.columns import START, SYSTEM_START, TargetColumns, is_sparse, layout_of
from local_shim.cdc.target.schema import extended, fits, widest
from local_shim.cdc.target.target import CdcTarget, shows_remainders
from local_shim.cdc.write.table import look_at
from local_shim.errors import FlowError
from local_shim.graph.elements import AutoCdcFlow, ScdType, SnapshotFlow
from local_shim.pipeline_spec.pipeline_settings import SHOW_REMAINDERS


def check_drift(flow: AutoCdcFlow | SnapshotFlow, target: CdcTarget, source: DataFrame) -> None:
    """FlowError if this flow no longer fits what its target remembers; writes nothing.

    Keys, storage type, tracked columns and the sequence may not change, and no column may go
    (reference 2.2, 2.9). The error says what would be lost and which refresh cures it.
    """
    manifest = CdcState(target.state).manifest()
    _refuse_lost_keys(flow, manifest, source.columns, target)
    flow = null_lowest(flow, target)
    layout = layout_of(flow, source)
    check_definition(flow, layout, manifest, target)
    table = look_at(source.sparkSession, target.table)
    settled(flow, layout, manifest, table.schema if table else None, target)


def check_definition(
    flow: AutoCdcFlow | SnapshotFlow, layout: TargetColumns, manifest: Manifest, target: CdcTarget
) -> None:
    """The part of `check_drift` that needs no table."""
    for name, (condition, what, lost) in _TARGET_RULES.items():
        known, now = manifest.target.get(name), target_facts(flow, target)[name]
        if known is not None and known != now:
            raise _drift(flow, target, condition, f"{what} changed from {known} to {now}", lost)
    known = manifest.flows.get(flow.name, {})
    now = flow_facts(flow, layout)
    for name, lost in _FLOW_RULES.items():
        if known.get(name) is not None and known[name] != now[name]:
            raise _drift(
                flow,
                target,
                "SEQUENCING_TYPE_DRIFT" if name == "type" else "SEQUENCING_DRIFT",
                f"the {'type of the sequence' if name == 'type' else 'sequence'} changed from "
                f"{known[name]} to {now[name]}",
                lost,
            )


def check_floor(flow: AutoCdcFlow, kind: DataType, manifest: Manifest) -> None:
    """FlowError if a snapshot flow shares the target on another scale than this flow's."""
    if manifest.floor_type is None:
        return
    if manifest.floor_type != kind.simpleString():
        raise FlowError(
            "AUTOCDC_INVALID_STATE.INTEROP_SEQUENCE_TYPE_MISMATCH",
            f"Flow '{flow.name}' sequences by {kind.simpleString()}, the snapshots of its target "
            f"have versions of type {manifest.floor_type}; both must be on one scale.",
            where=flow.where,
            hint="cast the sequence to the type of the versions",
        )


def target_facts(flow: AutoCdcFlow | SnapshotFlow, target: CdcTarget) -> dict[str, Any]:
    """What all flows of a target share."""
    dropped = [n.lower() for n in getattr(flow, "except_columns", ())]
    tracked = ["only", *sorted(n.lower() for n in flow.track_history)]
    untracked = sorted(n.lower() for n in flow.track_history_except if n.lower() not in dropped)
    return {
        "keys": sorted(key.lower() for key in flow.keys),
        "scd_type": flow.scd_type.value,
        "history": tracked if flow.track_history else ["all but", *untracked],
        "remainders": shows_remainders(flow, target),
    }


def flow_facts(flow: AutoCdcFlow | SnapshotFlow, layout: TargetColumns) -> dict[str, Any]:
    """What a flow keeps to itself: how it orders changes."""
    if isinstance(flow, SnapshotFlow):
        return {"text": None, "type": None}
    kind = layout.sequence.simpleString() if layout.sequence else None
    return {"text": flow.sequence_text or None, "type": kind, "sparse": is_sparse(flow)}


def settled(
    flow: AutoCdcFlow | SnapshotFlow,
    layout: TargetColumns,
    manifest: Manifest,
    table: StructType | None,
    target: CdcTarget,
) -> TargetColumns:
    """The layout with the names and types that the target and its memory already have.

    Columns that the table lacks are kept: the table is to get them.
    """
    sequence = _sequence(flow, layout, manifest, table, target)
    if table is None:
        return replace(layout, sequence=sequence)
    mine = {field.name.lower(): field for field in layout.columns}
    theirs = {f.name.lower(): f for f in table if f.name not in layout.intervals}
    _refuse_vanished(flow, layout, theirs, target)
    columns = []
    for name, field in mine.items():
        known = theirs.get(name, field)
        kind = extended(field.dataType, known.dataType)
        if kind is None:
            raise _drift(
                flow,
                target,
                "INCOMPATIBLE_COLUMN_TYPE",
                f"column '{field.name}' is {field.dataType.simpleString()} in the source and "
                f"{known.dataType.simpleString()} in the table",
                "values that the table's type cannot hold",
            )
        columns.append(StructField(known.name, kind))
    spelled = {f.name.lower(): f.name for f in columns}
    return replace(
        layout,
        keys=tuple(spelled[key.lower()] for key in layout.keys),
        columns=StructType(columns),
        tracked=tuple(spelled[name.lower()] for name in layout.tracked),
        sequence=sequence,
        system=_system(layout, table),
    )


_TARGET_RULES = {
    "keys": (
        "KEY_SCHEMA_DRIFT",
        "the keys",
        "which rows belong together under the new keys cannot be told from the old rows",
    ),
    "scd_type": (
        "SCD_TYPE_DRIFT",
        "the storage type",
        "history that was not kept cannot be made up, and kept history would go",
    ),
    "history": (
        "TRACK_HISTORY_DRIFT",
        "the tracked columns",
        "versions that the old rule did not keep are missing under the new one",
    ),
    "remainders": (
        "REMAINDERS_DRIFT",
        SHOW_REMAINDERS.key,
        "one rule for the rows of all keys",
    ),
}
_FLOW_RULES = {
    "type": "the order between applied and coming changes",
    "text": "the order between applied and coming changes",
}


def _sequence(
    flow: AutoCdcFlow | SnapshotFlow,
    layout: TargetColumns,
    manifest: Manifest,
    table: StructType | None,
    target: CdcTarget,
) -> DataType | None:
    known = None
    if table is not None and START in table.names:
        known = table[START].dataType
    elif manifest.columns is not None:
        known = manifest.columns["seq"].dataType
    if known is None or layout.sequence is None:
        fresh = layout.sequence
        narrow = flow.scd_type is ScdType.ONE and fresh is not None
        return known or (widest(fresh) if narrow and fresh is not None else fresh)
    if not _same_shape(layout.sequence, known):
        raise _drift(
            flow,
            target,
            "SEQUENCING_TYPE_DRIFT",
            f"the sequence is {layout.sequence.simpleString()}, and the target was built with "
            f"{known.simpleString()}",
            "the order between applied and coming changes",
        )
    return known


def _same_shape(kind: DataType, known: DataType) -> bool:
    if isinstance(kind, StructType) and isinstance(known, StructType):
        pairs = zip(kind, known, strict=False)
        same = all(_same_shape(a.dataType, b.dataType) for a, b in pairs)
        return len(kind) == len(known) and same
    return fits(kind, known)


def _system(layout: TargetColumns, table: StructType) -> DataType | None:
    known = SYSTEM_START in table.names and layout.system is not None
    return table[SYSTEM_START].dataType if known else layout.system


def _refuse_vanished(
    flow: AutoCdcFlow | SnapshotFlow,
    layout: TargetColumns,
    theirs: dict[str, StructField],
    target: CdcTarget,
) -> None:
    mine = {name.lower() for name in layout.columns.names}
    gone = [field.name for name, field in theirs.items() if name not in mine]
    if gone:
        raise _drift(
            flow,
            target,
            "COLUMN_VANISHED",
            f"the source no longer has the columns {', '.join(gone)}, which {target.name} has",
            f"the values of {', '.join(gone)} of every row changed from now on",
        )


def _refuse_lost_keys(
    flow: AutoCdcFlow | SnapshotFlow, manifest: Manifest, names: list[str], target: CdcTarget
) -> None:
    known = manifest.target.get("keys", [])
    gone = [key for key in known if key not in {name.lower() for name in names}]
    if gone:
        raise _drift(
            flow,
            target,
            "KEY_SCHEMA_DRIFT",
            f"the source no longer has the key columns {', '.join(gone)}",
            "which rows the coming changes belong to",
        )


def _drift(
    flow: AutoCdcFlow | SnapshotFlow, target: CdcTarget, condition: str, what: str, lost: str
) -> FlowError:
    return FlowError(
        f"AUTOCDC_INVALID_STATE.{condition}",
        f"Flow '{flow.name}' cannot go on with {target.name}: {what}. "
        f"Going on would lose: {lost}. Nothing was written.",
        where=flow.where,
        hint=f"undo the change, or rebuild the table: dlt-local run --full-refresh "
        f"{target.name.table}",
    )
