"""The files whose saves lead to an update, and waiting for a save."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from local_shim.loading.importing import import_folders
from local_shim.loading.source_files import SUFFIXES
from local_shim.update.request import Request

_POLL = 0.3  # seconds between two looks at the files
_SUFFIXES = (*SUFFIXES, ".yml", ".yaml")

Stamps: TypeAlias = Mapping[Path, tuple[int, int]]  # time of the last change and size of each file


def watched_folders(request: Request) -> list[Path]:
    """The folders whose files an update may load, and that of the pipeline's description."""
    spec = request.spec
    folders = [folder.resolve() for folder in import_folders(spec)]
    description = Path(spec.where.rpartition(":")[0])
    if description.is_file():
        folders.append(description.parent.resolve())
    return [each for each in dict.fromkeys(folders) if not set(each.parents) & set(folders)]


def stamps_of(folders: Iterable[Path], storage: Path) -> Stamps:
    """The source files, modules and descriptions below the folders.

    Hidden folders, virtual environments, what npm installed and the storage are left out.
    """
    stamps = {}
    for path in _files(folders, storage.resolve()):
        with suppress(FileNotFoundError):  # an editor has just replaced it
            status = path.stat()
            stamps[path] = (status.st_mtime_ns, status.st_size)
    return stamps


def _files(folders: Iterable[Path], storage: Path) -> Iterator[Path]:
    for root in folders:
        for folder, names, files in os.walk(root):
            names[:] = [each for each in names if _is_source_folder(Path(folder, each), storage)]
            yield from (Path(folder, file) for file in files if file.endswith(_SUFFIXES))


def _is_source_folder(folder: Path, storage: Path) -> bool:
    is_foreign = folder.name in ("__pycache__", "node_modules") or folder.name.startswith(".")
    return not is_foreign and folder != storage and not (folder / "pyvenv.cfg").exists()


def wait_for_save(folders: Iterable[Path], storage: Path, before: Stamps) -> str:
    """Waits until files differ from `before` and stay so for a moment; names one of them."""
    last = before
    while True:
        time.sleep(_POLL)
        stamps = stamps_of(folders, storage)
        if stamps == last and stamps != before:
            return min(path.name for path, _ in set(stamps.items()) ^ set(before.items()))
        last = stamps
