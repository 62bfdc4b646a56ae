"""Ends the journals of updates whose process was killed, so that nobody waits for them.

A process that is killed cannot write that its update failed. Whoever next reads the journals, or
starts an update, does it: the update becomes FAILED with the error UPDATE_DIED.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local_shim.durable_files import append_line, names
from local_shim.errors import FlowError, UpdateActive
from local_shim.events.event import Event, EventType, Level, UpdateState, error_details
from local_shim.events.journal_file import Record, read_journal
from local_shim.events.runner import runner_is_gone
from local_shim.storage import Storage

_ENDS = (UpdateState.COMPLETED.value, UpdateState.FAILED.value, UpdateState.CANCELED.value)


def end_dead_updates(storage: Storage) -> None:
    """Ends the journals of dead updates, unless an update runs or the storage is read only."""
    if any(_dead_journals(storage)):
        with suppress(UpdateActive, PermissionError), storage.update_lock():
            end_dead_journals(storage)


def end_dead_journals(storage: Storage) -> None:
    """Ends the journals of dead updates; the caller holds the update lock."""
    for file, records in _dead_journals(storage):
        append_line(file, _end(storage, file, records).as_json())


def _dead_journals(storage: Storage) -> Iterator[tuple[Path, list[Record]]]:
    """Journals without an end whose process is gone; the journals of the event log have theirs."""
    folder = storage.journals()
    for name in names(folder):
        if name.endswith(".jsonl"):
            records = read_journal(folder / name)
            if not _has_ended(records) and runner_is_gone(_runner(records)):
                yield folder / name, records


def _has_ended(records: Sequence[Record]) -> bool:
    states = [
        record["details"][EventType.UPDATE_PROGRESS]["state"]
        for record in records
        if record["event_type"] == EventType.UPDATE_PROGRESS
    ]
    return bool(states) and states[-1] in _ENDS


def _runner(records: Sequence[Record]) -> Record:
    """The process that ran the update; empty if it was killed before its first event."""
    creation = records[0]["details"].get(EventType.CREATE_UPDATE, {}) if records else {}
    runner: Record = creation.get("runner", {})
    return runner


def _end(storage: Storage, file: Path, records: Sequence[Record]) -> Event:
    update = file.stem
    last = records[-1] if records else None
    now = datetime.now(UTC)
    if last is not None:
        now = max(now, datetime.fromisoformat(last["timestamp"]) + timedelta(microseconds=1))
    error = FlowError(
        "UPDATE_DIED",
        f"the process that ran update {update[:8]} ended before the update did.",
        hint="run the update again; it goes on from what is committed",
    )
    return Event(
        str(uuid.uuid1()),
        len(records),
        now,
        EventType.UPDATE_PROGRESS,
        f"Update {update[:8]} is {UpdateState.FAILED.value}.",
        Level.ERROR,
        records[0]["origin"] if records else {"pipeline_id": storage.pipeline, "update_id": update},
        {"state": UpdateState.FAILED.value},
        error_details(error),
    )
