"""The events of past updates, out of their journals; needs no Spark."""

from __future__ import annotations

import json
from typing import Any

from local_shim.errors import UsageError
from local_shim.storage import Storage


def events(
    storage: Storage, update: str | None, kind: str | None, level: str | None
) -> list[dict[str, Any]]:
    """Events of one update (the newest by default) out of its journal; needs no Spark."""
    folder = storage.journals()
    files = sorted(
        [*folder.glob("*.jsonl"), *(folder / "done").glob("*.jsonl")],
        key=lambda path: path.stat().st_mtime,
    )
    if update:
        files = [path for path in files if path.stem.startswith(update)]
    if not files:
        raise UsageError(
            "NO_EVENTS", f"no update {update or ''} is known in {storage.root}.".replace("  ", " ")
        )
    records = [json.loads(line) for line in files[-1].read_text().splitlines()]
    return [
        record
        for record in records
        if (kind is None or record["event_type"] == kind)
        and (level is None or record["level"] == level.upper())
    ]
