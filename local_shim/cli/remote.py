"""The commands for a deployed pipeline: `dlt-local remote`."""

from __future__ import annotations

import json as json_text
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from local_shim.cli.options import BundleOptions, Json, Select, option, pairs, say
from local_shim.errors import UsageError, close_match
from local_shim.redaction import redacted

if TYPE_CHECKING:  # databricks-sdk is loaded only by the commands that need it
    from local_shim.graph.plan import RefreshSelection
    from local_shim.remote.job import DeployedJob
    from local_shim.remote.pipeline import DeployedPipeline

app = App(name="remote", help="Run the deployed pipeline in its workspace.", sort_key=8)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Deployed(BundleOptions):
    """The options that name a deployed pipeline."""

    profile: Annotated[
        str | None, option("P", "Profile of ~/.databrickscfg (default: DATABRICKS_HOST).")
    ] = None

    def find(self) -> DeployedPipeline:
        """The pipeline in its workspace."""
        from local_shim.remote.connection import connect
        from local_shim.remote.pipeline import find

        return find(connect(self.profile), self.from_bundle().name)

    def find_job(self, key: str) -> DeployedJob:
        """The job of the bundle in its workspace; raises UsageError if the bundle has no such."""
        from local_shim.deploy_check.deployment import read_deployment
        from local_shim.pipeline_spec.document.problems import Problems
        from local_shim.remote.connection import connect
        from local_shim.remote.job import find_job

        problems, variables = Problems(), pairs(self.var, "--var")
        deployment = read_deployment(
            self.bundle or Path(), self.target, variables, os.environ, problems
        )
        problems.raise_any()
        names = {key: name.text() for key, job in deployment.of("jobs") if (name := job.at("name"))}
        if key not in names:
            hint = close_match(key, names)
            raise UsageError("UNKNOWN_JOB", f"The bundle has no job '{key}'.", hint=hint)
        return find_job(connect(self.profile), names[key])


_JobKey = Annotated[str | None, option("KEY", "Through this job of the bundle.")]


@app.command
def run(
    *,
    deployed: Deployed = Deployed(),
    select: Select = Select(),
    job: _JobKey = None,
    validate: Annotated[bool, option(help="Only analyse the graph; write nothing.")] = False,
    json: Json = False,
) -> int:
    """Start an update and show its progress as `dlt-local run` does; exit 1 if it fails.

    With --job, the job starts the update; then its other tasks must succeed, too.
    """
    if job and validate:
        raise UsageError("OPTION_CONFLICT", "--validate goes without --job.")
    try:
        if job:
            return _run_job(deployed.find_job(job), select.selection(), json)
        pipeline = deployed.find()
        update_id = pipeline.start(select.selection(), validate)
        return _exit_code(_show_progress(pipeline, update_id, json))
    except KeyboardInterrupt:
        text = "what was started goes on in the workspace; see `remote logs` and `remote stop`"
        print(text, file=sys.stderr)  # noqa: T201
        return 1


@app.command
def logs(*, deployed: Deployed = Deployed(), json: Json = False) -> int:
    """Show the events of the newest update, until it ends; exit 1 if it failed."""
    pipeline = deployed.find()
    state = pipeline.follow(pipeline.latest_update(), _show_json if json else _show)
    return _exit_code(state)


@app.command
def status(*, deployed: Deployed = Deployed()) -> None:
    """Show the state of the pipeline and of its latest updates."""
    pipeline = deployed.find()
    current = pipeline.status()
    say(f"{pipeline.name}  {current.state.value if current.state else 'UNKNOWN'}")
    for update in current.latest_updates or ():
        state = update.state.value if update.state else "UNKNOWN"
        say(f"  {update.update_id}  {state:<10} {update.creation_time}")


@app.command
def stop(*, deployed: Deployed = Deployed(), job: _JobKey = None) -> None:
    """Stop the active update; with --job the runs of a job, so that it does not try again."""
    if job:
        deployed.find_job(job).stop()
    else:
        deployed.find().stop()


@app.command
def diff(
    *,
    deployed: Deployed = Deployed(),
    storage: Annotated[
        Path | None, option("DIR", "Storage of the local run (default: the only one).")
    ] = None,
) -> int:
    """Compare the newest local update with the newest remote one; exit 1 if a figure differs."""
    from local_shim.cli.storages import open_storage
    from local_shim.events.journal import events
    from local_shim.remote.difference import differences, figures
    from local_shim.text_table import text_table

    local = figures(events(open_storage(storage), None, None, None))
    pipeline = deployed.find()
    remote = figures(pipeline.events(pipeline.latest_update()))
    rows = [
        (each.flow, each.figure, _number(each.local), _number(each.remote))
        for each in differences(local, remote)
    ]
    if not rows:
        say(f"no difference in {len({*local, *remote})} figures.")
        return 0
    say(text_table(("flow", "figure", "local", "remote"), rows, (False, False, True, True)))
    return 1


def _number(count: int | None) -> str:
    return "no such flow" if count is None else str(count)


def _show_progress(pipeline: DeployedPipeline, update_id: str, json: bool) -> str:
    """Shows an update until it ends, as a local run does, and why it failed; gives its state."""
    from rich.console import Console

    from local_shim.remote.event_records import as_local_event
    from local_shim.report.progress import Progress
    from local_shim.report.update_view import UpdateView

    progress, view = Progress(Console(highlight=False)), UpdateView()

    def show(record: Mapping[str, Any]) -> None:
        event = as_local_event(record)
        if json:
            _show_json(record)
        elif event:
            progress(event)
        if event:
            view.add(event.as_record())

    try:
        state = pipeline.follow(update_id, show)
    finally:
        progress.close()
    for cause in view.causes() or filter(None, [view.error]):
        print(redacted(cause), file=sys.stderr)  # noqa: T201
    return state


def _run_job(job: DeployedJob, selection: RefreshSelection, json: bool) -> int:
    def show_update(pipeline: DeployedPipeline, update_id: str) -> None:
        _show_progress(pipeline, update_id, json)

    def show_task(key: str, result: str) -> None:
        if not json:
            say(f"task {key}: {result}")

    end = job.follow(job.start(selection), show_update, show_task)
    succeeded = end.result_state is not None and end.result_state.value == "SUCCESS"
    if not succeeded and end.state_message:
        print(redacted(end.state_message), file=sys.stderr)  # noqa: T201
    return 0 if succeeded else 1


def _exit_code(state: str) -> int:
    return 0 if state == "COMPLETED" else 1


def _show_json(event: Mapping[str, Any]) -> None:
    say(json_text.dumps(event, ensure_ascii=False))


def _show(event: Mapping[str, Any]) -> None:
    say(
        f"{event['timestamp']}  {event.get('level', ''):<7} {event.get('event_type', ''):<20} "
        f"{event.get('message', '')}"
    )
