"""What a terminal shows while an update runs."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from local_shim.events.event import Event, EventType, Level
from local_shim.report.progress import Progress


def event(kind: EventType, details: dict[str, str], flow: str = "") -> Event:
    origin = {"flow_name": flow, "dataset_name": flow}
    return Event("", 0, datetime.now(UTC), kind, "", Level.INFO, origin, details)


def flow(name: str, status: str) -> Event:
    return event(EventType.FLOW_PROGRESS, {"status": status}, name)


def test_a_terminal_shows_flows_in_work_and_a_bar_over_all() -> None:
    text = StringIO()
    progress = Progress(Console(file=text, force_terminal=True, width=100, color_system=None))
    for name in ("a", "b", "c"):
        progress(flow(name, "QUEUED"))
    progress(event(EventType.UPDATE_PROGRESS, {"state": "RUNNING"}))
    progress(flow("a", "RUNNING"))
    progress(flow("a", "COMPLETED"))
    progress(flow("b", "RUNNING"))
    assert progress.live is not None
    progress.live.refresh()
    assert "running     b  0 s" in text.getvalue()
    assert "1 of 3 flows" in text.getvalue()
    progress(event(EventType.UPDATE_PROGRESS, {"state": "FAILED"}))
    assert "Update failed" in text.getvalue()
    assert progress.live is None


def test_elsewhere_only_flows_that_ended_are_lines() -> None:
    text = StringIO()
    progress = Progress(Console(file=text, width=100))
    progress(event(EventType.UPDATE_PROGRESS, {"state": "RUNNING"}))
    progress(flow("a", "RUNNING"))
    progress(flow("a", "COMPLETED"))
    assert [line.split() for line in text.getvalue().splitlines()] == [
        ["completed", "a", "0.0", "s"]
    ]
