"""Maintenance: small files are put together, and files that are of no use are deleted."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from pyspark.errors import PySparkException

from local_shim.delta.old_checksums import delete_old_checksums
from local_shim.delta.small_files import AUTO_COMPACT, has_many_small_files, optimize
from local_shim.delta.unused_files import delete_unused_files, retention
from local_shim.engine.flow_errors import cause
from local_shim.engine.stop import StopRequest
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


def shorten_logs(context: UpdateContext) -> None:
    """Deletes checksum files of old versions from the logs of the tables and of the events.

    [choice] Delta keeps them for 30 days, like the commits, which stay: old versions can be read.
    """
    storage = context.storage
    tables = (storage.table(dataset.name) for dataset in context.graph.tables())
    for folder in (*tables, storage.events_table()):
        delete_old_checksums(folder)


def compact_tables(context: UpdateContext, events: EventLog, stop: StopRequest) -> None:
    """Puts together the small files of streaming tables that have many.

    [choice] From 20 files below 64 MB on, in one commit after all flows have ended, so that none
    of them meets it. Databricks compacts by itself, at times that it does not document. The table
    property `delta.autoOptimize.autoCompact` = `false` switches it off. Clustered tables above
    128 MB are left to the user's OPTIMIZE, which would write all their rows again. If it fails, the
    files stay as they are.
    """
    for dataset in filter(lambda each: _is_scattered(context, each), context.graph.tables()):
        try:
            if not stop.requested:
                optimize(context.spark, context.storage.table(dataset.name))
        except PySparkException as error:
            if not stop.requested:
                message = f"The files of '{dataset.name}' were not compacted: {cause(error)[1]}"
                events.warn(message, dataset_name=str(dataset.name))


def _is_scattered(context: UpdateContext, dataset: Dataset) -> bool:
    is_off = dataset.table_properties.get(AUTO_COMPACT, "").lower() == "false"
    folder, clustered = context.storage.table(dataset.name), bool(dataset.cluster_by)
    return (
        dataset.kind.keeps_rows and not is_off and has_many_small_files(folder, clustered=clustered)
    )
