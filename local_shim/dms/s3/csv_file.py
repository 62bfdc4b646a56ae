"""A CSV file that is being written, in DMS's dialect."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO

from local_shim.dms.s3.file_schema import Fields
from local_shim.dms.settings.csv_dialect import CsvDialect

_CHUNK = 1 << 18
# As numbers: looking for a bytes object in another one is many times slower.
_QUOTE, _LF, _CR = b'"\n\r'
OnBadText = Callable[[str], None]


class CsvLines:
    """Fields to lines: a field is quoted only if it holds one of the dialect's specials."""

    def __init__(self, dialect: CsvDialect):
        self._dialect = dialect
        self._delimiter = dialect.delimiter
        specials = dialect.specials
        self._is_special = re.compile(b"|".join(map(re.escape, specials))).search
        usual = (dialect.delimiter, b'"', b"\n", b"\r")
        self._unusual = tuple(special for special in specials if special not in usual)

    def line(self, fields: Fields) -> bytes:
        """One line with its end."""
        delimiter, null = self._delimiter, self._dialect.null
        line = delimiter.join([null if field is None else field for field in fields])
        if self._dialect.quoting and (
            line.count(delimiter) != len(fields) - 1
            or _QUOTE in line
            or _LF in line
            or _CR in line
            or (self._unusual and any(special in line for special in self._unusual))
        ):
            odd = self._is_special
            line = delimiter.join(
                [null if f is None else _quoted(f) if odd(f) else f for f in fields]
            )
        return line + self._dialect.row_end


def _quoted(field: bytes) -> bytes:
    return b'"' + field.replace(b'"', b'""') + b'"'


class CsvFile:
    """An open CSV file; memory stays flat however long it grows."""

    def __init__(
        self,
        path: Path,
        header: Fields | None,
        dialect: CsvDialect,
        compressed: bool,
        on_bad_text: OnBadText,
    ):
        self.path = path
        self.size = 0
        self._lines = CsvLines(dialect)
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._on_bad_text = on_bad_text
        self._raw = path.open("wb")
        # No name and no time inside, so that equal rows make equal files.
        self._out: IO[bytes] | gzip.GzipFile = (
            gzip.GzipFile("", "wb", 6, self._raw, mtime=0) if compressed else self._raw
        )
        if header is not None:
            self._pending.append(self._lines.line(header))

    def append(self, fields: Fields) -> None:
        """Add a row."""
        line = self._lines.line(fields)
        self._pending.append(line)
        self.size += len(line)
        self._pending_size += len(line)
        if self._pending_size >= _CHUNK:
            self._write()

    def close(self) -> None:
        """Write the rest; the bytes are on the disk when this returns."""
        self._write()
        if self._out is not self._raw:
            self._out.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()

    def discard(self) -> None:
        """Forget the file."""
        self._pending.clear()
        self._raw.close()
        self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        chunk = b"".join(self._pending)
        try:
            chunk.decode("utf-8")
        except UnicodeDecodeError:
            chunk = b"".join(self._in_utf8(line) for line in self._pending)
        self._pending.clear()
        self._pending_size = 0
        self._out.write(chunk)

    def _in_utf8(self, line: bytes) -> bytes:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            self._on_bad_text(f"byte {line[error.start]:#04x} in the row {line[:80]!r}")
            return line.decode("utf-8", "replace").encode()
        return line
