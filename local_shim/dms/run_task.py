"""What a task can be told to do: load, replicate, both, or go away."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import psycopg2

from local_shim.dms.changes.applier import Applier
from local_shim.dms.changes.stream import Streams
from local_shim.dms.full_load import Stamps, deliver_load, load_tables, selected_tables
from local_shim.dms.publishing.state import Store, TableState
from local_shim.dms.replicate import Replication, publication_lost, slot_lost, wal_removed
from local_shim.dms.session import Report, Session, new_state, trouble_explained
from local_shim.dms.source.catalog import Catalog, SourceTable
from local_shim.dms.source.connection import connect, connect_replication, linked
from local_shim.dms.source.slot import (
    NewSlot,
    create_slot,
    drop_publications,
    drop_slot,
    flush_wal,
    have_publications,
    published_tables,
    slot_status,
    sync_publications,
)
from local_shim.dms.stopping import Stop
from local_shim.dms.task import Task
from local_shim.errors import ShimError, UsageError, close_match


def full_load(session: Session) -> None:
    """Take all selected tables from one snapshot; changes after it wait in the slot.

    On a task that has loaded before this is a reload: a new slot, a new snapshot, and the file
    counter starts again.
    """
    task, report = session.task, session.report
    catalog = Catalog(session.link)
    tables = _tables(task, catalog)
    start = min(session.clock.now(), _source_time(catalog))
    session.publisher.save(replace(session.state, phase="loading"))
    drop_slot(session.connection, session.state.slot)
    sync_publications(session.connection, session.state.publication, tables)
    holder = connect_replication(task.source)
    try:
        slot = create_slot(holder, session.state.slot)
        report(f"slot {session.state.slot} begins at {slot.lsn >> 32:X}/{slot.lsn & 0xFFFFFFFF:X}")
        snapshot = slot.snapshot if task.stand_in.full_load == "clean" else None
        _load_and_deliver(session, tables, slot, snapshot, start)
    except BaseException:
        _forget_slot_of_failed_load(session)
        raise
    finally:
        holder.close()


def replicate(session: Session, stop: Stop, *, until_caught_up: bool = False) -> None:
    """Write changes until stopped, or until those present now are written."""
    task, catalog = session.task, Catalog(session.link)
    _check_slot(session)
    _take_new_tables(session, catalog)
    context = session.context(catalog)
    applier = Applier(
        task,
        session.publisher,
        Streams(context, session.state.tables),
        session.clock,
        session.report,
    )
    until = flush_wal(session.connection) if until_caught_up else None
    try:
        Replication(
            task,
            applier,
            session.link,
            session.clock,
            session.report,
            stop,
            catalog.data_encoding(),
            until,
        ).run()
        _count_ignored(session, catalog)
    finally:
        applier.abandon()


def drop(task: Task, report: Report) -> None:
    """Drop the slot and the publications, and forget the state; data files stay."""
    store = Store(task.bucket().work)
    with trouble_explained(task), store.locked(), linked(task.source) as link:
        state = store.load() or new_state(task, Catalog(link))
        drop_slot(link.connection(), state.slot)
        drop_publications(link.connection(), state.publication)
        store.path.unlink(missing_ok=True)
        report(f"dropped the slot {state.slot} and its publications")


def _load_and_deliver(
    session: Session, tables: list[SourceTable], slot: NewSlot, snapshot: str | None, start: int
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


def _forget_slot_of_failed_load(session: Session) -> None:
    """A slot that nobody will read would fill the source's disk."""
    if session.state.phase != "running":
        with contextlib.suppress(psycopg2.Error, ShimError):
            drop_slot(session.connection, session.state.slot)


def _tables(task: Task, catalog: Catalog) -> list[SourceTable]:
    tables = selected_tables(task, catalog)
    if not tables:
        present = [table.full_name for table in catalog.tables()]
        wanted = [f"{s.locator.schema}.{s.locator.table}" for s in task.mapping.selections]
        raise UsageError(
            "DMS_NO_TABLES",
            f"The selection rules ({', '.join(wanted)}) match no table.",
            where=task.source.describe(),
            hint=close_match(wanted[0], present) or "the database has no tables",
        )
    return tables


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
    tables = _tables(session.task, catalog)
    drop_slot(session.connection, session.state.slot)
    sync_publications(session.connection, session.state.publication, tables)
    holder = connect_replication(session.task.source)
    try:
        slot = create_slot(holder, session.state.slot)
    finally:
        holder.close()
    states = {t.full_name: TableState(rewritten_before=catalog.rewritten(t)) for t in tables}
    session.publisher.save(
        replace(session.state, phase="running", confirmed=slot.lsn, tables=states)
    )
    session.report("no full load was done: changes are taken from now on")


def _take_new_tables(session: Session, catalog: Catalog) -> None:
    tables = _tables(session.task, catalog)
    published = published_tables(session.connection, session.state.publication)
    for table in tables:
        if (table.schema, table.name) not in published:
            session.report(f"{table.full_name} is new: its changes are taken from now on")
    if published != {(table.schema, table.name) for table in tables}:
        sync_publications(session.connection, session.state.publication, tables)


def _count_ignored(session: Session, catalog: Catalog) -> None:
    """Updates and deletes of tables without a key are not in the stream; count them as told."""
    states = dict(session.state.tables)
    for table in selected_tables(session.task, catalog):
        known = states.get(table.full_name)
        if known is None or table.tells_old_rows:
            continue
        updates, deletes = catalog.rewritten(table)
        counts = replace(
            known.counts,
            ignored_updates=max(0, updates - known.rewritten_before[0]),
            ignored_deletes=max(0, deletes - known.rewritten_before[1]),
        )
        states[table.full_name] = replace(known, counts=counts)
    if states != session.state.tables:
        session.publisher.save(replace(session.state, tables=states))


def _source_time(catalog: Catalog) -> int:
    """The server's clock, in microseconds: load rows must not look newer than later commits."""
    return int(catalog.one("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"))
