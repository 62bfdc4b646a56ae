"""Which files a checkpoint has read, from the file source's own log, without Spark.

Layout of a checkpoint: `offsets/<batch>` are batches begun, `commits/<batch>` batches done,
`sources/<i>/<n>` the files that offset n of source i added (`<n>.compact` all up to n). A file
is read once a *committed* batch covers it: a batch begun and not done is done again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from local_shim.autoloader.files import SourceFile, source_files
from local_shim.autoloader.options import parse_options


def unread_files(checkpoint: Path, path: str, options: Mapping[str, object]) -> int:
    """How many files at `path` no committed batch has read; 0 means there is nothing to do."""
    checked = parse_options(options)
    return len(unread(checkpoint, source_files(path, checked)))


def unread(checkpoint: Path | None, files: list[SourceFile]) -> list[SourceFile]:
    """Those of the files that no committed batch of the checkpoint has read."""
    if checkpoint is None or not files:
        return files
    done = read_paths(checkpoint)
    return [file for file in files if file.path not in done]


def read_paths(checkpoint: Path) -> frozenset[str]:
    """Paths of all files that committed batches have read."""
    last = max(_numbers(checkpoint / "commits"), default=None)
    if last is None or not (checkpoint / "offsets" / str(last)).exists():
        return frozenset()
    lines = (checkpoint / "offsets" / str(last)).read_text(encoding="utf-8").splitlines()
    # Line 0 is a version, line 1 metadata, then one offset a source ("-" if it has none yet).
    found: set[str] = set()
    for number, line in enumerate(lines[2:]):
        offset = json.loads(line) if line.startswith("{") else {}
        if isinstance(offset, dict) and "logOffset" in offset:
            log = checkpoint / "sources" / str(number)
            found.update(entry["path"] for entry in _entries(log, int(offset["logOffset"])))
    return frozenset(_plain(uri) for uri in found)


def _entries(log: Path, until: int) -> Iterator[dict[str, str]]:
    """The log's entries up to offset `until`, from the last compaction on."""
    compacted = max((n for n in _numbers(log, ".compact") if n <= until), default=None)
    names = [f"{n}" for n in sorted(_numbers(log)) if n <= until and n > (compacted or -1)]
    for name in ([f"{compacted}.compact"] if compacted is not None else []) + names:
        for line in (log / name).read_text(encoding="utf-8").splitlines()[1:]:
            yield json.loads(line)


def _numbers(folder: Path, suffix: str = "") -> list[int]:
    if not folder.is_dir():
        return []
    names = (entry.name for entry in folder.iterdir() if entry.name.endswith(suffix))
    return [int(stem) for name in names if (stem := name.removesuffix(suffix)).isdigit()]


def _plain(uri: str) -> str:
    return "/" + unquote(uri.removeprefix("file:")).lstrip("/")
