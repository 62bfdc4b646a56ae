"""Data files that a Delta table no longer uses, found in its log and deleted without Spark.

Delta's VACUUM lists a folder by a Spark job (measured: 55 s for a table of two files, because it
asks for 10,000 tasks) and prints to standard output.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

from local_shim import durable_files
from local_shim.delta.log import commits

_RETENTION = timedelta(days=7)  # Delta's default
_PART = re.compile(r"(\d+)\s+(week|day|hour|minute|second)s?\b")


def delete_unused_files(folder: Path, before: datetime) -> int:
    """Deletes the data files that commits removed from the table before this time; counts them.

    Deletion vectors and files of updates that were killed stay: the log does not say in one place
    who uses them.
    """
    files = list(_unused_files(folder, before))
    for file in files:
        durable_files.delete(file)
    return len(files)


def _unused_files(folder: Path, before: datetime) -> Iterator[Path]:
    removed: dict[str, float] = {}  # milliseconds, by path
    for actions in commits(folder, -1):
        added = {action["add"]["path"] for action in actions if "add" in action}
        for action in actions:
            if "remove" in action:
                removed[action["remove"]["path"]] = action["remove"].get("deletionTimestamp", 0)
        for path in added:  # also of a file that only got another deletion vector
            removed.pop(path, None)
    for path, time in removed.items():
        file = folder / unquote(path)
        if time < before.timestamp() * 1000 and _is_below(file, folder) and file.exists():
            yield file


def _is_below(file: Path, folder: Path) -> bool:
    """A clone names the files of another table by absolute paths."""
    return file.is_relative_to(folder) and ".." not in file.parts


def retention(interval: str | None) -> timedelta | None:
    """The time of a property such as `interval 30 days`; 7 days without it, None if unreadable."""
    if interval is None:
        return _RETENTION
    text = interval.lower().replace("interval", "")
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text).strip():
        return None
    return timedelta(**{f"{unit}s": int(number) for number, unit in parts})
