"""The JSON documents of jobs and runs, with the field names of databricks-sdk."""

from __future__ import annotations

from typing import Any

from local_shim.workspace.jobs.created_jobs import Settings
from local_shim.workspace.jobs.job_run import JobRun, TaskRun

Document = dict[str, Any]
_TERMINATION = {  # result: termination code and type
    "SUCCESS": ("SUCCESS", "SUCCESS"),
    "CANCELED": ("USER_CANCELED", "CLIENT_ERROR"),
    "FAILED": ("RUN_EXECUTION_ERROR", "CLIENT_ERROR"),
    "UPSTREAM_FAILED": ("RUN_EXECUTION_ERROR", "CLIENT_ERROR"),
}


def job(job_id: str, settings: Settings) -> Document:
    """A job with its settings as they were sent."""
    return {"job_id": int(job_id), "settings": dict(settings)}


def run(run: JobRun) -> Document:
    """A run with its tasks."""
    failed = [each.message for each in run.tasks if each.message]
    ended = max(each.ended for each in run.tasks) if run.result else 0
    return {
        "job_id": int(run.job_id),
        "run_id": run.run_id,
        "run_name": run.settings.get("name", ""),
        "start_time": run.started,
        "end_time": ended,
        "tasks": [_task(each) for each in run.tasks],
        **_state("RUNNING", run.result, failed[0] if failed else ""),
    }


def _task(task: TaskRun) -> Document:
    fields = ("task_key", "depends_on", "pipeline_task")
    return {
        **{name: task.task[name] for name in fields if name in task.task},
        "run_id": task.run_id,
        "start_time": task.started,
        "end_time": task.ended,
        **_state("RUNNING" if task.started else "PENDING", task.result, task.message),
    }


def _state(current: str, result: str, message: str) -> Document:
    """`state`, which clients read, and `status`, which newer clients read."""
    if not result:
        return {"state": {"life_cycle_state": current}, "status": {"state": current}}
    code, kind = _TERMINATION[result]
    return {
        "state": {
            "life_cycle_state": "TERMINATED",
            "result_state": result,
            "state_message": message,
        },
        "status": {
            "state": "TERMINATED",
            "termination_details": {"code": code, "type": kind, "message": message},
        },
    }
