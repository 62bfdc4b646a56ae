"""The data files of a table's newest version, read from its log without Spark.

Follows the Delta protocol, "Action Reconciliation": a checkpoint, then the commits after it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow.parquet as parquet

from local_shim.delta.log import commits
from local_shim.storage import delta_version

_PLAIN_FEATURES = {"deletionVectors", "timestampNtz"}  # files without vectors are plain files
_ACTIONS = ["add", "metaData", "protocol"]


@dataclass(frozen=True)
class LiveFiles:
    """A table that is no more than its Parquet files; `types` are the columns as Delta has them."""

    types: dict[str, Any]
    paths: tuple[Path, ...]


def live_files(folder: Path) -> LiveFiles | None:
    """The newest version's files; None if the table cannot be read by reading them.

    That is so for deletion vectors, partitions, renamed or widened columns, types that Parquet does
    not have, and a log whose oldest commits were cleaned up without a classic checkpoint.
    """
    metadata: Mapping[str, Any] = {}
    protocol: Mapping[str, Any] = {}
    adds: dict[str, Mapping[str, Any]] = {}
    for action in _actions(folder):
        metadata = action.get("metaData") or metadata
        protocol = action.get("protocol") or protocol
        if add := action.get("add"):
            adds[add["path"]] = add
        elif remove := action.get("remove"):
            adds.pop(remove["path"], None)
    if not metadata or not _is_plain(metadata, protocol):
        return None
    if any(add.get("deletionVector") or ":" in path for path, add in adds.items()):
        return None
    fields = json.loads(metadata["schemaString"])["fields"]
    types = {field["name"]: field["type"] for field in fields}
    return LiveFiles(types, tuple(folder / unquote(path) for path in adds))


def _actions(folder: Path) -> Iterator[Mapping[str, Any]]:
    checkpoint = -1
    for version in range(delta_version(folder), -1, -1):
        file = folder / "_delta_log" / f"{version:020}.checkpoint.parquet"
        if file.exists():
            yield from parquet.read_table(file, columns=_ACTIONS).to_pylist()
            checkpoint = version
            break
    for actions in commits(folder, checkpoint):
        yield from actions


def _is_plain(metadata: Mapping[str, Any], protocol: Mapping[str, Any]) -> bool:
    features = set(protocol.get("readerFeatures") or ())
    is_renamed = protocol.get("minReaderVersion") == 2  # column mapping without named features
    is_foreign = any(word in metadata["schemaString"] for word in ('"void"', '"variant"'))
    is_partitioned = bool(metadata["partitionColumns"])
    return features <= _PLAIN_FEATURES and not (is_renamed or is_foreign or is_partitioned)
