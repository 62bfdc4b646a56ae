"""Writes the source of a benchmark as a Delta table, without Spark: files by pyarrow, and a log."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_COLUMNS = {"id": "long", "key": "integer", "amount": "double", "op": "string", "seq": "long"}
_ARROW = {"long": pa.int64(), "integer": pa.int32(), "double": pa.float64(), "string": pa.string()}
_KEYS = 20


def append_rows(folder: Path, count: int) -> None:
    """Adds `count` rows in one file and one commit; the first call makes the table.

    A call repeats the ids of the call before with higher sequences; one row of twenty deletes.
    """
    log = folder / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    version = len(list(log.glob("*.json")))
    data = folder / f"part-{version:05}-{uuid.uuid4()}.parquet"
    pq.write_table(_rows(version, count), data)
    actions = [] if version else [_protocol(), _metadata()]
    actions += [_add(data, count), {"commitInfo": {"operation": "WRITE", "timestamp": 0}}]
    text = "".join(json.dumps(action) + "\n" for action in actions)
    (log / f"{version:020}.json").write_text(text)


def _rows(version: int, count: int) -> pa.Table:
    numbers = range(count)
    values: dict[str, list[Any]] = {
        "id": list(numbers),
        "key": [number % _KEYS for number in numbers],
        "amount": [number * 1.5 + version for number in numbers],
        "op": ["D" if (number + version) % 20 == 19 else "U" for number in numbers],
        "seq": [version * 10] * count,
    }
    schema = pa.schema([(name, _ARROW[kind]) for name, kind in _COLUMNS.items()])
    return pa.table(values, schema=schema)


def _protocol() -> dict[str, Any]:
    return {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}


def _metadata() -> dict[str, Any]:
    fields = [
        {"name": name, "type": kind, "nullable": True, "metadata": {}}
        for name, kind in _COLUMNS.items()
    ]
    return {
        "metaData": {
            "id": str(uuid.uuid4()),
            "format": {"provider": "parquet", "options": {}},
            "schemaString": json.dumps({"type": "struct", "fields": fields}),
            "partitionColumns": [],
            "configuration": {},
            "createdTime": 0,
        }
    }


def _add(data: Path, count: int) -> dict[str, Any]:
    return {
        "add": {
            "path": data.name,
            "partitionValues": {},
            "size": data.stat().st_size,
            "modificationTime": 0,
            "dataChange": True,
            "stats": json.dumps({"numRecords": count}),
        }
    }
