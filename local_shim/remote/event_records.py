"""Events of a workspace in the form of a local run's, so that one display shows both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from local_shim.events.event import Event, EventType, Level

Record = Mapping[str, Any]


def as_local_event(record: Record) -> Event | None:
    """The progress or the warning that a record of the workspace holds; None for other records.

    A workspace leaves empty fields out and has event types of its own, which a local run lacks.
    """
    kind = record.get("event_type")
    details: Record = (record.get("details") or {}).get(kind) or {}
    if kind == EventType.UPDATE_PROGRESS and details.get("state"):
        return _event(record, EventType.UPDATE_PROGRESS, details)
    if kind == EventType.FLOW_PROGRESS and record["origin"].get("flow_name"):
        return _event(record, EventType.FLOW_PROGRESS, _flow_progress(details))
    if record.get("level") == "WARN":
        return _event(record, EventType.WARNING, {})
    return None


def _event(record: Record, kind: EventType, details: Record) -> Event:
    error = record.get("error")
    return Event(
        str(record["id"]),
        0,
        datetime.fromisoformat(record["timestamp"]),
        kind,
        record.get("message") or "",
        Level(record.get("level") or "INFO"),
        record["origin"],
        details,
        error if error and error.get("exceptions") else None,
    )


def _flow_progress(details: Record) -> dict[str, Any]:
    metrics = details.get("metrics") or {}
    progress: dict[str, Any] = {
        "status": details.get("status") or "RUNNING",
        "metrics": {name: int(value) for name, value in metrics.items() if value is not None},
    }
    quality = details.get("data_quality")
    if quality:
        progress["data_quality"] = {
            "dropped_records": int(quality.get("dropped_records") or 0),
            "expectations": [_counts(each) for each in quality.get("expectations") or ()],
        }
    return progress


def _counts(rule: Record) -> dict[str, Any]:
    return {
        "dataset": rule.get("dataset") or "",
        "name": rule.get("name") or "",
        "passed_records": int(rule.get("passed_records") or 0),
        "failed_records": int(rule.get("failed_records") or 0),
    }
