"""Reads the events of past updates from their journals; needs no Spark."""

from __future__ import annotations

from pathlib import Path

from local_shim.durable_files import entries
from local_shim.errors import UsageError
from local_shim.events.dead_updates import end_dead_updates
from local_shim.events.journal_file import Record, read_journal
from local_shim.storage import Storage


def events(
    storage: Storage, update: str | None, kind: str | None, level: str | None
) -> list[Record]:
    """The events of one update, by default the newest; raises UsageError if there is none."""
    return [
        record
        for record in read_journal(journal_files(storage, update)[-1])
        if (kind is None or record["event_type"] == kind)
        and (level is None or record["level"] == level.upper())
    ]


def events_until(storage: Storage, update: str | None, most: int) -> list[list[Record]]:
    """The events of one update and of at most `most` updates before it, oldest first."""
    files = journal_files(storage)
    last = files.index(journal_files(storage, update)[-1])
    return [read_journal(file) for file in files[max(0, last - most) : last + 1]]


def journal_files(storage: Storage, update: str | None = None) -> list[Path]:
    """The journals of updates whose ids start with `update`, oldest first; UsageError if none.

    Journals of updates whose process was killed are ended first.
    """
    end_dead_updates(storage)
    folder = storage.journals()
    journals = [
        entry
        for entry in (*entries(folder), *entries(folder / "done"))
        if entry.name.endswith(".jsonl") and entry.name.startswith(update or "")
    ]
    if not journals:
        raise UsageError(
            "NO_EVENTS", f"no update {update or ''} is known in {storage.root}.".replace("  ", " ")
        )
    return [Path(entry.path) for entry in sorted(journals, key=lambda each: each.modified_ns)]
