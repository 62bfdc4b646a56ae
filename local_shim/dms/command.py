"""The actions of `dlt-local dms` on a task; each reports on standard error."""

from __future__ import annotations

import sys

from local_shim.dms import run_task
from local_shim.dms import status as task_state
from local_shim.dms.clock import Clock
from local_shim.dms.session import Session, opened
from local_shim.dms.stopping import Stop
from local_shim.dms.task import Task


def full_load(task: Task) -> None:
    """Copies all selected tables from one snapshot; a signal ends it, and nothing is published."""
    with opened(task, Clock(), _report) as session:
        _load(session)


def cdc(task: Task, *, until_caught_up: bool) -> None:
    """Writes changes until SIGTERM or SIGINT, or until those present at the start are written."""
    with opened(task, Clock(), _report) as session:
        _replicate(session, until_caught_up)


def run(task: Task, *, until_caught_up: bool) -> None:
    """The full load unless it was done, then changes."""
    with opened(task, Clock(), _report) as session:
        if session.state.phase != "running":
            _load(session)
        _replicate(session, until_caught_up)


def status(task: Task) -> str:
    """The task's slot and rows, for people."""
    return task_state.render(task_state.task_status(task, Clock()))


def drop(task: Task) -> None:
    """Drops the slot and forgets the position; files stay."""
    run_task.drop(task, _report)


def _load(session: Session) -> None:
    try:
        run_task.full_load(session)
    except KeyboardInterrupt:
        _report("stopped before the full load was complete; nothing of it was published")
        raise


def _replicate(session: Session, until_caught_up: bool) -> None:
    stop = Stop()
    stop.on_signals()
    run_task.replicate(session, stop, until_caught_up=until_caught_up)


def _report(text: str) -> None:
    sys.stderr.write(f"dms: {text}\n")
    sys.stderr.flush()
