"""The rows of `cloud_files_state`: what became of each file that a stream took.

The columns are those of Databricks' function. A checkpoint does not say which files `cleanSource`
has removed, so the three columns about that are NULL. The size is that of the file now.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from local_shim.autoloader.files.read_log import begun_files, read_times
from local_shim.sql_text import literal

_ROW = (
    "path STRING, size BIGINT, create_time TIMESTAMP, discovery_time TIMESTAMP, "
    "processed_time TIMESTAMP, commit_time TIMESTAMP, archive_time TIMESTAMP, "
    "archive_mode STRING, move_location STRING, source_id STRING, flow_name STRING"
)


def file_states_sql(checkpoints: Mapping[str, Path]) -> str:
    """A subquery of the files in the checkpoints, by the names of their flows; "" for no flow."""
    rows = [row for flow, folder in checkpoints.items() for row in _rows(flow, folder)]
    return f"(SELECT inline(from_json({literal(json.dumps(rows))}, 'ARRAY<STRUCT<{_ROW}>>')))"


def _rows(flow: str, checkpoint: Path) -> Iterator[dict[str, object]]:
    begun, committed = read_times(checkpoint, "offsets"), read_times(checkpoint)
    for file in begun_files(checkpoint):
        yield {
            "path": file.path,
            "size": os.path.getsize(file.path) if os.path.exists(file.path) else None,
            "create_time": file.modified.isoformat(),
            "discovery_time": _text(file.discovered or begun.get(file.path)),
            "processed_time": _text(begun.get(file.path)),
            "commit_time": _text(committed.get(file.path)),
            "source_id": file.source,
            "flow_name": flow or None,
        }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
