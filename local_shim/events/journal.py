"""Reads the events of past updates from their journals; needs no Spark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local_shim.durable_files import entries
from local_shim.errors import UsageError
from local_shim.storage import Storage

Record = dict[str, Any]


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
    """The journals of updates whose ids start with `update`, oldest first; UsageError if none."""
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


def read_journal(file: Path) -> list[Record]:
    """The events of one journal; a last line that is still being written is left out."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]
