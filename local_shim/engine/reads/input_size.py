"""How much data an update is going to read, as far as folders tell it before Spark starts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path

from local_shim.delta import log
from local_shim.graph.names import TableName
from local_shim.storage import Storage

_MUCH = 256 * 2**20
_MOST_FILES = 50_000  # looked at; a configuration value may be the root of a disk


def reads_much(
    storage: Storage, paths: Mapping[str, str], configuration: Mapping[str, str]
) -> bool:
    """Whether the tables of the storage and the files of configured folders exceed 256 MB.

    Those are the folders that `paths` (`--path`) and the pipeline's configuration name. What a
    source file names is not known yet.
    """
    tables = (storage.table(TableName(*record.name.split("."))) for record in storage.records())
    values = (*paths.values(), *configuration.values())
    folders = (Path(value.removeprefix("file:")) for value in values)
    return _exceeds(chain(map(log.size, tables), _file_sizes(folders)), _MUCH)


def _exceeds(sizes: Iterable[int], limit: int) -> bool:
    total = 0
    for size in sizes:
        total += size
        if total > limit:
            return True
    return False


def _file_sizes(folders: Iterable[Path]) -> Iterator[int]:
    absolute = (folder for folder in folders if folder.is_absolute())
    return islice((size for folder in absolute for size in _sizes_below(folder)), _MOST_FILES)


def _sizes_below(folder: Path) -> Iterator[int]:
    """The sizes of all files below a folder; none if it is no folder or may not be read."""
    waiting = [str(folder)]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    yield entry.stat().st_size
