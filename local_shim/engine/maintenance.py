"""Daily maintenance: files that the pipeline's tables no longer use are deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from local_shim.delta.unused_files import delete_unused_files, retention
from local_shim.engine.update_context import UpdateContext

_INTERVAL = timedelta(hours=24)
_PROPERTY = "delta.deletedFileRetentionDuration"


def maintain(context: UpdateContext) -> None:
    """Deletes files that tables of the pipeline have not used for longer than their retention.

    That is 7 days, or the table property `delta.deletedFileRetentionDuration`. Versions of the
    table that need such files can no longer be read.

    [choice] Runs at the end of a completed update, at most once in 24 hours, counted from the
    first update. Databricks runs it apart from updates, within 24 hours of one. A retention that
    cannot be read deletes nothing.
    """
    now, last = datetime.now(UTC), context.storage.maintained_at()
    if last is not None and now - last < _INTERVAL:
        return
    for dataset in context.graph.tables() if last is not None else ():
        keep = retention(dataset.table_properties.get(_PROPERTY))
        if keep is not None:
            delete_unused_files(context.storage.table(dataset.name), before=now - keep)
    context.storage.note_maintenance(now)
