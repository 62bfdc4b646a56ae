"""Checksum files of old versions of a table, of which there is one for each commit.

Delta lists the whole log several times in an update, and each name takes its time. A checksum
speeds up the reading of its own version only; without it Delta reads the version from the log. So
those of old versions are deleted long before Delta would: it keeps them with the log, for 30 days.
"""

from __future__ import annotations

from pathlib import Path

from local_shim import durable_files

_KEPT, _MOST = 10, 20  # deleted ten at a time


def delete_old_checksums(folder: Path) -> None:
    """Deletes the checksums of all but the newest ten versions, once there are twenty."""
    log = folder / "_delta_log"
    checksums = sorted(name for name in durable_files.names(log) if _is_checksum(name))
    if len(checksums) >= _MOST:
        for name in checksums[:-_KEPT]:
            durable_files.delete(log / name)


def _is_checksum(name: str) -> bool:
    """`00000000000000000012.crc`; Hadoop's own checksum files begin with a dot."""
    return name.endswith(".crc") and name.removesuffix(".crc").isdigit()
