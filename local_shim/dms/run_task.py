"""The actions of a task: load, replicate, both, drop."""

from __future__ import annotations

from dataclasses import replace

from local_shim.dms.changes.applier import Applier
from local_shim.dms.changes.new_tables import NewTables
from local_shim.dms.changes.table_stream import Streams
from local_shim.dms.full_load import Stamps, deliver_load, load_tables, selected_tables
from local_shim.dms.publishing.state import Store, TableState
from local_shim.dms.replicate import Replication, publication_lost, slot_lost, wal_removed
from local_shim.dms.source.catalog import Catalog, CatalogTable
from local_shim.dms.source.connection import connect, connect_replication, linked
from local_shim.dms.source.key_guard import (
    forget_lost_keys,
    remove_key_guard,
    tables_that_lost_keys,
)
from local_shim.dms.source.preparation import (
    checked_tables,
    drop_slot_of_failed_load,
    guard_keys,
    new_slot,
)
from local_shim.dms.source.slot import (
    NewSlot,
    drop_publications,
    drop_slot,
    flush_wal,
    have_publications,
    slot_status,
    sync_publications,
)
from local_shim.dms.stopping import Stop
from local_shim.dms.task import Task
from local_shim.dms.task_session import Report, Session, new_state, trouble_explained
from local_shim.errors import ShimError


def full_load(session: Session) -> None:
    """Take all selected tables from one snapshot; changes after it wait in the slot.

    On a task that has loaded before this is a reload: a new slot, a new snapshot, and the file
    counter starts again.
    """
    task, report = session.task, session.report
    catalog = Catalog(session.link)
    tables = checked_tables(session, catalog)
    start = min(session.clock.now(), _source_time(catalog))
    session.publisher.save(replace(session.state, phase="loading"))
    drop_slot(session.connection, session.state.slot)
    sync_publications(session.connection, session.state.publication, tables)
    guard_keys(session)
    holder = connect_replication(task.source, lock_timeout=task.settings.consistency_seconds)
    try:
        slot = new_slot(session, holder)
        report(f"slot {session.state.slot} begins at {slot.lsn >> 32:X}/{slot.lsn & 0xFFFFFFFF:X}")
        snapshot = slot.snapshot if task.stand_in.full_load == "clean" else None
        _load_and_deliver(session, tables, slot, snapshot, start)
    except BaseException:
        drop_slot_of_failed_load(session)
        raise
    finally:
        holder.close()


def replicate(session: Session, stop: Stop, *, until_caught_up: bool = False) -> None:
    """Write changes until stopped, or until those present now are written."""
    catalog = Catalog(session.link)
    _check_slot(session)
    checked_tables(session, catalog)
    guard_keys(session)
    new_tables = NewTables(session, catalog)
    until = None
    while True:
        new_tables.take()
        if until_caught_up and until is None:
            until = flush_wal(session.connection)
        if not _one_stream(session, catalog, stop, until, new_tables):
            break
    _count_ignored(session, catalog)


def _one_stream(
    session: Session, catalog: Catalog, stop: Stop, until: int | None, new_tables: NewTables
) -> bool:
    """Read the slot; True if it was interrupted for tables that are new."""
    streams = Streams(session.context(catalog), session.state.tables)
    applier = Applier(session.task, session.publisher, streams, session.clock, session.report)
    replication = Replication(
        session.task,
        applier,
        session.link,
        session.clock,
        session.report,
        stop,
        catalog.data_encoding(),
        until,
        new_tables.are_due,
    )
    try:
        replication.run()
    finally:
        applier.abandon()
    return replication.interrupted and not stop.wished


def drop(task: Task, report: Report) -> None:
    """Drop the slot and the publications, and forget the state; data files stay."""
    store = Store(task.bucket().work)
    with trouble_explained(task), store.locked(), linked(task.source) as link:
        state = store.load() or new_state(task, Catalog(link))
        drop_slot(link.connection(), state.slot)
        remove_key_guard(link.connection(), state.publication)
        drop_publications(link.connection(), state.publication)
        store.path.unlink(missing_ok=True)
        report(f"dropped the slot {state.slot} and its publications")


def _load_and_deliver(
    session: Session, tables: list[CatalogTable], slot: NewSlot, snapshot: str | None, start: int
) -> None:
    task, catalog = session.task, Catalog(session.link)
    reader = connect(task.source, catalog.data_encoding())
    try:
        with reader.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            if snapshot:
                cursor.execute("SET TRANSACTION SNAPSHOT %s", [snapshot])
        stamps = Stamps(start, session.clock, task.s3.task_start_time)
        context = session.context(catalog)
        loaded = load_tables(context, session.publisher, reader, tables, stamps)
    finally:
        reader.close()
    deliver_load(task, session.publisher, tables, loaded, slot.lsn, session.report)


def _check_slot(session: Session) -> None:
    """A task that has loaded needs its slot; a task without a load begins one here and now."""
    state, where = session.state, session.task.source.describe()
    if state.phase == "new":
        _begin_without_load(session)
        return
    if state.phase == "loading":
        raise ShimError(
            "DMS_LOAD_UNFINISHED",
            "The task's full load did not finish.",
            where=where,
            hint="dlt-local dms run, or full-load: it starts over",
        )
    status = slot_status(session.connection, state.slot)
    if status is None:
        raise slot_lost(state.slot, where)
    if status.wal_status == "lost":
        raise wal_removed(state.slot, where)
    if not have_publications(session.connection, state.publication):
        raise publication_lost(state.publication, where)


def _begin_without_load(session: Session) -> None:
    catalog = Catalog(session.link)
    tables = checked_tables(session, catalog)
    drop_slot(session.connection, session.state.slot)
    sync_publications(session.connection, session.state.publication, tables)
    timeout = session.task.settings.consistency_seconds
    holder = connect_replication(session.task.source, lock_timeout=timeout)
    try:
        slot = new_slot(session, holder)
    finally:
        holder.close()
    states = {t.full_name: TableState(t.oid, rewritten_before=catalog.rewritten(t)) for t in tables}
    session.publisher.save(
        replace(session.state, phase="running", confirmed=slot.lsn, tables=states)
    )
    session.report("no full load was done: changes are taken from now on")


def _count_ignored(session: Session, catalog: Catalog) -> None:
    """Count the updates and deletes of tables without a key, which are not in the stream.

    The server's statistics have all of them, and those of transactions that were rolled back.
    """
    publication, states = session.state.publication, dict(session.state.tables)
    keyless = tables_that_lost_keys(session.connection, publication)
    for table in selected_tables(session.task, catalog):
        state = states.get(table.full_name)
        if state is None or (table.tells_old_rows and table.oid not in keyless):
            continue
        updates, deletes = catalog.rewritten(table)
        counts = replace(
            state.counts,
            ignored_updates=max(0, updates - state.rewritten_before[0] - state.counts.updates),
            ignored_deletes=max(0, deletes - state.rewritten_before[1] - state.counts.deletes),
        )
        states[table.full_name] = replace(state, counts=counts)
        if table.oid in keyless:
            session.report(
                f"{table.full_name} lost its key: {counts.ignored_updates:,} updates and "
                f"{counts.ignored_deletes:,} deletes are not in the stream"
            )
    if states != session.state.tables:
        session.publisher.save(replace(session.state, tables=states))
    if keyless:
        forget_lost_keys(session.connection, publication)


def _source_time(catalog: Catalog) -> int:
    """The server's clock, in microseconds: load rows must not look newer than later commits."""
    return int(catalog.one("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"))
