"""Which files a checkpoint has read, from the log of Spark's file source, without Spark.

In a checkpoint (Spark 4.2, FileStreamSourceLog and CompactibleFileStreamLog) `offsets/<batch>`
are the batches begun, `commits/<batch>` those that ended, and `sources/<i>/<n>` holds the files
that offset n of source i added (`<n>.compact` all up to n). A file counts as read when a
*committed* batch covers it: a batch that began and did not end is run again. Both logs begin each
file with a line for their version; another version is refused, because its lines may mean
something else.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from urllib.parse import unquote

from local_shim import durable_files
from local_shim.autoloader.files.listing import SourceFile
from local_shim.errors import UsageError

_VERSION = "v1"


@dataclass(frozen=True)
class BegunFile:
    """A file that a batch took; `source` numbers the streams that one query reads.

    `discovered` is when it was listed, None once Spark has put that entry into a larger log file.
    """

    path: str
    source: str
    modified: datetime
    discovered: datetime | None


def unread(
    checkpoint: Path | None, files: list[SourceFile], *, overwrites: bool = False
) -> list[SourceFile]:
    """The files that no committed batch has read, with `overwrites` also those changed since."""
    if checkpoint is None or not files:
        return files
    modified = {entry.path: entry.modified for entry in _read(checkpoint)}
    return [
        file
        for file in files
        if file.path not in modified or (overwrites and modified[file.path] != file.modified_ms)
    ]


def read_times(checkpoint: Path, folder: str = "commits") -> dict[str, datetime]:
    """When each file was read: the time of the first commit known to cover it.

    With the folder `offsets` it is when the first batch with the file began.
    """
    batches: dict[Path, list[tuple[int, datetime]]] = {}
    for batch in sorted(_numbers(checkpoint / folder)):
        moment = _changed(checkpoint / folder / str(batch))
        for log, until in _logs(checkpoint, batch):
            batches.setdefault(log, []).append((until, moment))
    return {
        entry.path: ends[bisect_left(ends, entry.offset, key=itemgetter(0))][1]
        for log, ends in batches.items()
        for entry in _entries(log, ends[-1][0])
    }


def begun_files(checkpoint: Path) -> Iterator[BegunFile]:
    """The files of all batches that were begun."""
    last = max(_numbers(checkpoint / "offsets"), default=None)
    for log, until in [] if last is None else _logs(checkpoint, last):
        moments = {n: _changed(log / str(n)) for n in _numbers(log)}
        for entry in _entries(log, until):
            modified = datetime.fromtimestamp(entry.modified / 1000, UTC)
            yield BegunFile(entry.path, log.name, modified, moments.get(entry.offset))


def _changed(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def forget_overwritten(checkpoint: Path, files: Iterable[SourceFile]) -> list[str]:
    """Takes files that changed after they were read out of the log, so that they are new again.

    To be called while the stream does not run; gives their paths. Only entries of committed
    batches are touched: a batch that was begun must find its files again.
    """
    current = {file.path: file.modified_ms for file in files}
    changed: set[str] = set()
    for log, until in _committed_logs(checkpoint):
        overwritten = {
            entry.path
            for entry in _entries(log, until)
            if current.get(entry.path, entry.modified) != entry.modified
        }
        if overwritten:
            _rewrite(log, until, overwritten)
        changed |= overwritten
    return sorted(changed)


def _rewrite(log: Path, until: int, overwritten: set[str]) -> None:
    for name in [f"{n}{end}" for end in ("", ".compact") for n in _numbers(log, end) if n <= until]:
        lines = _lines(log / name)
        current = [text for text in lines if _entry(text).path not in overwritten]
        if len(current) < len(lines):
            # A session that is not ours writes checksums: Spark would compare the text with it.
            durable_files.delete(log / f".{name}.crc")
            durable_files.write_atomically(log / name, "\n".join([_VERSION, *current]))


def _read(checkpoint: Path) -> Iterator[_Entry]:
    for log, until in _committed_logs(checkpoint):
        yield from _entries(log, until)


@dataclass(frozen=True)
class _Entry:
    """A file in a source's log, with the offset that added it.

    `modified` is in milliseconds, as Spark keeps it.
    """

    path: str
    modified: int
    offset: int


def _committed_logs(checkpoint: Path) -> list[tuple[Path, int]]:
    last = max(_numbers(checkpoint / "commits"), default=None)
    return [] if last is None else _logs(checkpoint, last)


def _logs(checkpoint: Path, batch: int) -> list[tuple[Path, int]]:
    """The file sources' logs, each with the last offset that the batch covers."""
    file = checkpoint / "offsets" / str(batch)
    lines = _lines(file) if file.exists() else []
    logs = []
    # First a line of metadata, then one offset a source ("-" if it has none yet).
    for number, line in enumerate(lines[1:]):
        offset = json.loads(line) if line.startswith("{") else {}
        if "logOffset" in offset:
            logs.append((checkpoint / "sources" / str(number), int(offset["logOffset"])))
    return logs


def _entries(log: Path, until: int) -> Iterator[_Entry]:
    """The log's entries up to offset `until`, from the last compaction on."""
    compacted = max((n for n in _numbers(log, ".compact") if n <= until), default=-1)
    names = [f"{compacted}.compact"] if compacted >= 0 else []
    names += [str(n) for n in sorted(_numbers(log)) if compacted < n <= until]
    for name in names:
        for line in _lines(log / name):
            yield _entry(line)


def _lines(file: Path) -> list[str]:
    """The lines below the version; raises UsageError for another version."""
    version, *lines = file.read_text(encoding="utf-8").splitlines() or [""]
    if version != _VERSION:
        raise UsageError(
            "CF_UNSUPPORTED_CHECKPOINT",
            f"the stream's log '{file}' has the version '{version}', not '{_VERSION}'; another "
            "version of Spark wrote it, or it is damaged. Nothing was changed.",
            hint="run with the Spark that wrote it, or read all files again: --reset-checkpoint",
        )
    return lines


def _entry(line: str) -> _Entry:
    values = json.loads(line)
    return _Entry(
        "/" + unquote(values["path"].removeprefix("file:")).lstrip("/"),
        values["timestamp"],
        values["batchId"],
    )


def _numbers(folder: Path, suffix: str = "") -> list[int]:
    names = (name for name in durable_files.names(folder) if name.endswith(suffix))
    return [int(stem) for name in names if (stem := name.removesuffix(suffix)).isdigit()]
