"""Forgets deletes that are old enough, as the daily maintenance of Databricks does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from local_shim.cdc.state.compaction import merged
from local_shim.cdc.state.store import CdcState, Manifest
from local_shim.cdc.target_table.target import CdcTarget
from local_shim.graph.elements import AutoCdcFlow, SnapshotFlow
from local_shim.jvm.session import running_session

MAINTENANCE = timedelta(hours=24)


def collect_tombstones(flow: AutoCdcFlow | SnapshotFlow, target: CdcTarget, now: datetime) -> None:
    """Forget deletes that the state has had for longer than `target.tombstone_seconds`.

    Called when a flow starts. A late upsert older than a forgotten delete brings its key back
    (behaviour 46, 49). Deletes that show as the end of a target row are no tombstones and stay.

    [choice] Only maintenance collects: at most once in 24 hours, counted from the state's first
    batch. On Databricks a late upsert 120 s after a delete did not bring the key back under
    a threshold of 60 s (measured), so the threshold alone does not collect. A threshold of 0
    collects at every start.
    """
    state = CdcState(target.state)
    manifest = state.manifest()
    moment = int(now.timestamp() * 1_000_000)
    limit = moment - int(target.tombstone_seconds * 1_000_000)
    session = running_session()
    if session is None or not _is_due(manifest, target, moment):
        return
    manifest = replace(manifest, maintained_at=moment)
    if _oldest_delete(manifest, moment) <= limit:
        parts = list(manifest.parts)
        manifest = merged(session, state, manifest, parts, flow.scd_type, limit)
    state.replace_manifest(manifest)
    state.delete_unnamed_parts(manifest)


def _is_due(manifest: Manifest, target: CdcTarget, moment: int) -> bool:
    if target.tombstone_seconds <= 0:
        return any(part.oldest_delete is not None for part in manifest.parts)
    interval = int(MAINTENANCE.total_seconds() * 1_000_000)
    return manifest.maintained_at is not None and moment - manifest.maintained_at >= interval


def _oldest_delete(manifest: Manifest, moment: int) -> int:
    """When the oldest tombstone was written; after `moment` if there is none."""
    deletes = [part.oldest_delete for part in manifest.parts if part.oldest_delete is not None]
    return min(deletes, default=moment + 1)
