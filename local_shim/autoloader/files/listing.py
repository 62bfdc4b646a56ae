"""The files of a folder or glob, seen as Spark's file stream will see them, without Spark."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_shim.autoloader.files.globs import (
    braces,
    fixed_folder,
    is_glob,
    lenient_pattern,
    matching_paths,
    python_glob,
)
from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.durable_files import Entry, entries
from local_shim.errors import UsageError

_PLAIN = re.compile(r"[A-Za-z0-9/_.=-]*")
# What java.net.URI leaves as it is in a path; Spark writes paths in this form.
_LEGAL = frozenset("/_-!.~'()*,;:$&+=@")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file at one moment; a rewritten file is another SourceFile."""

    path: str
    size: int
    modified_ns: int

    @property
    def modified_ms(self) -> int:
        """When it was written, in milliseconds, as Spark knows it."""
        return self.modified_ns // 1_000_000

    @property
    def uri(self) -> str:
        """The path as `_metadata.file_path` spells it."""
        return "file:" + encoded(self.path)

    @property
    def version(self) -> str:
        """The file as it was when it was listed, as `FILE_VERSION` spells it."""
        return f"{self.modified_ms} {self.uri}"


def encoded(path: str) -> str:
    """`path` with the characters that Java encodes in a URI encoded."""
    return path if _PLAIN.fullmatch(path) else "".join(_char(char) for char in path)


def _char(char: str) -> str:
    if ord(char) > 127 or char.isalnum() or char in _LEGAL:
        return char
    return f"%{ord(char):02X}"


def source_files(path: str, options: CloudFilesOptions) -> list[SourceFile]:
    """The visible files at `path` and in all folders below it, oldest first as Spark takes them.

    `path` is a folder, a file or a glob. Raises UsageError if there is nothing of that name.
    """
    files = _strictly_matching(path, options)
    if is_glob(path) and not options.strict_globber:
        files |= _leniently_matching(path, options)
    if not files and not matching_paths(path):
        raise UsageError(
            "CF_PATH_DOES_NOT_EXIST",
            f"Auto Loader finds nothing at '{path}'.",
            hint="create the folder, or say where it lies here with --path FROM=TO",
        )
    return sorted(files, key=lambda file: (file.modified_ms, file.path))


def matches_leniently(path: str, options: CloudFilesOptions) -> bool:
    """Whether `path` is a glob for which Databricks' default globber has more files than Spark."""
    if not is_glob(path) or options.strict_globber:
        return False
    return not _leniently_matching(path, options) <= _strictly_matching(path, options)


def _strictly_matching(path: str, options: CloudFilesOptions) -> set[SourceFile]:
    return {file for root in matching_paths(path) for file in _under(root, options)}


def _leniently_matching(path: str, options: CloudFilesOptions) -> set[SourceFile]:
    pattern = re.compile(lenient_pattern(path))
    return {file for file in _under(fixed_folder(path), options) if pattern.match(file.path)}


def refuse_patterns(files: Iterable[SourceFile]) -> None:
    """Raises UsageError for a file whose name is a pattern, such as `[1].csv`.

    Spark 4.2's file stream reads all other files of the batch once more for each of them.
    """
    for file in files:
        if is_glob(os.path.basename(file.path)):
            raise UsageError(
                "CF_UNSUPPORTED_FILE_NAME",
                f"the file '{file.path}' has a name that Spark takes for a pattern.",
                hint="rename it: no *, ?, [ or { in the name",
            )


def lie_in_folders(files: Sequence[SourceFile], path: str) -> bool:
    """Whether any file lies in a folder below `path`, or below a `key=value` folder of a glob."""
    named = set(matching_paths(path))
    below = {os.path.dirname(file.path) for file in files if file.path not in named}
    if not below <= named:
        return True
    folders = {os.path.dirname(file.path) for file in files}
    return is_glob(path) and any(partition_values(each, path) for each in folders)


def partition_values(folder: str, path: str) -> dict[str, str]:
    """The `key=value` parts of `folder`, a folder at or below `path`, that are below `path`."""
    depth = 0 if is_glob(path) else len(Path(matching_paths(path)[0]).parts)
    parts = Path(folder).parts[depth:]
    return dict(part.split("=", 1) for part in parts if "=" in part)


def _under(root: str, options: CloudFilesOptions) -> Iterator[SourceFile]:
    if os.path.isfile(root):
        status = os.stat(root)
        yield SourceFile(root, status.st_size, status.st_mtime_ns)
        return
    for entry in entries(root):
        yield from _of_entry(entry, options)


def _of_entry(entry: Entry, options: CloudFilesOptions) -> Iterator[SourceFile]:
    if _hidden(entry.name):
        return
    if entry.is_folder:
        yield from _under(entry.path, options)
    elif _matches_filter(entry.name, options.path_glob_filter):
        yield SourceFile(entry.path, entry.size, entry.modified_ns)


def is_listed(folder: str, root: str) -> bool:
    """Whether the listing of `root` goes into `folder`."""
    target = Path(os.path.abspath(folder))
    if not target.is_relative_to(root):
        return False
    return not any(_hidden(part) for part in target.relative_to(root).parts)


def _hidden(name: str) -> bool:
    """Hadoop's rule for files that a reader does not see."""
    unfinished = name.endswith("._COPYING_")
    return unfinished or name.startswith(".") or (name.startswith("_") and "=" not in name)


def _matches_filter(name: str, pattern: str | None) -> bool:
    return pattern is None or any(
        fnmatch.fnmatchcase(name, python_glob(text)) for text in braces(pattern)
    )
