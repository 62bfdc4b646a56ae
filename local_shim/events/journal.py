"""Reads the events of past updates from their journals; needs no Spark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local_shim.durable_files import entries
from local_shim.errors import UsageError
from local_shim.storage import Storage


def events(
    storage: Storage, update: str | None, kind: str | None, level: str | None
) -> list[dict[str, Any]]:
    """The events of one update, by default the newest; raises UsageError if there is none."""
    folder = storage.journals()
    journals = [
        entry
        for entry in (*entries(folder), *entries(folder / "done"))
        if entry.name.endswith(".jsonl") and entry.name.startswith(update or "")
    ]
    files = sorted(journals, key=lambda entry: entry.modified_ns)
    if not files:
        raise UsageError(
            "NO_EVENTS", f"no update {update or ''} is known in {storage.root}.".replace("  ", " ")
        )
    records = [
        json.loads(line) for line in Path(files[-1].path).read_text(encoding="utf-8").splitlines()
    ]
    return [
        record
        for record in records
        if (kind is None or record["event_type"] == kind)
        and (level is None or record["level"] == level.upper())
    ]
