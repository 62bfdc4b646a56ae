"""What a terminal shows while an update runs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

from rich.console import Console

from local_shim.events.event import Event, EventType, Level
from local_shim.report.progress import Progress


def event(kind: EventType, details: dict[str, Any], flow: str = "", ago: int = 0) -> Event:
    origin = {"flow_name": flow, "dataset_name": flow}
    time = datetime.now(UTC) - timedelta(seconds=ago)
    return Event("", 0, time, kind, "", Level.INFO, origin, details)


def flow(name: str, status: str, ago: int = 0) -> Event:
    return event(EventType.FLOW_PROGRESS, {"status": status}, name, ago)


def test_a_terminal_shows_flows_in_work_and_a_bar_over_all() -> None:
    text = StringIO()
    progress = Progress(Console(file=text, force_terminal=True, width=100, color_system=None))
    for name in ("a", "b", "c"):
        progress(flow(name, "QUEUED", ago=75))
    progress(event(EventType.UPDATE_PROGRESS, {"state": "RUNNING"}))
    progress(flow("a", "RUNNING"))
    progress(flow("a", "COMPLETED"))
    progress(flow("b", "RUNNING", ago=5))
    progress(flow("c", "FAILED"))
    assert progress.live is not None
    progress.live.refresh()
    assert re.search(r"running     b  \d+ s", text.getvalue())
    assert re.search(r"2 of 3 flows  1:\d\d min 1 failed", text.getvalue())
    progress(event(EventType.UPDATE_PROGRESS, {"state": "FAILED"}))
    assert "Update failed" in text.getvalue()
    assert progress.live is None


def test_a_skipped_flow_names_the_flow_that_failed() -> None:
    text = StringIO()
    progress = Progress(Console(file=text, width=100))
    for name, reads in (("a", []), ("b", ["a"]), ("c", ["b"])):
        details = {"input_datasets": reads, "output_dataset": name}
        progress(event(EventType.FLOW_DEFINITION, details, name))
    progress(flow("a", "FAILED"))
    progress(flow("c", "SKIPPED"))
    lines = [line.split() for line in text.getvalue().splitlines()]
    assert lines == [["failed", "a"], ["skipped", "c", "because", "a", "failed"]]


def test_elsewhere_only_flows_that_ended_are_lines() -> None:
    text = StringIO()
    progress = Progress(Console(file=text, width=100))
    progress(event(EventType.UPDATE_PROGRESS, {"state": "RUNNING"}))
    progress(flow("a", "RUNNING"))
    progress(flow("a", "COMPLETED"))
    assert [line.split() for line in text.getvalue().splitlines()] == [
        ["completed", "a", "0.0", "s"]
    ]
