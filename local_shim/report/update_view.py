"""What the events of an update say so far: its state, and each flow with rows, rules and error.

Progress on a terminal, the causes of a failure, the figures of the demo and the tests read this
view; none of them reads single events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_shim.events.event import EventType

_STARTED = ("STARTING", "RUNNING")
ENDED = ("COMPLETED", "FAILED", "SKIPPED", "STOPPED", "EXCLUDED")


@dataclass
class RuleCounts:
    """Rows that passed and failed one expectation."""

    passed: int = 0
    failed: int = 0


@dataclass
class FlowView:
    """One flow of an update. Metrics add up over the passes of a continuous update."""

    name: str
    dataset: str
    status: str = "QUEUED"
    metrics: dict[str, int] = field(default_factory=dict)
    dropped: int = 0
    rules: dict[tuple[str, str], RuleCounts] = field(default_factory=dict)  # (dataset, name)
    started: datetime | None = None
    ended: datetime | None = None
    error: str = ""

    @property
    def seconds(self) -> float | None:
        """From the first start to the last end; None while the flow has not ended."""
        if self.ended is None:
            return None
        return (self.ended - (self.started or self.ended)).total_seconds()

    @property
    def written(self) -> int:
        """Rows appended or upserted."""
        return self.metrics.get("num_output_rows", 0) + self.metrics.get("num_upserted_rows", 0)

    @property
    def deleted(self) -> int:
        """Rows that AUTO CDC deleted."""
        return self.metrics.get("num_deleted_rows", 0)

    @property
    def failed_checks(self) -> int:
        """Failed records, added up over the rules."""
        return sum(counts.failed for counts in self.rules.values())


class UpdateView:
    """Folds events, one after the other, into the state of the update that they are about."""

    def __init__(self, records: Iterable[Mapping[str, Any]] = ()):
        self.state = ""
        self.flows: dict[str, FlowView] = {}
        self.warnings: list[str] = []
        for record in records:
            self.add(record)

    def add(self, record: Mapping[str, Any]) -> None:
        """Takes in one event, as `Event.as_record` gives it or as a journal holds it."""
        kind = record["event_type"]
        details = record["details"].get(kind, {})
        if kind == EventType.UPDATE_PROGRESS:
            self.state = details["state"]
        elif kind == EventType.FLOW_PROGRESS:
            self._add_progress(record, details)
        elif record["level"] == "WARN":
            self.warnings.append(record["message"])

    def causes(self) -> list[str]:
        """One line for each flow that ended in failure, in the order in which they failed."""
        failed = [flow for flow in self.flows.values() if flow.status == "FAILED"]
        failed.sort(key=lambda flow: flow.ended or datetime.min)
        return [f"{flow.name}: {' '.join(flow.error.split())}" for flow in failed]

    def _add_progress(self, record: Mapping[str, Any], details: Mapping[str, Any]) -> None:
        name = str(record["origin"]["flow_name"])
        dataset = str(record["origin"].get("dataset_name", name))
        flow = self.flows.setdefault(name, FlowView(name, dataset))
        flow.status = details["status"]
        time = datetime.fromisoformat(record["timestamp"])
        if flow.status in _STARTED:
            flow.started, flow.ended = flow.started or time, None
        elif flow.status in ENDED:
            flow.ended = time
        if record.get("error"):
            flow.error = str(record["error"]["exceptions"][0]["message"])
        for key, value in details.get("metrics", {}).items():
            flow.metrics[key] = flow.metrics.get(key, 0) + value
        self._add_quality(flow, details.get("data_quality"))

    def _add_quality(self, flow: FlowView, quality: Mapping[str, Any] | None) -> None:
        if quality is None:
            return
        flow.dropped += quality["dropped_records"]
        for rule in quality["expectations"]:
            counts = flow.rules.setdefault((rule["dataset"], rule["name"]), RuleCounts())
            counts.passed += rule["passed_records"]
            counts.failed += rule["failed_records"]
