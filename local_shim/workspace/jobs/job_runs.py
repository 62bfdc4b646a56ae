"""Runs of jobs: each has a thread that runs its tasks, one after the other.

[choice] Runs are in memory until the server ends; the updates that they started have journals.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from threading import Lock, Thread
from typing import Any

from local_shim.errors import ShimError
from local_shim.workspace.api_error import ApiError, missing
from local_shim.workspace.jobs.created_jobs import Settings, dependencies, in_order
from local_shim.workspace.jobs.job_run import JobRun, TaskRun, now
from local_shim.workspace.pipelines import Pipelines

_PAUSE = 0.1  # seconds between two checks of an update
# When a task runs, by what became of the tasks that it depends on.
_RUN_IF: Mapping[str, Callable[[Sequence[str]], bool]] = {
    "ALL_SUCCESS": lambda results: all(each == "SUCCESS" for each in results),
    "ALL_DONE": lambda results: True,
    "NONE_FAILED": lambda results: "FAILED" not in results,
    "AT_LEAST_ONE_SUCCESS": lambda results: "SUCCESS" in results,
    "ALL_FAILED": lambda results: all(each == "FAILED" for each in results),
    "AT_LEAST_ONE_FAILED": lambda results: "FAILED" in results,
}
_RESULT_OF_UPDATE = {"COMPLETED": "SUCCESS", "CANCELED": "CANCELED"}  # FAILED stays


class JobRuns:
    """Starts runs and keeps them."""

    def __init__(self, pipelines: Pipelines):
        self._pipelines = pipelines
        self._runs: dict[int, JobRun] = {}
        self._tokens: dict[str, int] = {}
        self._ids = count(time.time_ns())
        self._lock = Lock()

    def start(self, job_id: str, settings: Settings, body: Settings) -> JobRun:
        """Starts a run; with the `idempotency_token` of an earlier run, gives that run."""
        token = body.get("idempotency_token")
        with self._lock:
            if token in self._tokens:
                return self._runs[self._tokens[token]]
            run_id = next(self._ids)
            tasks = [TaskRun(task, next(self._ids)) for task in in_order(settings["tasks"])]
            run = JobRun(job_id, run_id, settings, body.get("pipeline_params") or {}, tasks)
            self._runs[run_id] = run
            if token:
                self._tokens[token] = run_id
        Thread(target=self._carry_out, args=(run,), daemon=True).start()
        return run

    def get(self, run_id: str) -> JobRun:
        """One run; raises ApiError if it is unknown."""
        run = self._runs.get(int(run_id)) if run_id.isdigit() else None
        if run is None:
            raise missing(f"Run {run_id} does not exist.")
        return run

    def of_job(self, job_id: str) -> list[JobRun]:
        """The runs of a job, newest first."""
        return [run for run in reversed(self._runs.values()) if run.job_id == job_id]

    def _carry_out(self, run: JobRun) -> None:
        results: dict[str, str] = {}
        for each in run.tasks:
            earlier = [results[key] for key in dependencies(each.task)]
            condition = _RUN_IF[each.task.get("run_if") or "ALL_SUCCESS"]
            each.started = now()
            if run.canceled.is_set():
                each.end("CANCELED")
            elif not condition(earlier):
                each.end("UPSTREAM_FAILED")
            else:
                each.end(*self._carry_out_task(run, each.task))
            results[each.task["task_key"]] = each.result

    def _carry_out_task(self, run: JobRun, task: Settings) -> tuple[str, str]:
        """The result of a task and a message; only a pipeline_task can run."""
        if not task.get("pipeline_task"):
            kind = next((key for key in task if key.endswith("_task")), "task without a kind")
            return "FAILED", f"task '{task['task_key']}' is a {kind}, which does not run here."
        settings: dict[str, Any] = {**task["pipeline_task"], **run.parameters}
        pipeline_id = settings.pop("pipeline_id")
        try:
            update_id = self._pipelines.start(pipeline_id, {**settings, "cause": "JOB_TASK"})
        except (ApiError, ShimError) as error:
            return "FAILED", str(error)
        return self._end_of_update(run, pipeline_id, update_id)

    def _end_of_update(self, run: JobRun, pipeline_id: str, update_id: str) -> tuple[str, str]:
        is_stopped = False
        while True:
            updates = self._pipelines.updates(pipeline_id)
            update = next(each for each in updates if each.update_id == update_id)
            if update.ended:
                return _RESULT_OF_UPDATE.get(update.state, update.state), update.error
            if is_stopped:
                time.sleep(_PAUSE)
            elif run.canceled.wait(_PAUSE):
                self._pipelines.stop(pipeline_id)
                is_stopped = True
