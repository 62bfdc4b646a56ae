"""Jobs that clients created: their settings are kept in the storage."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_shim import durable_files
from local_shim.workspace.api_error import missing, wrong_value

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class CreatedJobs:
    """The jobs of a storage. [choice] Their schedules and triggers are kept and start nothing."""

    storage: Path

    def ids(self) -> list[str]:
        """The ids of all jobs, oldest first."""
        files = durable_files.names(self._folder)
        return sorted(name.removesuffix(".json") for name in files if name.endswith(".json"))

    def create(self, settings: Settings) -> int:
        """Stores a job; gives its id. Raises ApiError for tasks that cannot be put in an order."""
        job_id = time.time_ns()
        self.replace(str(job_id), settings)
        return job_id

    def replace(self, job_id: str, settings: Settings) -> None:
        """Replaces the settings of a job; raises ApiError as `create` does."""
        in_order(settings.get("tasks") or ())
        durable_files.write_atomically(self._file(job_id), json.dumps(settings))

    def settings(self, job_id: str) -> Settings:
        """The settings as the client sent them; raises ApiError if there is no such job."""
        text = durable_files.read_text(self._file(job_id)) if job_id.isdigit() else None
        if text is None:
            raise missing(f"Job {job_id} does not exist.")
        settings: Settings = json.loads(text)
        return settings

    def delete(self, job_id: str) -> None:
        """Deletes a job; raises ApiError if there is no such job."""
        self.settings(job_id)
        durable_files.delete(self._file(job_id))

    @property
    def _folder(self) -> Path:
        return self.storage / "system" / "jobs"

    def _file(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.json"


def in_order(tasks: Sequence[Settings]) -> list[Settings]:
    """The tasks, each after those that it depends on.

    Raises ApiError for a dependency on a task that does not exist, and for tasks in a cycle.
    """
    ordered: list[Settings] = []
    waiting = list(tasks)
    while waiting:
        keys = {task["task_key"] for task in ordered}
        task = next((each for each in waiting if dependencies(each) <= keys), None)
        if task is None:
            names = ", ".join(str(each["task_key"]) for each in waiting)
            raise wrong_value(f"Tasks wait for each other, or for tasks that do not exist: {names}")
        waiting.remove(task)
        ordered.append(task)
    return ordered


def dependencies(task: Settings) -> set[str]:
    """The keys of the tasks that a task depends on."""
    return {each["task_key"] for each in task.get("depends_on") or ()}
