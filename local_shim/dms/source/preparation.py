"""What a task makes in its source before it reads: its tables checked, keys guarded, a slot."""

from __future__ import annotations

import contextlib

import psycopg2
from psycopg2.extras import LogicalReplicationConnection

from local_shim.dms.errors import TaskFailed
from local_shim.dms.full_load import selected_tables
from local_shim.dms.source.catalog import Catalog, CatalogTable
from local_shim.dms.source.key_guard import install_key_guard, remove_key_guard
from local_shim.dms.source.open_transactions import open_transactions, reporting_waits
from local_shim.dms.source.slot import NewSlot, create_slot, drop_slot
from local_shim.dms.task_session import Session
from local_shim.errors import ShimError, UsageError, close_match


def checked_tables(session: Session, catalog: Catalog) -> list[CatalogTable]:
    """The selected tables; what else the rules match is reported.

    Raises:
        UsageError: There are none.
    """
    task = session.task
    tables = selected_tables(task, catalog)
    others = [other for other in catalog.others() if task.mapping.selects(other.schema, other.name)]
    if not tables:
        present = [table.full_name for table in catalog.tables()]
        patterns = [f"{s.locator.schema}.{s.locator.table}" for s in task.mapping.selections]
        raise UsageError(
            "DMS_NO_TABLES",
            f"The selection rules ({', '.join(patterns)}) match no table"
            + (f": {'; '.join(map(str, others))}." if others else "."),
            where=task.source.describe(),
            hint="select its partitions, and rename them into one table if you like"
            if any(other.partitions for other in others)
            else close_match(patterns[0], present) or "the database has no tables",
        )
    for other in others:
        session.report(f"not replicated: {other}")
    return tables


def guard_keys(session: Session) -> None:
    """See that a key that is dropped does not make the source's statements fail."""
    endpoint, publication = session.task.endpoint, session.state.publication
    if not endpoint.capture_ddls:
        remove_key_guard(session.connection, publication)
    elif install_key_guard(session.connection, publication, endpoint.ddl_schema):
        return
    session.report(
        "no event trigger could be made in the source: if a key is dropped, UPDATE and DELETE of "
        "its table fail there until this task notices it"
    )


def new_slot(session: Session, holder: LogicalReplicationConnection) -> NewSlot:
    """The task's slot, once all transactions that write something now have ended.

    Raises:
        TaskFailed: One of them was still open after TransactionConsistencyTimeout.
    """
    source = session.task.source
    try:
        with reporting_waits(source, "the new slot", session.report):
            return create_slot(holder, session.state.slot)
    except psycopg2.errors.LockNotAvailable:
        raise TaskFailed(
            "DMS_OPEN_TRANSACTIONS",
            f"A transaction stayed open for {session.task.settings.consistency_seconds} s "
            f"(TransactionConsistencyTimeout): {'; '.join(open_transactions(session.connection))}.",
            where=source.describe(),
            hint="end it, or raise the time-out; a real task would begin without its changes",
        ) from None


def drop_slot_of_failed_load(session: Session) -> None:
    """A slot without a reader would fill the source's disk."""
    if session.state.phase != "running":
        with contextlib.suppress(psycopg2.Error, ShimError):
            drop_slot(session.connection, session.state.slot)
