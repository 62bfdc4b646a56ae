"""An update by its events so far: its state, and each flow with rows, rules and error.

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
    exception: dict[str, Any] = field(default_factory=dict)
    technique: str = ""
    reason: str = ""  # why it was computed

    @property
    def seconds(self) -> float | None:
        """From the first start to the last end; None if the flow has not started or not ended."""
        if self.started is None or self.ended is None:
            return None
        return (self.ended - self.started).total_seconds()

    @property
    def written(self) -> int:
        """Rows appended or upserted."""
        return self.metrics.get("num_output_rows", 0) + self.metrics.get("num_upserted_rows", 0)

    @property
    def deleted(self) -> int:
        """Rows that AUTO CDC deleted."""
        return self.metrics.get("num_deleted_rows", 0)

    @property
    def broken_rules(self) -> int:
        """The number of rules that some record failed."""
        return sum(counts.failed > 0 for counts in self.rules.values())


class UpdateView:
    """Folds events, one after the other, into the state of the update that they are about."""

    def __init__(self, records: Iterable[Mapping[str, Any]] = ()):
        self.state = ""
        self.origin: dict[str, Any] = {}
        self.creation: dict[str, Any] = {}
        self.started: datetime | None = None
        self.ended: datetime | None = None
        self.error = ""
        self.datasets: dict[str, dict[str, Any]] = {}  # definitions
        self.definitions: dict[str, dict[str, Any]] = {}  # of flows, with `target`
        self.flows: dict[str, FlowView] = {}
        self.warnings: list[str] = []
        for record in records:
            self.add(record)

    def add(self, record: Mapping[str, Any]) -> None:
        """Takes in one event, as `Event.as_record` gives it or as a journal holds it.

        An event of an unknown type changes nothing.
        """
        kind = record["event_type"]
        details = (record.get("details") or {}).get(kind, {})
        self._add_definition(record, kind, details)
        if kind == EventType.UPDATE_PROGRESS:
            self._add_state(record, details)
        elif kind == EventType.FLOW_PROGRESS:
            self._add_progress(record, details)
        elif record.get("level") == "WARN":
            self.warnings.append(record["message"])

    def _add_definition(
        self, record: Mapping[str, Any], kind: str, details: Mapping[str, Any]
    ) -> None:
        """Takes in an event about the request, a dataset, a flow or the plan of a view."""
        origin = record["origin"]
        if kind == EventType.CREATE_UPDATE:
            self.creation = dict(details)
            self.origin, self.started = dict(origin), datetime.fromisoformat(record["timestamp"])
        elif kind == EventType.DATASET_DEFINITION:
            self.datasets[origin["dataset_name"]] = dict(details)
        elif kind == EventType.SINK_DEFINITION:
            self.datasets[origin["sink_name"]] = {**details, "dataset_type": "SINK"}
        elif kind == EventType.FLOW_DEFINITION:
            target = details.get("output_dataset", details.get("output_sink"))
            self.definitions[origin["flow_name"]] = {**details, "target": target}
        elif kind == EventType.PLANNING_INFORMATION:
            self._add_technique(self._flow(record), details)

    @staticmethod
    def _add_technique(flow: FlowView, details: Mapping[str, Any]) -> None:
        flow.reason = details.get("reason") or ""
        for technique in details.get("technique_information", ()):
            if technique.get("is_chosen"):
                flow.technique = technique["maintenance_type"]

    def _add_state(self, record: Mapping[str, Any], details: Mapping[str, Any]) -> None:
        self.state = details["state"]
        if self.state in ("COMPLETED", "FAILED", "CANCELED"):
            self.ended = datetime.fromisoformat(record["timestamp"])
        if record.get("error"):
            self.error = str(record["error"]["exceptions"][0]["message"])

    def _flow(self, record: Mapping[str, Any]) -> FlowView:
        name = str(record["origin"]["flow_name"])
        dataset = str(record["origin"].get("dataset_name", name))
        return self.flows.setdefault(name, FlowView(name, dataset))

    def causes(self) -> list[str]:
        """One line for each flow that ended in failure, in the order in which they failed."""
        failed = [flow for flow in self.flows.values() if flow.status == "FAILED"]
        failed.sort(key=lambda flow: flow.ended or datetime.min)
        return [f"{flow.name}: {' '.join(flow.error.split())}" for flow in failed]

    def failed_ancestors(self, name: str) -> list[str]:
        """The failed flows from which a flow's inputs come, through any number of datasets."""
        writers: dict[str, list[str]] = {}
        for flow, definition in self.definitions.items():
            writers.setdefault(definition["target"], []).append(flow)
        waiting, passed = [name], {name}
        while waiting:
            for dataset in self.definitions.get(waiting.pop(), {}).get("input_datasets", ()):
                new = set(writers.get(dataset, ())) - passed
                passed |= new
                waiting.extend(new)
        failed = (each for each, flow in self.flows.items() if flow.status == "FAILED")
        return [each for each in failed if each in passed]

    def _add_progress(self, record: Mapping[str, Any], details: Mapping[str, Any]) -> None:
        flow = self._flow(record)
        flow.status = details["status"]
        time = datetime.fromisoformat(record["timestamp"])
        if flow.status in _STARTED:
            flow.started, flow.ended = flow.started or time, None
        elif flow.status in ENDED:
            flow.ended = time
        if record.get("error"):
            flow.exception = dict(record["error"]["exceptions"][0])
            flow.error = str(flow.exception["message"])
        for key, value in details.get("metrics", {}).items():
            if key.startswith("num_"):  # not the backlog, whose values of two passes do not add up
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
