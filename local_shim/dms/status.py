"""How a task stands: its slot's lag, and rows by table and operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_shim.dms.clock import Clock, timestamp_text
from local_shim.dms.publishing.state import State, Store
from local_shim.dms.publishing.statistics import table_statistics
from local_shim.dms.source.connection import connected
from local_shim.dms.source.slot import SlotStatus, slot_status
from local_shim.dms.task import Task
from local_shim.errors import UsageError
from local_shim.text_table import text_table

_COLUMNS = ("table", "loaded", "inserted", "updated", "deleted", "ddl")


@dataclass(frozen=True)
class Status:
    """A task's state and its slot; `lag_seconds` is the age of what waits in the slot, at most."""

    state: State
    slot: SlotStatus | None
    lag_seconds: float | None


def task_status(task: Task, clock: Clock) -> Status:
    """Ask the server about the task's slot.

    Raises:
        UsageError: The task never ran.
    """
    store = Store(task.bucket().work)
    state = store.load()
    if state is None:
        raise UsageError(
            "DMS_TASK_NEW",
            "The task has not run yet.",
            where=store.folder,
            hint="dlt-local dms run",
        )
    with connected(task.source) as connection:
        slot = slot_status(connection, state.slot)
    age = None
    if slot is not None and state.committed_at:
        age = max(0.0, (clock.now() - state.committed_at) / 1_000_000) if slot.lag else 0.0
    return Status(state, slot, age)


def as_json(status: Status) -> dict[str, Any]:
    """The status for programs: rows by table as DescribeTableStatistics names them."""
    state, slot = status.state, status.slot
    committed = timestamp_text(state.committed_at).decode() if state.committed_at else None
    return {
        "task": state.task,
        "phase": state.phase,
        "slot": {"name": state.slot, "exists": False}
        if slot is None
        else {
            "name": state.slot,
            "exists": True,
            "wal_status": slot.wal_status,
            "lag_bytes": slot.lag,
            "lag_seconds": status.lag_seconds,
        },
        "newest_commit_written": committed,
        **table_statistics(state),
    }


def render(status: Status) -> str:
    """The status for people."""
    state, slot = status.state, status.slot
    lines = [f"task   {state.task} ({state.phase})"]
    if slot is None:
        lines.append(f"slot   {state.slot} does not exist on the server")
    else:
        age = "" if status.lag_seconds is None else f", {status.lag_seconds:,.1f} s"
        lines.append(f"slot   {state.slot}  {slot.wal_status}, lag {slot.lag:,} bytes{age}")
    if state.committed_at:
        lines.append(f"newest commit written  {timestamp_text(state.committed_at).decode()}")
    counts = [(name, table.counts) for name, table in sorted(state.tables.items())]
    rows = [
        (name, *(f"{n:,}" for n in (c.full_load_rows, c.inserts, c.updates, c.deletes, c.ddls)))
        for name, c in counts
    ]
    lines.append(text_table(_COLUMNS, rows, numeric=(False, *[True] * 5)))
    return "\n".join(lines) + "\n"
