"""What may not change between the updates of one target, because its history depends on it."""

from __future__ import annotations

from typing import Any

from pyspark.sql.types import DataType

from local_shim.cdc.state.store import Manifest
from local_shim.cdc.target_table.columns import TargetColumns, is_sparse
from local_shim.cdc.target_table.target import CdcTarget, shows_remainders
from local_shim.errors import FlowError
from local_shim.graph.elements import AutoCdcFlow, SnapshotFlow
from local_shim.pipeline_spec.pipeline_settings import SHOW_REMAINDERS

# Per fact that all flows of a target share: condition, what changed, what would be lost.
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
    "remainders": ("REMAINDERS_DRIFT", SHOW_REMAINDERS.key, "one rule for the rows of all keys"),
}
# Per fact of one flow: condition and what changed.
_FLOW_RULES = {
    "type": ("SEQUENCING_TYPE_DRIFT", "the type of the sequence"),
    "text": ("SEQUENCING_DRIFT", "the sequence"),
}
_LOST_ORDER = "the order between applied and coming changes"


def check_definition(
    flow: AutoCdcFlow | SnapshotFlow, columns: TargetColumns, manifest: Manifest, target: CdcTarget
) -> None:
    """FlowError if the declaration changed in a way that the target cannot follow."""
    now = target_facts(flow, target)
    for name, (condition, what, loss) in _TARGET_RULES.items():
        before = manifest.target.get(name)
        if before is not None and before != now[name]:
            what = f"{what} changed from {before} to {now[name]}"
            raise drift_error(flow, target, condition, what, loss)
    now = flow_facts(flow, columns)
    for name, (condition, what) in _FLOW_RULES.items():
        before = manifest.flows.get(flow.name, {}).get(name)
        if before is not None and before != now[name]:
            what = f"{what} changed from {before} to {now[name]}"
            raise drift_error(flow, target, condition, what, _LOST_ORDER)


def check_floor(flow: AutoCdcFlow, kind: DataType, manifest: Manifest) -> None:
    """FlowError if a snapshot flow of the target has versions of another type than the sequence."""
    if manifest.floor_type not in (None, kind.simpleString()):
        raise FlowError(
            "AUTOCDC_INVALID_STATE.INTEROP_SEQUENCE_TYPE_MISMATCH",
            f"Flow '{flow.name}' sequences by {kind.simpleString()}, the snapshots of its target "
            f"have versions of type {manifest.floor_type}; both must be of one type.",
            where=flow.where,
            hint="cast the sequence to the type of the versions",
        )


def refuse_lost_keys(
    flow: AutoCdcFlow | SnapshotFlow, manifest: Manifest, names: list[str], target: CdcTarget
) -> None:
    """FlowError if the source no longer has a key column of the target."""
    present = {name.lower() for name in names}
    missing_keys = [key for key in manifest.target.get("keys", []) if key not in present]
    if missing_keys:
        what = f"the source no longer has the key columns {', '.join(missing_keys)}"
        belonging = "which rows the coming changes belong to"
        raise drift_error(flow, target, "KEY_SCHEMA_DRIFT", what, belonging)


def target_facts(flow: AutoCdcFlow | SnapshotFlow, target: CdcTarget) -> dict[str, Any]:
    """What all flows of a target share, as the manifest keeps it."""
    dropped = [n.lower() for n in getattr(flow, "except_columns", ())]
    tracked = ["only", *sorted(n.lower() for n in flow.track_history)]
    untracked = sorted(n.lower() for n in flow.track_history_except if n.lower() not in dropped)
    return {
        "keys": sorted(key.lower() for key in flow.keys),
        "scd_type": flow.scd_type.value,
        "history": tracked if flow.track_history else ["all but", *untracked],
        "remainders": shows_remainders(flow, target),
    }


def flow_facts(flow: AutoCdcFlow | SnapshotFlow, columns: TargetColumns) -> dict[str, Any]:
    """How one flow orders changes, as the manifest keeps it."""
    if isinstance(flow, SnapshotFlow):
        return {"text": None, "type": None}
    kind = columns.sequence.simpleString() if columns.sequence else None
    return {"text": flow.sequence_text or None, "type": kind, "sparse": is_sparse(flow)}


def drift_error(
    flow: AutoCdcFlow | SnapshotFlow, target: CdcTarget, condition: str, what: str, loss: str
) -> FlowError:
    """The error of a flow that no longer fits its target; says which refresh cures it."""
    return FlowError(
        f"AUTOCDC_INVALID_STATE.{condition}",
        f"Flow '{flow.name}' cannot go on with {target.name}: {what}. "
        f"Going on would lose: {loss}. Nothing was written.",
        where=flow.where,
        hint=f"undo the change, or rebuild the table: dlt-local run --full-refresh "
        f"{target.name.table}",
    )
