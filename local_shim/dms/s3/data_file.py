"""Opens a file of the endpoint's format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from local_shim.dms.s3.csv_file import CsvFile
from local_shim.dms.s3.file_schema import Fields, FileSchema
from local_shim.dms.settings.s3_target import S3Settings


class DataFile(Protocol):
    """An open file; `size` counts bytes before encoding and compression."""

    path: Path
    size: int

    def append(self, fields: Fields) -> None:
        """Add a row."""

    def close(self) -> None:
        """Write the rest, down to the disk."""

    def discard(self) -> None:
        """Forget the file."""


def open_file(
    path: Path,
    schema: FileSchema,
    settings: S3Settings,
    *,
    boolean: bool,
    on_bad_text: Callable[[str], None],
) -> DataFile:
    """A new file for rows of a schema; preserved transactions are always CSV."""
    if settings.parquet is None or schema.is_csv:
        header = schema.header if settings.csv.header else None
        return CsvFile(path, header, settings.csv, settings.gzip, on_bad_text)
    # pyarrow is needed, and loaded, only by tasks that write Parquet.
    from local_shim.dms.s3.parquet_file import ParquetFile

    return ParquetFile(path, schema.columns, settings.parquet, settings.gzip, boolean, on_bad_text)
