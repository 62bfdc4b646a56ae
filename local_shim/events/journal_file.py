"""The journal of one update: a file with one event a line."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from local_shim.durable_files import entries
from local_shim.storage import Storage

Record = dict[str, Any]


def read_journal(file: Path) -> list[Record]:
    """The events of one journal; a last line that is still being written is left out."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def last_timestamp(storage: Storage) -> datetime | None:
    """The time of the pipeline's newest event, if it has one.

    A clock that was set back must not give later events an earlier time.
    """
    folder = storage.journals()
    files = [each for each in (*entries(folder), *entries(folder / "done")) if not each.is_folder]
    newest = max(files, key=lambda each: each.modified_ns, default=None)
    records = read_journal(Path(newest.path)) if newest else []
    return datetime.fromisoformat(records[-1]["timestamp"]) if records else None
