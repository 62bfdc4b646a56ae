"""Table statistics in the shape of DescribeTableStatistics, beside the data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local_shim.dms.publishing.state import Counts, State
from local_shim.dms.source.table_name import split_table_name
from local_shim.durable_files import write_atomically


def table_statistics(state: State) -> dict[str, Any]:
    """One entry a table; the counts equal the rows in the published files."""
    return {
        "ReplicationTaskIdentifier": state.task,
        "TableStatistics": [
            _entry(name, table.counts, state.phase) for name, table in sorted(state.tables.items())
        ],
    }


def _entry(full_name: str, counts: Counts, phase: str) -> dict[str, Any]:
    schema, table = split_table_name(full_name)
    return {
        "SchemaName": schema,
        "TableName": table,
        "FullLoadRows": counts.full_load_rows,
        "Inserts": counts.inserts,
        "Updates": counts.updates,
        "Deletes": counts.deletes,
        "Ddls": counts.ddls,
        "TruncatesIgnored": counts.truncates_ignored,
        "IgnoredUpdates": counts.ignored_updates,
        "IgnoredDeletes": counts.ignored_deletes,
        "TableState": "Table completed" if phase == "running" else "Full load",
    }


def write_statistics(folder: Path, state: State) -> None:
    """Rewrite `table_statistics.json`; it can always be made again from the state."""
    text = json.dumps(table_statistics(state), indent=1) + "\n"
    write_atomically(folder / "table_statistics.json", text)
