"""A folder that stands for the bucket: files appear in it whole, or not at all.

Files grow in the work folder, outside the prefix, and are renamed into place. Readers may run
as another user: what appears is readable by everybody, whatever the umask.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from local_shim.dms.publishing.state import Move, sync_folder

_WORK = "_emulator"


class Bucket:
    """The target folder; `prefix` is the bucket folder of the endpoint."""

    def __init__(self, root: Path, prefix: str, task: str):
        self.root = root
        self.prefix = prefix
        self.work = root / _WORK / task
        self._making = self.work / "making"
        self._number = 0

    def open(self) -> None:
        """Make the work folder."""
        self._making.mkdir(parents=True, exist_ok=True)

    def sweep(self) -> None:
        """Remove what a crash left half made."""
        for path in self._making.iterdir():
            path.unlink()

    def new_file(self) -> Path:
        """Where the next file grows."""
        while True:
            self._number += 1
            path = self._making / f"{self._number:06d}"
            if not path.exists():
                return path

    def key(self, *parts: str) -> str:
        """A key below the prefix."""
        return "/".join(part for part in (self.prefix, *parts) if part)

    def exists(self, key: str) -> bool:
        """Is there such an object?"""
        return (self.root / key).exists()

    def deliver(self, moves: Iterable[Move]) -> None:
        """Rename finished files to their keys; one that has arrived already is left alone."""
        folders = set()
        for move in moves:
            origin, final = self._making / move.origin, self.root / move.key
            if not origin.exists():
                continue
            self._make_folder(final.parent)
            origin.chmod(0o644)
            origin.replace(final)
            folders.add(final.parent)
        for folder in folders:
            sync_folder(folder)

    def remove_objects(self, *parts: str) -> None:
        """Delete everything below a folder of the prefix."""
        shutil.rmtree(self.root / self.key(*parts), ignore_errors=True)

    def _make_folder(self, folder: Path) -> None:
        missing = []
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for new in reversed(missing):
            new.mkdir(exist_ok=True)
            new.chmod(0o755)
            sync_folder(new.parent)
