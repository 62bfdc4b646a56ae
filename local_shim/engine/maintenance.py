"""Daily maintenance: files that the pipeline's tables no longer use are deleted."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from local_shim.delta.unused_files import delete_unused_files, retention
from local_shim.engine.update_context import UpdateContext
from local_shim.events.event import EventType, UpdateState
from local_shim.events.log import EventLog
from local_shim.graph.elements import Dataset
from local_shim.storage import Storage

_INTERVAL = timedelta(hours=24)
_PROPERTY = "delta.deletedFileRetentionDuration"


def maintain(context: UpdateContext, events: EventLog) -> None:
    """Deletes files that tables of the pipeline have not used for longer than their retention.

    That is 7 days, or the table property `delta.deletedFileRetentionDuration`. Versions of the
    table that need such files can no longer be read.

    [choice] Runs at the end of a completed update, at most once in 24 hours, counted from the
    first update. Databricks runs it apart from updates, within 24 hours of one. A retention that
    cannot be read deletes nothing. Its event, whose type Databricks does not document, has a
    `maintenance_id`.
    """
    now = datetime.now(UTC)
    if not is_due(context.storage, now):
        return
    if context.storage.maintained_at() is not None:
        files = sum(_deleted_files(context, dataset, now) for dataset in context.graph.tables())
        events.write(
            EventType.MAINTENANCE_PROGRESS,
            f"Maintenance deleted {files} unused files.",
            {"state": UpdateState.COMPLETED.value, "num_deleted_files": files},
            maintenance_id=str(uuid.uuid4()),
        )
    context.storage.note_maintenance(now)


def is_due(storage: Storage, now: datetime) -> bool:
    """Whether an update that ends now maintains the tables."""
    last = storage.maintained_at()
    return last is None or now - last >= _INTERVAL


def _deleted_files(context: UpdateContext, dataset: Dataset, now: datetime) -> int:
    keep = retention(dataset.table_properties.get(_PROPERTY))
    if keep is None:
        return 0
    return delete_unused_files(context.storage.table(dataset.name), before=now - keep)
