"""A deployed job: found by its name, started, followed through the updates that it makes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_shim.errors import UsageError
from local_shim.remote.connection import workspace_errors
from local_shim.remote.deployed_name import the_only_one
from local_shim.remote.pipeline import DeployedPipeline

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import Run, RunState, RunTask

    from local_shim.graph.plan import RefreshSelection

_PAUSE = 2.0  # seconds between two checks of a run
_ENDED = ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")
_CAUSES = ("JOB_TASK", "RETRY_ON_FAILURE")


@dataclass(frozen=True)
class DeployedJob:
    """One job of a workspace."""

    workspace: WorkspaceClient
    job_id: int
    name: str

    def start(self, selection: RefreshSelection) -> int:
        """Starts a run, whose pipeline tasks refresh the selection; gives its id.

        Raises UsageError for predicates of REPLACE WHERE flows, which a job cannot take.
        """
        from databricks.sdk.service.jobs import PipelineParams

        if selection.replace_where_overrides:
            raise UsageError("OPTION_CONFLICT", "--replace-where goes without --job.")
        parameters = PipelineParams(
            full_refresh=selection.full_refresh_all or None,
            full_refresh_selection=list(selection.full_refresh) or None,
            refresh_selection=list(selection.refresh) or None,
            reset_checkpoint_selection=list(selection.reset_checkpoints) or None,
        )
        with workspace_errors():
            waiter = self.workspace.jobs.run_now(
                self.job_id, pipeline_params=parameters if parameters.as_dict() else None
            )
        return int(waiter.run_id)

    def follow(
        self,
        run_id: int,
        show_update: Callable[[DeployedPipeline, str], object],
        show_task: Callable[[str, str], object],
        pause: float = _PAUSE,
    ) -> RunState:
        """Shows each update of a run, also of a retry, and each task that ended.

        Gives the state in which the run ended.
        """
        shown: set[str] = set()
        while True:
            run = self._run(
                run_id
            )  # read before its updates, so that those of an ended task are shown
            for pipeline, update_id in self._updates(run):
                if update_id not in shown:
                    shown.add(update_id)
                    show_update(pipeline, update_id)
            for task in run.tasks or ():
                if task.task_key not in shown and _has_ended(task.state):
                    shown.add(task.task_key)
                    show_task(task.task_key, _result(task.state))
            if run.state and _has_ended(run.state):
                return run.state
            time.sleep(pause)

    def stop(self) -> None:
        """Cancels the runs of the job, so that no task is tried again."""
        with workspace_errors():
            self.workspace.jobs.cancel_all_runs(job_id=self.job_id)

    def _run(self, run_id: int) -> Run:
        with workspace_errors():
            return self.workspace.jobs.get_run(run_id)

    def _updates(self, run: Run) -> Iterator[tuple[DeployedPipeline, str]]:
        """The updates that the run has made so far, oldest first.

        A run does not name its updates: they are those that a job caused since it started.
        """
        for pipeline_id in sorted(filter(None, map(_pipeline_id, run.tasks or ()))):
            with workspace_errors():
                updates = self.workspace.pipelines.list_updates(pipeline_id).updates or []
            for update in reversed(updates):
                is_of_a_job = update.cause and update.cause.value in _CAUSES
                is_new = (update.creation_time or 0) >= (run.start_time or 0)
                if is_of_a_job and is_new and update.update_id:
                    yield DeployedPipeline(self.workspace, pipeline_id, ""), update.update_id


def find_job(workspace: WorkspaceClient, name: str) -> DeployedJob:
    """The job of this name, also behind the prefix that a development target puts before it.

    Raises UsageError if there is none or more than one.
    """
    with workspace_errors():
        jobs = list(workspace.jobs.list(name=name)) or list(workspace.jobs.list())
    names = {str(each.job_id): each.settings.name or "" for each in jobs if each.settings}
    job_id = the_only_one("job", name, names)
    return DeployedJob(workspace, int(job_id), names[job_id])


def _pipeline_id(task: RunTask) -> str | None:
    return task.pipeline_task.pipeline_id if task.pipeline_task else None


def _has_ended(state: RunState | None) -> bool:
    return bool(state and state.life_cycle_state and state.life_cycle_state.value in _ENDED)


def _result(state: RunState | None) -> str:
    """How a task ended; a task that never ran has no result, but a state."""
    ending = state and (state.result_state or state.life_cycle_state)
    return ending.value if ending else ""
