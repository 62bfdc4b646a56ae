"""Events as a workspace sends them are shown as those of a local run."""

from __future__ import annotations

from typing import Any

from local_shim.events.event import EventType
from local_shim.remote.event_records import as_local_event
from local_shim.report.update_view import UpdateView


def record(kind: str, details: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    """An event with the few fields that a workspace always sends."""
    return {
        "id": "e1",
        "timestamp": "2026-07-01T00:00:00.000Z",
        "event_type": kind,
        "origin": {"pipeline_id": "p", "flow_name": "main.s.orders"},
        "details": details and {kind: details},
        **fields,
    }


def test_fields_that_a_workspace_leaves_out_count_nothing() -> None:
    quality = {"expectations": [{"name": "has_key", "failed_records": 2}]}
    view = UpdateView()
    for details in (
        {"status": "RUNNING", "metrics": {"num_output_rows": 3, "backlog_bytes": None}},
        {"status": "COMPLETED", "data_quality": quality},
    ):
        event = as_local_event(record("flow_progress", details))
        assert event
        view.add(event.as_record())
    flow = view.flows["main.s.orders"]
    assert (flow.status, flow.written, flow.dropped, flow.broken_rules) == ("COMPLETED", 3, 0, 1)


def test_a_failure_keeps_its_error() -> None:
    error = {"fatal": True, "exceptions": [{"class_name": "E", "message": "no such column"}]}
    event = as_local_event(record("update_progress", {"state": "FAILED"}, error=error))
    assert event
    view = UpdateView([event.as_record()])
    assert (view.state, view.error) == ("FAILED", "no such column")


def test_a_warning_of_any_type_is_a_warning() -> None:
    event = as_local_event(record("cluster_resources", None, level="WARN", message="slow disk"))
    assert event
    assert (event.event_type, event.message) == (EventType.WARNING, "slow disk")


def test_other_events_are_not_shown() -> None:
    assert as_local_event(record("maintenance_progress", {"state": "RUNNING"})) is None
    assert as_local_event(record("update_progress", None)) is None
