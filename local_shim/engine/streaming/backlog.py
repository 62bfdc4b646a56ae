"""What a stream has still to read of its sources, from listings and logs, without Spark."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from local_shim.autoloader.files.listing import SourceFile, source_files
from local_shim.autoloader.files.read_log import unread
from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.delta import log
from local_shim.durable_files import names
from local_shim.engine.reads.sources import StreamSource
from local_shim.storage import delta_version

_MOST_COMMITS = 50  # more are not opened only to count what they added


@dataclass(frozen=True)
class Listing:
    """An Auto Loader listing: all files of the source folder, and those not read yet."""

    path: str
    files: int
    unread: tuple[SourceFile, ...]
    milliseconds: int
    ignores_missing: bool = False


@dataclass(frozen=True)
class Backlog:
    """Files and bytes of one source that are not read yet."""

    source: str
    files: int
    size: int


def list_files(checkpoint: Path, source: StreamSource, options: CloudFilesOptions) -> Listing:
    """Lists the source folder of an Auto Loader stream."""
    start = time.monotonic()
    files = source_files(source.path, options)
    waiting = unread(checkpoint, files, overwrites=options.allow_overwrites)
    milliseconds = round(1000 * (time.monotonic() - start))
    return Listing(
        source.path, len(files), tuple(waiting), milliseconds, options.ignore_missing_files
    )


def deleted_files(listings: Iterable[Listing]) -> Iterator[str]:
    """The files that were listed as unread and are no longer there, unless that may be so.

    Spark's file source takes a file that is gone before its batch begins for an empty one.

    [choice] On Databricks the stream fails, unless the file was read before.
    """
    for listing in listings:
        if not listing.ignores_missing:
            yield from (each.path for each in listing.unread if not os.path.exists(each.path))


def deletion_text(path: str) -> str:
    """The warning about a file that is no longer there."""
    return (
        f"The file '{path}' was deleted while the stream ran, so its rows may be missing. "
        "Set ignoreMissingFiles if that may be."
    )


def file_backlog(listing: Listing) -> Backlog:
    """The files that no committed batch has read."""
    size = sum(file.size for file in listing.unread)
    return Backlog(listing.path, len(listing.unread), size)


def delta_backlog(checkpoint: Path, name: str, folder: Path) -> Backlog | None:
    """The data files that the versions after the last offset added and did not remove.

    None if the offset is not known, or if there are many versions.
    """
    first = next_version(checkpoint)
    if first is None or delta_version(folder) - first > _MOST_COMMITS:
        return None
    sizes: dict[str, int] = {}
    for actions in log.commits(folder, first - 1):
        for action in actions:
            if "add" in action:
                sizes[action["add"]["path"]] = action["add"]["size"]
            elif "remove" in action:
                sizes.pop(action["remove"]["path"], None)
    return Backlog(name, len(sizes), sum(sizes.values()))


def next_version(checkpoint: Path) -> int | None:
    """The version that a stream of one Delta table reads next; None if its offset is not known."""
    last = newest_number(checkpoint / "offsets")
    if last is None:
        return 0
    try:
        offset = json.loads((checkpoint / "offsets" / str(last)).read_text().splitlines()[2])
        return int(offset["reservoirVersion"])
    except (IndexError, KeyError, ValueError):
        return None


def newest_number(folder: Path) -> int | None:
    """The highest number among the names of files in a folder of a checkpoint."""
    return max((int(name) for name in names(folder) if name.isdigit()), default=None)
