"""Control tables: what could not be written as it was (awsdms_apply_exceptions)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from local_shim.dms.clock import Clock, timestamp_text
from local_shim.dms.settings.s3 import CsvDialect
from local_shim.dms.target.csvfile import CsvLines

EXCEPTIONS = "awsdms_apply_exceptions"
EXCEPTION_COLUMNS = (
    "TASK_NAME",
    "TABLE_OWNER",
    "TABLE_NAME",
    "ERROR_TIME",
    "STATEMENT",
    "ERROR",
)
_LINES = CsvLines(CsvDialect(b",", b"\n", b"", quoting=True, header=True))


class Exceptions:
    """Gathers exception rows beside the data, outside the prefix."""

    def __init__(self, work: Path, task: str, clock: Clock):
        self._path = work / f"{EXCEPTIONS}.csv"
        self._task = task
        self._clock = clock

    def add(self, schema: str, table: str, statement: str, error: str) -> None:
        """One row: what was to be written, and what was done instead."""
        new = not self._path.exists()
        with self._path.open("ab") as out:
            if new:
                out.write(_line(EXCEPTION_COLUMNS))
            moment = timestamp_text(self._clock.now()).decode()
            out.write(_line((self._task, schema, table, moment, statement, error)))


def _line(values: Sequence[str]) -> bytes:
    return _LINES.line([value.encode() for value in values])
