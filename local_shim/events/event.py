"""Events in the shape of Databricks' event log."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any

from local_shim.errors import ShimError


class EventType(StrEnum):
    """What an event is about; `details` has the type as its only key (behaviour 118)."""

    CREATE_UPDATE = "create_update"
    USER_ACTION = "user_action"
    RUNTIME_DETAILS = "runtime_details"
    UPDATE_PROGRESS = "update_progress"
    DATASET_DEFINITION = "dataset_definition"
    SINK_DEFINITION = "sink_definition"
    FLOW_DEFINITION = "flow_definition"
    FLOW_PROGRESS = "flow_progress"
    PLANNING_INFORMATION = "planning_information"
    OPERATION_PROGRESS = "operation_progress"
    STREAM_PROGRESS = "stream_progress"
    HOOK_PROGRESS = "hook_progress"
    DEPRECATION = "deprecation"
    MAINTENANCE_PROGRESS = "maintenance_progress"
    WARNING = "warning"


class Level(Enum):
    """How much an event matters."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"
    METRICS = "METRICS"


class FlowStatus(Enum):
    """Where a flow stands.

    QUEUED → STARTING → RUNNING → COMPLETED | FAILED | STOPPED; a failed flow that is retried is
    RUNNING again. [choice] A stream without new data is IDLE and then COMPLETED (behaviour 115).
    QUEUED → SKIPPED when something it needs failed, or when a once flow ran in an earlier update.
    EXCLUDED flows are outside of the selection.
    """

    QUEUED = "QUEUED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    IDLE = "IDLE"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    STOPPED = "STOPPED"
    EXCLUDED = "EXCLUDED"


class UpdateState(Enum):
    """Where an update stands, in this order; RESETTING only if something is reset."""

    QUEUED = "QUEUED"
    CREATED = "CREATED"
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
    event_type: EventType
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


def error_details(error: BaseException | None) -> dict[str, Any] | None:
    """The `error` of an event: the exception with its stack; an error of ours has no stack."""
    if error is None:
        return None
    frames = [] if isinstance(error, ShimError) else traceback.extract_tb(error.__traceback__)
    return {
        "fatal": True,
        "exceptions": [
            {
                "class_name": type(error).__name__,
                "message": str(error),
                "stack": [
                    {
                        "declaring_class": "",
                        "method_name": frame.name,
                        "file_name": frame.filename,
                        "line_number": frame.lineno,
                    }
                    for frame in frames
                ],
            }
        ],
    }
