"""Files that have been read long enough: moved away or deleted (`cloudFiles.cleanSource`)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from local_shim import durable_files
from local_shim.autoloader.files.globs import fixed_folder, matching_paths
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
        _remove(file, [*matching_paths(path), fixed_folder(path)], options)
    return [file.path for file in gone]


def _is_due(file: SourceFile, read: datetime, options: CloudFilesOptions, now: datetime) -> bool:
    modified = datetime.fromtimestamp(file.modified_ns / 1e9, UTC)
    return modified <= read and now - read > options.clean_after


def _remove(file: SourceFile, folders: list[str], options: CloudFilesOptions) -> None:
    if options.clean_source == "DELETE" or options.move_destination is None:
        durable_files.delete(Path(file.path))
        return
    root = next(folder for folder in folders if file.path.startswith(folder))
    below = Path(file.path).relative_to(root if Path(root).is_dir() else Path(root).parent)
    durable_files.move(Path(file.path), Path(options.move_destination) / below)
