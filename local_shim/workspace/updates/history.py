"""The updates of a pipeline, read from their journals, whichever process ran them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from local_shim.errors import UsageError
from local_shim.events.journal import journal_files
from local_shim.events.journal_file import Record, read_journal
from local_shim.storage import Storage

ENDED = ("COMPLETED", "FAILED", "CANCELED")


@dataclass(frozen=True)
class UpdateSummary:
    """One update: where it stands, when and why it was made, and its first error."""

    update_id: str
    state: str
    created: str  # ISO 8601
    cause: str
    request: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    pid: int = 0  # of the process that runs it

    @property
    def ended(self) -> bool:
        """Whether the state is final."""
        return self.state in ENDED


class UpdateHistory:
    """The journals of one pipeline in one storage."""

    def __init__(self, storage: Storage):
        self.storage = storage

    def updates(self) -> list[UpdateSummary]:
        """All updates, newest first."""
        return [_summary(file, *_version(file)) for file in self._files()]

    def events(self, update_ids: tuple[str, ...] = ()) -> Iterator[Record]:
        """The events of these updates, or of all, newest first."""
        for file in self._files():
            if not update_ids or file.stem in update_ids:
                yield from reversed(read_journal(_moved(file)))

    def has(self, update_id: str) -> bool:
        """Whether an update has a journal."""
        return any(file.stem == update_id for file in self._files())

    def _files(self) -> list[Path]:
        """The journals, newest first, each once."""
        try:
            files = journal_files(self.storage)[::-1]
        except UsageError:  # no update yet
            return []
        # A journal that moves while it is listed is listed twice.
        return list({file.stem: file for file in files}.values())


@lru_cache(maxsize=1000)
def _summary(file: Path, size: int, modified_ns: int) -> UpdateSummary:
    """An update by its events. Size and time belong to the key of the cache."""
    records = read_journal(_moved(file))
    creation: Mapping[str, Any] = {}
    state, error = "QUEUED", ""
    for record in records:
        details = record["details"]
        creation = details.get("create_update", creation)
        state = details.get("update_progress", {}).get("state", state)
        if record["error"]:
            error = error or record["error"]["exceptions"][0]["message"]
    return UpdateSummary(
        file.stem,
        state,
        records[0]["timestamp"] if records else "1970-01-01T00:00:00Z",
        creation.get("cause", "USER_ACTION"),
        creation.get("request", {}),
        error,
        creation.get("runner", {}).get("pid", 0),
    )


def _version(file: Path) -> tuple[int, int]:
    status = _moved(file).stat()
    return status.st_size, status.st_mtime_ns


def _moved(file: Path) -> Path:
    """The journal where it is now: at the end of an update it moves to `done`."""
    return file if file.exists() else file.parent / "done" / file.name
