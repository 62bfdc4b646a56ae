"""A Parquet file that is being written: row groups, with columns typed by the catalog."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from local_shim.dms.s3.arrow_columns import arrow_column, arrow_type
from local_shim.dms.s3.file_schema import Fields, FileColumn
from local_shim.dms.settings.s3_target import ParquetStyle

OnBadText = Callable[[str], None]
_GROUP_BYTES = 64 << 20  # a group of long rows is written before it fills the memory


class ParquetFile:
    """An open Parquet file; at most one row group is in memory."""

    def __init__(
        self,
        path: Path,
        fields: Sequence[FileColumn],
        style: ParquetStyle,
        compressed: bool,
        boolean: bool,
        on_bad_text: OnBadText,
    ):
        self.path = path
        self.size = 0
        self._style = style
        self._rows: list[Fields] = []
        self._group_start = 0
        self._on_bad_text = on_bad_text
        self._schema = parquet_schema(fields, style, boolean)
        self._raw = path.open("wb")
        self._writer = pq.ParquetWriter(
            self._raw,
            self._schema,
            version="2.6" if style.version == "parquet-2-0" else "1.0",
            compression="gzip" if compressed else "none",
            use_dictionary=style.dictionary,
            dictionary_pagesize_limit=style.dictionary_page_bytes,
            data_page_size=style.page_bytes,
            write_statistics=style.statistics,
            store_schema=False,
            coerce_timestamps="ms" if style.milliseconds else "us",
            allow_truncated_timestamps=True,
        )

    def append(self, fields: Fields) -> None:
        """Add a row."""
        self._rows.append(fields)
        self.size += sum([len(field) + 1 for field in fields if field is not None])
        full = len(self._rows) >= self._style.row_group_rows
        if full or self.size - self._group_start >= _GROUP_BYTES:
            self._write_group()

    def close(self) -> None:
        """Write the rest; the bytes are on the disk when this returns."""
        if self._rows:
            self._write_group()
        self._writer.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()

    def discard(self) -> None:
        """Forget the file."""
        self._rows.clear()
        with contextlib.suppress(OSError):  # the disk may be full
            self._writer.close()
        self._raw.close()
        self.path.unlink(missing_ok=True)

    def _write_group(self) -> None:
        columns = [
            self._column(list(texts), field)
            for texts, field in zip(zip(*self._rows, strict=True), self._schema, strict=True)
        ]
        self._rows = []
        self._group_start = self.size
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))

    def _column(self, texts: list[bytes | None], field: pa.Field) -> pa.Array:
        try:
            return arrow_column(texts, field.type)
        except pa.ArrowInvalid as error:
            if "UTF8" not in str(error):
                raise
            return arrow_column([self._in_utf8(text, field.name) for text in texts], field.type)

    def _in_utf8(self, text: bytes | None, column: str) -> bytes | None:
        if text is None:
            return None
        try:
            text.decode("utf-8")
        except UnicodeDecodeError as error:
            self._on_bad_text(f"byte {text[error.start]:#04x} in {column}: {text[:80]!r}")
            return text.decode("utf-8", "replace").encode()
        return text


def parquet_schema(fields: Sequence[FileColumn], style: ParquetStyle, boolean: bool) -> pa.Schema:
    """The Arrow schema of a schema; only the timestamp column is required."""
    return pa.schema(
        [
            pa.field(
                field.name,
                arrow_type(field.type, boolean=boolean, milliseconds=style.milliseconds),
                nullable=not field.required,
            )
            for field in fields
        ]
    )
