"""Files that a storage relies on: listed, read, replaced in one step, moved, deleted, locked.

All that writes state goes through here, so an object store is a second implementation of these
functions: a PUT replaces an object in one step, a prefix stands for a folder, a move is a copy and
a delete, and a lock is an object that is created only if it is missing.

[choice] fsspec and universal-pathlib were looked at and are not used. Their local file system
replaces a file without fsync, knows no lock and no create-if-missing, so the half that matters
here would still be ours. An object store can be built on fsspec behind these functions.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO


@dataclass(frozen=True)
class Entry:
    """One file or folder in a listing; `modified_ns` is in nanoseconds since 1970."""

    path: str
    name: str
    is_folder: bool
    size: int
    modified_ns: int


def names(folder: Path | str) -> list[str]:
    """Names of the files and folders in `folder`, in no order; none if it does not exist."""
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def entries(folder: Path | str) -> Iterator[Entry]:
    """The files and folders in `folder`, in no order; none if it does not exist."""
    try:
        with os.scandir(folder) as children:
            for child in children:
                with contextlib.suppress(FileNotFoundError):  # deleted while it was listed
                    status = child.stat()
                    yield Entry(
                        child.path, child.name, child.is_dir(), status.st_size, status.st_mtime_ns
                    )
    except (FileNotFoundError, NotADirectoryError):
        return


def read_text(path: Path) -> str | None:
    """The text of a file; None if it does not exist."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replaces a file; readers, and a machine that lost its power, see the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, 0o644)
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
    sync_folder(path.parent)


def open_for_appending(path: Path) -> TextIO:
    """A file of lines that grows; the folder is created. The caller flushes and closes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a", encoding="utf-8")


def append_line(path: Path, line: str) -> None:
    """Adds a line to a file of lines; one that was begun before it and not ended is cut off."""
    with path.open("r+b") as file:
        file.truncate(file.read().rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
        file.write(line.encode() + b"\n")


def move(source: Path, target: Path) -> None:
    """Moves a file to `target` and replaces what is there; within one file system in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source, target)


def delete(path: Path) -> None:
    """Deletes a file, or a folder with all that it holds; nothing if it does not exist."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Creates an empty folder; nothing if it exists."""
    path.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Held inside the block; the system frees it even after `kill -9`.

    Raises BlockingIOError if another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def sync_folder(folder: Path) -> None:
    """Makes files that were created or renamed in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
