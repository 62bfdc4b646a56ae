"""Jobs that clients create, and their runs; runs with updates are in test_updates.py."""

from __future__ import annotations

import pytest

pytest.importorskip("databricks.sdk")

from databricks.sdk.errors import BadRequest, ResourceDoesNotExist
from databricks.sdk.service.jobs import (
    JobSettings,
    PipelineTask,
    Run,
    RunIf,
    SqlTask,
    SqlTaskFile,
    Task,
    TaskDependency,
)

from tests.local_shim.workspace.local_workspace import LocalWorkspace


def task(key: str, *after: str, run_if: RunIf | None = None, pipeline: str = "nowhere") -> Task:
    """A task of a pipeline; without `pipeline` it fails at once."""
    dependencies = [TaskDependency(each) for each in after] or None
    return Task(key, depends_on=dependencies, pipeline_task=PipelineTask(pipeline), run_if=run_if)


def create(workspace: LocalWorkspace, *tasks: Task) -> int:
    return workspace.client.jobs.create(name="refresh", tasks=list(tasks)).job_id or 0


def ended(workspace: LocalWorkspace, run_id: int) -> Run:
    """A run that has ended."""
    while True:
        run = workspace.client.jobs.get_run(run_id)
        assert run.state and run.state.life_cycle_state
        if run.state.life_cycle_state.value == "TERMINATED":
            return run


def results(run: Run) -> dict[str, str]:
    return {
        each.task_key: each.state.result_state.value
        for each in run.tasks or ()
        if each.state and each.state.result_state
    }


def test_a_job_is_kept_as_it_was_sent(workspace: LocalWorkspace) -> None:
    jobs = workspace.client.jobs
    job_id = create(workspace, task("update"))
    settings = jobs.get(job_id).settings
    assert settings and settings.as_dict() == {
        "name": "refresh",
        "tasks": [task("update").as_dict()],
    }
    assert [each.job_id for each in jobs.list(name="Refresh")] == [job_id]
    jobs.reset(job_id, JobSettings(name="other", tasks=[task("update")]))
    assert list(jobs.list(name="refresh")) == []
    jobs.delete(job_id)
    for ask in (jobs.get, jobs.run_now, jobs.delete):
        with pytest.raises(ResourceDoesNotExist):
            ask(job_id)


def test_jobs_and_runs_page(workspace: LocalWorkspace) -> None:
    jobs = workspace.client.jobs
    ids = [create(workspace, task("update")) for _ in range(5)]
    assert [each.job_id for each in jobs.list(limit=2)] == ids
    runs = [ended(workspace, jobs.run_now(ids[0]).run_id).run_id for _ in range(3)]
    assert [each.run_id for each in jobs.list_runs(job_id=ids[0], limit=2)] == runs[::-1]


@pytest.mark.parametrize(
    "tasks", [(), (task("a", "b"), task("b", "a")), (task("a", "nothing"),)], ids=len
)
def test_tasks_that_never_run_are_refused(
    workspace: LocalWorkspace, tasks: tuple[Task, ...]
) -> None:
    with pytest.raises(BadRequest):
        create(workspace, *tasks)


def test_a_task_that_does_not_run_here_fails_by_name(workspace: LocalWorkspace) -> None:
    """W37"""
    sql = Task("reconcile", sql_task=SqlTask("1", file=SqlTaskFile("reconcile.sql")))
    run = ended(workspace, workspace.client.jobs.run_now(create(workspace, sql)).run_id)
    message = "task 'reconcile' is a sql_task, which does not run here."
    assert run.state and run.state.state_message == message
    assert run.status and run.status.termination_details
    assert run.status.termination_details.message == message


def test_a_task_runs_by_what_became_of_those_before_it(workspace: LocalWorkspace) -> None:
    job_id = create(
        workspace,
        task("last", "second"),
        task("second", "first", run_if=RunIf.ALL_SUCCESS),
        task("first"),
        task("cleanup", "first", run_if=RunIf.ALL_DONE),
        task("repair", "first", run_if=RunIf.AT_LEAST_ONE_FAILED),
        task("report", "first", run_if=RunIf.AT_LEAST_ONE_SUCCESS),
        task("close", "first", run_if=RunIf.NONE_FAILED),
        task("undo", "first", run_if=RunIf.ALL_FAILED),
    )
    assert results(ended(workspace, workspace.client.jobs.run_now(job_id).run_id)) == {
        **dict.fromkeys(("first", "cleanup", "repair", "undo"), "FAILED"),
        **dict.fromkeys(("second", "last", "report", "close"), "UPSTREAM_FAILED"),
    }


def test_a_token_starts_one_run(workspace: LocalWorkspace) -> None:
    """W37"""
    jobs = workspace.client.jobs
    job_id = create(workspace, task("update"))
    first, second = (int(jobs.run_now(job_id, idempotency_token="once").run_id) for _ in "12")
    assert first == second
    with pytest.raises(ResourceDoesNotExist):
        jobs.get_run(first + 10**6)
