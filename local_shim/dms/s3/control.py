"""The control table awsdms_apply_exceptions: values that could not be written as they were.

[choice] It lies beside the stand-in's state, and as CSV files below the prefix only if the task
names a ControlSchema. The other control tables are not kept: `status` shows their content.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from local_shim.dms.clock import Clock, timestamp_text
from local_shim.dms.s3.csv_file import CsvLines
from local_shim.dms.settings.csv_dialect import CsvDialect

EXCEPTIONS = "awsdms_apply_exceptions"
_COLUMNS = ("TASK_NAME", "TABLE_OWNER", "TABLE_NAME", "ERROR_TIME", "STATEMENT", "ERROR")
_LINES = CsvLines(CsvDialect(b",", b"\n", b"", quoting=True, header=True))
_PENDING_LIMIT = 10_000  # rows kept for the bucket; the file beside the data has all


class Exceptions:
    """Gathers exception rows in a file beside the data, outside the prefix."""

    def __init__(self, work: Path, task: str, clock: Clock):
        self._path = work / f"{EXCEPTIONS}.csv"
        self._task = task
        self._clock = clock
        self._pending: list[bytes] = []

    def add(self, schema: str, table: str, statement: str, error: str) -> None:
        """One row: what was to be written, and what was done instead."""
        moment = timestamp_text(self._clock.now()).decode()
        line = _line((self._task, schema, table, moment, statement, error))
        new = not self._path.exists()
        with self._path.open("ab") as out:
            out.write(_line(_COLUMNS) + line if new else line)
        if len(self._pending) < _PENDING_LIMIT:
            self._pending.append(line)

    def take(self) -> str:
        """The rows since the last call as a CSV text with a header; empty if there are none."""
        lines, self._pending = self._pending, []
        return b"".join([_line(_COLUMNS), *lines]).decode() if lines else ""


def _line(values: Sequence[str]) -> bytes:
    return _LINES.line([value.encode() for value in values])
