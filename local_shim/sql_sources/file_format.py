"""The format of files whose `read_files` does not name it."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path

_FORMATS = {
    ".avro": "avro",
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".orc": "orc",
    ".parquet": "parquet",
    ".tsv": "csv",
    ".txt": "text",
    ".xml": "xml",
}
_COMPRESSED = (".bz2", ".gz")


def format_of_files(path: str) -> str | None:
    """The format of the files of a folder or a glob, or of one file; None if no ending says it.

    [choice] `read_files` without `format` takes that of the first file, by name, whose ending says
    one; Databricks does not say how it finds it.
    """
    formats = (_FORMATS.get(_ending(file)) for file in _files(path.removeprefix("file:")))
    return next((each for each in formats if each), None)


def _files(path: str) -> Iterator[Path]:
    for name in sorted(glob.glob(path)):
        place = Path(name)
        yield from sorted(place.rglob("*")) if place.is_dir() else [place]


def _ending(file: Path) -> str:
    endings = [each.lower() for each in file.suffixes if each.lower() not in _COMPRESSED]
    return endings[-1] if endings else ""
