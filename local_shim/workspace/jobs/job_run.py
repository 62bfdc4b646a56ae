"""One run of a job, and of each of its tasks."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Event

from local_shim.workspace.jobs.created_jobs import Settings


def now() -> int:
    """The time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass
class TaskRun:
    """One task of a run; without a result it has not ended."""

    task: Settings
    run_id: int
    started: int = 0  # milliseconds since 1970
    ended: int = 0
    result: str = ""
    message: str = ""

    def end(self, result: str, message: str = "") -> None:
        """Notes how the task ended."""
        self.ended, self.result, self.message = now(), result, message


@dataclass
class JobRun:
    """One run of a job."""

    job_id: str
    run_id: int
    settings: Settings
    parameters: Settings  # of the updates that its pipeline tasks start
    tasks: list[TaskRun]
    started: int = field(default_factory=now)
    canceled: Event = field(default_factory=Event)

    @property
    def result(self) -> str:
        """How the run ended, by its tasks; empty while one of them has not ended."""
        results = [each.result for each in self.tasks]
        if "" in results:
            return ""
        if self.canceled.is_set():
            return "CANCELED"
        return "SUCCESS" if all(each == "SUCCESS" for each in results) else "FAILED"
