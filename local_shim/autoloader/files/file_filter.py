"""Files that are left out: too old, too young, or there before the stream began."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from local_shim.autoloader.files.listing import SourceFile
from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.autoloader.rescue import FILE_PATH
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.sql_text import literal

_MODIFIED = "_metadata.file_modification_time"


@dataclass(frozen=True)
class FileFilter:
    """Which files count; `condition` says the same to Spark, which then does not open others."""

    skipped: frozenset[str] = frozenset()
    after: datetime | None = None
    before: datetime | None = None

    def takes(self, file: SourceFile) -> bool:
        """Whether the file counts."""
        modified = datetime.fromtimestamp(file.modified_ms / 1000, UTC)
        is_after = self.after is None or modified > self.after
        is_before = self.before is None or modified < self.before
        return is_after and is_before and file.uri not in self.skipped

    def condition(self, among: Callable[[str, Iterable[str]], str]) -> str:
        """SQL text on `_metadata`, empty if all files count; `among` names the files skipped."""
        parts = []
        if self.skipped:
            parts.append(f"NOT ({among(FILE_PATH, sorted(self.skipped))})")
        if self.after:
            parts.append(f"{_MODIFIED} > {_moment(self.after)}")
        if self.before:
            parts.append(f"{_MODIFIED} < {_moment(self.before)}")
        return " AND ".join(parts)


def file_filter(
    files: Sequence[SourceFile], options: CloudFilesOptions, store: SchemaStore, *, remember: bool
) -> FileFilter:
    """What the options leave out.

    `includeExistingFiles` is decided at the first start and stored.
    """
    skipped = store.skipped_files()
    if skipped is None:
        skipped = frozenset(() if options.include_existing_files else (f.uri for f in files))
        if remember:
            store.skip_files(skipped)
    return FileFilter(skipped, options.modified_after, options.modified_before)


def _moment(value: datetime) -> str:
    return "TIMESTAMP" + literal(value.astimezone(UTC).isoformat(sep=" "))
