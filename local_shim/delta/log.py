"""What the log of a Delta table says without a Spark job: its newest commits, read as files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyspark.sql.types import StructType

from local_shim import durable_files
from local_shim.storage import delta_version


def written(folder: Path, after: int) -> dict[str, int]:
    """Rows and bytes that the commits after version `after` wrote, from the table's log."""
    rows = size = 0
    for actions in commits(folder, after):
        metrics = _first(actions, "commitInfo").get("operationMetrics", {})
        added = [action["add"] for action in actions if "add" in action]
        if metrics:
            rows += int(metrics.get("numOutputRows", 0))
            size += int(metrics.get("numOutputBytes", metrics.get("numAddedBytes", 0)))
        else:  # a commit by the kernel, which counts the rows of each file instead
            rows += sum(int(json.loads(add["stats"])["numRecords"]) for add in added)
            size += sum(int(add["size"]) for add in added)
    return {"num_output_rows": rows, "num_output_bytes": size}


def stored_schema(folder: Path) -> StructType | None:
    """The table's columns as its newest metadata names them, if a commit file still holds it."""
    metadata = _metadata(folder)
    return StructType.fromJson(json.loads(metadata["schemaString"])) if metadata else None


def stored_partitioning(folder: Path) -> list[str] | None:
    """The columns that the table is partitioned by; None if no commit file holds its metadata."""
    metadata = _metadata(folder)
    return list(metadata["partitionColumns"]) if metadata else None


def _metadata(folder: Path) -> Mapping[str, Any] | None:
    for version in range(delta_version(folder), -1, -1):
        actions = _actions(folder, version)
        if actions is None:
            return None
        metadata = _first(actions, "metaData")
        if metadata:
            return metadata
    return None


def checksum(folder: Path, version: int) -> Mapping[str, Any] | None:
    """What the checksum file of a version says; None if there is no such file."""
    text = durable_files.read_text(folder / "_delta_log" / f"{version:020}.crc")
    if text is None:
        return None
    content: Mapping[str, Any] = json.loads(text)
    return content


def size(folder: Path) -> int:
    """Bytes of the data files of the newest version, from its checksum file.

    Without a checksum file: of all data files in the folder, those of older versions included.
    """
    newest = checksum(folder, delta_version(folder))
    if newest is not None:
        return int(newest["tableSizeBytes"])
    files = (path for path in folder.rglob("*.parquet") if "_delta_log" not in path.parts)
    return sum(path.stat().st_size for path in files)


def grew_by_appends_only(folder: Path) -> bool:
    """Whether every commit since the first one added rows and did nothing else.

    A stream over such a table may begin at its first commit instead of at a snapshot of the
    newest: the rows are the same, and Delta need not work out the snapshot's files.
    """
    newest = delta_version(folder)
    if not 0 <= newest < _FEW_COMMITS:
        return False
    schemas = 0
    for version in range(newest + 1):
        actions = _actions(folder, version)
        if actions is None or any("remove" in action or "cdc" in action for action in actions):
            return False
        schemas += sum("metaData" in action for action in actions)
    return schemas == 1


_FEW_COMMITS = 50


def has_other_rows(folder: Path, since: int) -> bool:
    """Whether the newest version may have other rows or columns than version `since`.

    Files that OPTIMIZE put together hold the same rows. Delta marks such a commit's actions.
    """
    if since > delta_version(folder):  # another table is in its place
        return True
    return any(not actions or _changes_rows(actions) for actions in commits(folder, since))


def _changes_rows(actions: Sequence[Mapping[str, Any]]) -> bool:
    files = (action.get("add") or action.get("remove") or {} for action in actions)
    has_metadata = any("metaData" in action or "cdc" in action for action in actions)
    return has_metadata or any(file.get("dataChange", False) for file in files)


def commits(folder: Path, after: int) -> Iterator[Sequence[Mapping[str, Any]]]:
    """The actions of each version after `after`."""
    for version in range(after + 1, delta_version(folder) + 1):
        yield _actions(folder, version) or ()


def _actions(folder: Path, version: int) -> Sequence[Mapping[str, Any]] | None:
    """The actions of one commit; None if its file was removed by a clean-up of the log."""
    text = durable_files.read_text(folder / "_delta_log" / f"{version:020}.json")
    return None if text is None else [json.loads(line) for line in text.splitlines()]


def _first(actions: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any]:
    return next((action[kind] for action in actions if kind in action), {})
