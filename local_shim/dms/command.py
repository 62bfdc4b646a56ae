"""The actions of `dlt-local dms` on a task; each reports on standard error."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

from local_shim.dms import run_task
from local_shim.dms import status as task_state
from local_shim.dms.clock import Clock, timestamp_text
from local_shim.dms.publishing.state import Move
from local_shim.dms.stopping import Stop
from local_shim.dms.task import Task
from local_shim.dms.task_session import Session, opened


@dataclass(frozen=True)
class Output:
    """How an action reports: lines on standard error, or JSON lines on standard output."""

    quiet: bool = False  # no line for each file
    json: bool = False

    def message(self, text: str) -> None:
        """Something that the user should know."""
        if self.json:
            self._event("message", message=text)
        else:
            sys.stderr.write(f"dms: {text}\n")
            sys.stderr.flush()

    def published(self, move: Move) -> None:
        """A file that has become visible."""
        if self.json:
            self._event("file_published", key=move.key, rows=move.rows)
        elif not self.quiet:
            rows = ", ".join(f"{number:,} {op}" for op, number in sorted(move.rows.items()))
            self.message(f"{move.key}  {rows}".rstrip())

    def _event(self, event_type: str, **details: Any) -> None:
        timestamp = timestamp_text(Clock().now()).decode()
        event = {"timestamp": timestamp, "event_type": event_type, **details}
        sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def full_load(task: Task, output: Output) -> None:
    """Copies all selected tables from one snapshot; a signal ends it, and nothing is published."""
    with opened(task, Clock(), output.message, output.published) as session:
        _load(session, output)


def cdc(task: Task, output: Output, *, until_caught_up: bool) -> None:
    """Writes changes until SIGTERM or SIGINT, or until those present at the start are written."""
    with opened(task, Clock(), output.message, output.published) as session:
        _replicate(session, until_caught_up)


def run(task: Task, output: Output, *, until_caught_up: bool) -> None:
    """The full load unless it was done, then changes."""
    with opened(task, Clock(), output.message, output.published) as session:
        if session.state.phase != "running":
            _load(session, output)
        _replicate(session, until_caught_up)


def status(task: Task, *, as_json: bool = False) -> str:
    """The task's slot and rows, for people or as JSON."""
    current = task_state.task_status(task, Clock())
    if as_json:
        return json.dumps(task_state.as_json(current), ensure_ascii=False, indent=1)
    return task_state.render(current)


def drop(task: Task) -> None:
    """Drops the slot and forgets the position; files stay."""
    run_task.drop(task, Output().message)


def _load(session: Session, output: Output) -> None:
    try:
        run_task.full_load(session)
    except KeyboardInterrupt:
        output.message("stopped before the full load was complete; nothing of it was published")
        raise


def _replicate(session: Session, until_caught_up: bool) -> None:
    stop = Stop()
    with stop.by_signals():
        run_task.replicate(session, stop, until_caught_up=until_caught_up)
