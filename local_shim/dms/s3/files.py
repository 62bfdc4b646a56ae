"""Opening a file of the format that the endpoint asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from local_shim.dms.s3.csvfile import CsvFile
from local_shim.dms.s3.layout import Fields, Layout
from local_shim.dms.settings.s3 import S3Settings


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
    layout: Layout,
    settings: S3Settings,
    *,
    boolean: bool,
    on_bad_text: Callable[[str], None],
) -> DataFile:
    """A new file for rows of a layout; preserved transactions are CSV whatever is asked for."""
    if settings.parquet is None or layout.is_csv:
        header = layout.header if settings.csv.header else None
        return CsvFile(path, header, settings.csv, settings.gzip, on_bad_text)
    # pyarrow is needed, and loaded, only by tasks that write Parquet.
    from local_shim.dms.s3.parquetfile import ParquetFile

    return ParquetFile(path, layout.fields, settings.parquet, settings.gzip, boolean, on_bad_text)
