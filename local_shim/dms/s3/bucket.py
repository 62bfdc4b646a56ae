"""A folder that stands for the bucket: files appear in it whole, or not at all.

Files grow in the work folder, outside the prefix, and are renamed into place. Readers may run
as another user: what appears is readable by everybody, whatever the umask.

Nothing outside the bucket is written or deleted, whatever tables are called and wherever links
lead; and a file that is there already is replaced only by a move that says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from local_shim import durable_files
from local_shim.dms.errors import TaskFailed
from local_shim.dms.publishing.state import Move
from local_shim.dms.s3.object_keys import folder_name
from local_shim.dms.settings.s3_target import WORK_FOLDER


class Bucket:
    """The target folder; `prefix` is the bucket folder of the endpoint."""

    def __init__(self, root: Path, prefix: str, task: str):
        self.root = root
        self.prefix = prefix
        self.work = root / WORK_FOLDER / task
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

    def table_folder(self, schema: str, table: str) -> str:
        """The key of a table's folder."""
        return self.key(folder_name(schema), folder_name(table))

    def exists(self, key: str) -> bool:
        """Whether the object exists."""
        return self._path(key).exists()

    def deliver(self, moves: Iterable[Move]) -> list[Move]:
        """Rename finished files to their keys; gives those that had not arrived yet.

        Raises:
            TaskFailed: Another file has one of the keys, or a link leads out of the bucket.
        """
        delivered, folders = [], set()
        for move in moves:
            origin, final = self._making / move.origin, self._path(move.key)
            if not origin.exists():
                continue
            if final.exists() and not move.replaces:
                raise _name_taken(final)
            self._make_folder(final.parent)
            origin.chmod(0o644)
            durable_files.move(origin, final)
            folders.add(final.parent)
            delivered.append(move)
        for folder in folders:
            durable_files.sync_folder(folder)
        return delivered

    def remove_folder(self, key: str) -> None:
        """Delete everything below a key.

        Raises:
            TaskFailed: A link leads out of the bucket.
        """
        shutil.rmtree(self._path(key), ignore_errors=True)

    def _path(self, key: str) -> Path:
        path = self.root / key
        if not path.parent.resolve().is_relative_to(self.root.resolve()) or ".." in Path(key).parts:
            raise TaskFailed(
                "DMS_TARGET_OUTSIDE",
                f"{path} lies outside the bucket, because a folder on the way is a link.",
                where=self.root,
                hint="replace the link by a folder, or give the link's goal as --target",
            )
        return path

    def _make_folder(self, folder: Path) -> None:
        missing = []
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for new in reversed(missing):
            new.mkdir(exist_ok=True)
            new.chmod(0o755)
            durable_files.sync_folder(new.parent)


def _name_taken(path: Path) -> TaskFailed:
    return TaskFailed(
        "DMS_NAME_TAKEN",
        "A file of this name was put there by somebody else.",
        where=path,
        hint="move it away, then start the task again; nothing is lost",
    )
