"""Versions of snapshots: what a flow's function may return, and how the manifest keeps the last."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BinaryType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    LongType,
    StringType,
    TimestampType,
)

from local_shim.errors import FlowError
from local_shim.graph.elements import SnapshotFlow

_ERROR = "APPLY_CHANGES_FROM_SNAPSHOT_ERROR"
# Per Python type: the column type of the version, how it is written down, and how read again.
_KINDS: dict[type, tuple[DataType, Callable[[Any], str], Callable[[str], Any]]] = {
    int: (LongType(), str, int),
    str: (StringType(), str, str),
    float: (DoubleType(), repr, float),
    bytes: (BinaryType(), lambda b: base64.b64encode(b).decode(), base64.b64decode),
    datetime: (TimestampType(), lambda t: t.isoformat(), datetime.fromisoformat),
    date: (DateType(), lambda d: d.isoformat(), date.fromisoformat),
    Decimal: (DecimalType(38, 18), str, Decimal),
}


def next_snapshot(flow: SnapshotFlow, last: Any) -> tuple[DataFrame, Any] | None:
    """What the flow's function gives after version `last`; None when there is no newer one."""
    assert callable(flow.source)
    returned = flow.source(last)
    if returned is None or (isinstance(returned, tuple) and returned and returned[0] is None):
        if last is None:
            raise FlowError(
                f"{_ERROR}.FIRST_SNAPSHOT_EMPTY",
                f"Flow '{flow.name}': the snapshot function returned no snapshot on its first "
                "call.",
                where=flow.where,
                hint="return (DataFrame, version) when the argument is None",
            )
        return None
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise FlowError(
            f"{_ERROR}.INVALID_RETURN_VALUE",
            f"Flow '{flow.name}': the snapshot function returned {type(returned).__name__}.",
            where=flow.where,
            hint="return (DataFrame, version), or None when there is no newer snapshot",
        )
    frame, version = returned
    _check(flow, version, last)
    return frame, version


def later(version: Any, last: Any) -> bool:
    """Whether a version may follow the last one."""
    return last is None or _comparable(version) > _comparable(last)


def literal_of(version: Any) -> tuple[Column, DataType]:
    """A version as a column, and the type it has there."""
    kind = _KINDS[_python_type(version)][0]
    return F.lit(version).cast(kind), kind


def checked_column(flow: SnapshotFlow, stored: Mapping[str, Any] | None) -> str | None:
    """The name and type of the column of a version query in SQL; None for other flows.

    Raises FlowError if they are not those of the version that the manifest keeps.
    """
    if flow.version_column is None:
        return None
    column = flow.version_column()
    last = (stored or {}).get("column", column)  # older manifests have none
    if column != last:
        raise FlowError(
            "AUTO_CDC_FROM_SNAPSHOT_VERSION_SCHEMA_CHANGED",
            f"Flow '{flow.name}': its version query gives the column {column}, and gave {last}.",
            where=flow.where,
            hint="keep the column's name and type, or rebuild the table with --full-refresh",
        )
    return column


def written(version: Any, column: str | None) -> dict[str, str]:
    """A version as the manifest keeps it."""
    kind = _python_type(version)
    entry = {"type": kind.__name__, "value": _KINDS[kind][1](version)}
    return entry if column is None else {**entry, "column": column}


def read_version(version: dict[str, Any] | None) -> Any:
    """The version that `written` wrote; None if there is none."""
    if version is None:
        return None
    named = {kind.__name__: read for kind, (_, _, read) in _KINDS.items()}
    return named[version["type"]](version["value"])


def _check(flow: SnapshotFlow, version: Any, last: Any) -> None:
    if version is None:
        raise FlowError(
            f"{_ERROR}.INVALID_TUPLE_NULL_SNAPSHOT_VERSION",
            f"Flow '{flow.name}': the snapshot function returned a DataFrame without a version.",
            where=flow.where,
            hint="return (DataFrame, version)",
        )
    allowed = ", ".join(kind.__name__ for kind in _KINDS)
    if isinstance(version, bool) or not isinstance(version, tuple(_KINDS)):
        raise FlowError(
            f"{_ERROR}.SNAPSHOT_VERSION_NOT_SORTABLE",
            f"Flow '{flow.name}': {version!r} cannot be a snapshot version.",
            where=flow.where,
            hint=f"allowed types: {allowed}",
        )
    if last is not None and _python_type(version) is not _python_type(last):
        raise FlowError(
            f"{_ERROR}.SNAPSHOT_VERSION_TYPE_CHANGED",
            f"Flow '{flow.name}': the version {version!r} is {type(version).__name__}, the last "
            f"one, {last!r}, was {type(last).__name__}.",
            where=flow.where,
            hint="keep one type, or rebuild the table with --full-refresh",
        )


def _python_type(version: Any) -> type:
    return next(kind for kind in type(version).__mro__ if kind in _KINDS)


def _comparable(version: Any) -> Any:
    if isinstance(version, datetime) and version.tzinfo is None:
        return version.replace(tzinfo=UTC)
    return version
