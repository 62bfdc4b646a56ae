"""What happened, in the shape of Databricks' event log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any


class Level(Enum):
    """How much an event matters."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"
    METRICS = "METRICS"


class FlowStatus(Enum):
    """Where a flow stands.

    QUEUED → STARTING → RUNNING → COMPLETED | FAILED | STOPPED | IDLE; a failed flow that is
    tried again is RUNNING again. QUEUED → SKIPPED when something it needs failed, or when a once
    flow is done. EXCLUDED flows are outside of the selection.
    """

    QUEUED = "QUEUED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    STOPPED = "STOPPED"
    IDLE = "IDLE"
    EXCLUDED = "EXCLUDED"


class UpdateState(Enum):
    """Where an update stands, in this order; RESETTING only if something is reset."""

    QUEUED = "QUEUED"
    CREATED = "CREATED"
    WAITING_FOR_RESOURCES = "WAITING_FOR_RESOURCES"
    INITIALIZING = "INITIALIZING"
    RESETTING = "RESETTING"
    SETTING_UP_TABLES = "SETTING_UP_TABLES"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


@dataclass(frozen=True)
class Event:
    """One line of the event log."""

    id: str
    sequence: int
    timestamp: datetime
    event_type: str
    message: str
    level: Level
    origin: Mapping[str, Any]
    details: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None
    maturity_level: str = "STABLE"

    def as_record(self) -> dict[str, Any]:
        """The event with the columns of the log; `details` stays an object."""
        return {
            "id": self.id,
            "sequence": {
                "data_plane_id": {
                    "instance": self.origin.get("update_id"),
                    "seq_no": self.sequence,
                },
                "control_plane_seq_no": None,
            },
            "origin": dict(self.origin),
            "timestamp": self.timestamp.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "message": self.message,
            "level": self.level.value,
            "maturity_level": self.maturity_level,
            "error": self.error,
            "details": {self.event_type: dict(self.details)},
            "event_type": self.event_type,
            "truncation": None,
        }

    def as_json(self) -> str:
        """The record as one line."""
        return json.dumps(self.as_record(), default=str, ensure_ascii=False)
