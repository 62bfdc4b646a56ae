"""Source files of a pipeline: entries of `libraries`, globs and paths, as existing files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from local_shim.errors import close_match
from local_shim.pipeline_spec.document.problems import Problems

SUFFIXES = (".py", ".sql", ".ipynb")


def matching(pattern: str, folder: Path, where: object, problems: Problems) -> list[Path]:
    """The source files of one pattern, read from `folder`: a file, `below/**`, or a glob.

    Sorted. A folder that is missing, a file that is missing or of another kind, a glob without
    match: a problem at `where`. A folder without source files is only worth a warning.
    """
    stem = pattern.removesuffix("/**")
    if glob.has_magic(stem) and not (folder / stem).exists():  # `a[1].py` may be a name
        return _globbed(pattern, folder, where, problems)
    path = Path(os.path.abspath(folder / stem))
    if path.is_dir():
        sources = _sources_in(_below(path))
        if not sources:
            problems.warn(f"no .py or .sql file lies under {path}", where)
        return sources
    if stem != pattern:
        _missing(path, "folder", where, problems)
        return []
    return _single(path, where, problems)


def _globbed(pattern: str, folder: Path, where: object, problems: Problems) -> list[Path]:
    matches = glob.glob(pattern, root_dir=folder, recursive=True)
    sources = _sources_in(Path(os.path.abspath(folder / match)) for match in matches)
    if not sources:
        problems.add(
            "SOURCE_NOT_FOUND",
            f"No .py, .sql or .ipynb file matches '{pattern}' in {folder}.",
            where,
            "a whole folder is written as folder/**",
        )
    return sources


def _single(path: Path, where: object, problems: Problems) -> list[Path]:
    # A notebook is named without its extension in a workspace, so people write it so here, too.
    candidates = [path, *(path.with_name(path.name + suffix) for suffix in SUFFIXES)]
    source = next((each for each in candidates if each.is_file()), None)
    if source is None:
        _missing(path, "file", where, problems)
        return []
    if source.suffix not in SUFFIXES:
        problems.add(
            "SOURCE_NOT_SUPPORTED",
            f"{path} is neither Python nor SQL.",
            where,
            f"allowed: {', '.join(SUFFIXES)}",
        )
        return []
    return [source]


def _below(folder: Path) -> Iterator[Path]:
    """Files at any depth, but not those of caches, environments and version control."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith((".", "__pycache__"))]
        yield from (Path(parent) / file for file in files)


def _sources_in(paths: Iterable[Path]) -> list[Path]:
    return sorted(
        path
        for path in paths
        if path.suffix in SUFFIXES and "__pycache__" not in path.parts and path.is_file()
    )


def _missing(path: Path, kind: str, where: object, problems: Problems) -> None:
    parent = path.parent
    while not parent.is_dir():
        path, parent = parent, parent.parent
    beside = [child.name for child in parent.iterdir() if not child.name.startswith(".")]
    problems.add(
        "SOURCE_NOT_FOUND",
        f"The {kind} {path} does not exist.",
        where,
        close_match(path.name, beside),
    )
