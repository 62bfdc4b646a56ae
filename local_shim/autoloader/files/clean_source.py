"""Files that have been read long enough: moved away or deleted (`cloudFiles.cleanSource`)."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from local_shim import durable_files
from local_shim.autoloader.files.globs import fixed_folder, local_path
from local_shim.autoloader.files.listing import SourceFile, source_files
from local_shim.autoloader.files.read_log import read_times
from local_shim.autoloader.options.parse import CloudFilesOptions


def clean_source(
    checkpoint: Path, path: str, options: CloudFilesOptions, now: datetime
) -> list[str]:
    """Moves or deletes files at `path` that were read longer ago than `retentionDuration`.

    Gives the paths of the removed files; none if `cleanSource` is OFF. Call it
    between runs of the stream. A file changed after it was read stays.
    """
    if options.clean_source == "OFF":
        return []
    times = read_times(checkpoint)
    gone = [
        file
        for file in source_files(path, options)
        if file.path in times and _is_due(file, times[file.path], options, now)
    ]
    for file in gone:
        _remove(Path(file.path), _base(path), options)
    return [file.path for file in gone]


def _base(path: str) -> str:
    """The folder from which on a moved file keeps its folders; that of a glob is above all files.

    Below it no two files have one name, so none takes the place of another.
    """
    return path if os.path.isdir(local_path(path)) else fixed_folder(path)


def _is_due(file: SourceFile, read: datetime, options: CloudFilesOptions, now: datetime) -> bool:
    modified = datetime.fromtimestamp(file.modified_ns / 1e9, UTC)
    return modified <= read and now - read > options.clean_after


def _remove(file: Path, base: str, options: CloudFilesOptions) -> None:
    if options.clean_source == "DELETE" or options.move_destination is None:
        durable_files.delete(file)
        return
    below = file.relative_to(os.path.abspath(local_path(base)))
    durable_files.move(file, Path(options.move_destination) / below)
