"""Updates that the server's worker carries out; the worker has a Spark of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread, main_thread

import pytest
from pyspark.sql import SparkSession

pytest.importorskip("databricks.sdk")

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import ResourceConflict
from databricks.sdk.service.jobs import (
    JobSettings,
    PipelineTask,
    SqlTask,
    Task,
    TaskDependency,
)
from databricks.sdk.service.pipelines import (
    FileLibrary,
    PipelineEvent,
    PipelineLibrary,
    PipelinesAPI,
    UpdateInfoState,
)

from local_shim.remote.connection import connect
from local_shim.remote.pipeline import ENDED, DeployedPipeline, find
from local_shim.storage import delta_version
from tests.local_shim.cli.command import dlt_local
from tests.local_shim.workspace.local_workspace import TOKEN, LocalWorkspace, local_workspace

ONE_TABLE = "import dlt\n@dlt.table\ndef {name}():\n    return spark.range(3)\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    """One server for all tests here, so that its worker starts Spark once."""
    with (
        pytest.MonkeyPatch.context() as patch,
        local_workspace(tmp_path_factory.mktemp("workspace")) as workspace,
    ):
        for name, value in {**workspace.variables, "NO_PROXY": "127.0.0.1"}.items():
            patch.setenv(name, value)
        yield workspace


def deployed() -> DeployedPipeline:
    return find(connect(None), "insurance-prod")


def finished(update_id: str) -> str:
    """The state in which an update of `running` ends."""
    return deployed().follow(update_id, lambda event: None, pause=0.2)


def events(workspace: LocalWorkspace, update_id: str) -> list[PipelineEvent]:
    """The events of an update, newest first."""
    condition = f"update_id = '{update_id}'"
    return list(workspace.client.pipelines.list_pipeline_events("insurance", filter=condition))


def wait_for_worker(pipelines: PipelinesAPI, update_id: str) -> None:
    """Waits until the worker has the update in its hands."""
    state: UpdateInfoState | None = UpdateInfoState.QUEUED
    while state is UpdateInfoState.QUEUED:
        update = pipelines.get_update("insurance", update_id).update
        state = update.state if update else None
    assert state is UpdateInfoState.INITIALIZING


def version(workspace: LocalWorkspace, table: str) -> int:
    return delta_version(workspace.storage / "tables" / "main" / "claims" / table)


def test_an_update_runs_and_no_other_starts_meanwhile(running: LocalWorkspace) -> None:
    """W10, W11, W12"""
    running.write(ONE_TABLE.format(name="orders"))
    pipelines = running.client.pipelines
    update_id = pipelines.start_update("insurance").update_id or ""
    assert str(pipelines.get("insurance").state) == "PipelineState.STARTING"
    with pytest.raises(ResourceConflict, match=update_id):
        pipelines.start_update("insurance")
    assert finished(update_id) == "COMPLETED"
    assert str(pipelines.get("insurance").state) == "PipelineState.IDLE"
    assert version(running, "orders") >= 0
    updates = pipelines.list_updates("insurance").updates or ()
    assert [each.update_id for each in updates].count(update_id) == 1


def test_a_remote_run_shows_the_progress_of_a_local_run(running: LocalWorkspace) -> None:
    """W13: the journal holds what was asked for."""
    running.write(ONE_TABLE.format(name="payments") + ONE_TABLE.format(name="parties"))
    result = dlt_local("remote", "run", "--bundle", running.folder, "--full-refresh", "payments")
    assert (result.code, result.err) == (0, "")
    assert result.lines[0].split()[:4] == ["completed", "claims.payments", "3", "rows"]
    assert result.lines[1].startswith("Update completed in ")
    latest = deployed().latest_update()
    update = running.client.pipelines.get_update("insurance", latest).update
    assert update and update.full_refresh_selection == ["payments"]
    assert str(update.cause) == "UpdateInfoCause.API_CALL"
    assert (version(running, "payments") >= 0, version(running, "parties")) == (True, -1)


def test_a_job_runs_an_update_with_its_parameters(running: LocalWorkspace) -> None:
    """W37: a failed task, and its cause, is the end of the run."""
    running.write(ONE_TABLE.format(name="jobs") + ONE_TABLE.format(name="others"))
    update = Task("update", pipeline_task=PipelineTask("insurance"))
    after = [TaskDependency("update")]
    sql = Task("reconcile", depends_on=after, sql_task=SqlTask("1"))
    jobs = running.client.jobs
    first = jobs.create(name="[dev ada] insurance-refresh", tasks=[update]).job_id or 0
    command = ("remote", "run", "--job", "refresh", "--bundle", running.folder)
    result = dlt_local(*command, "--refresh", "jobs")
    assert (result.code, result.err, result.lines[-1]) == (0, "", "task update: SUCCESS")
    assert result.lines[0].split()[:2] == ["completed", "claims.jobs"]
    latest = deployed().latest_update()
    info = running.client.pipelines.get_update("insurance", latest).update
    assert info and (info.refresh_selection, str(info.cause)) == (
        ["jobs"],
        "UpdateInfoCause.JOB_TASK",
    )
    jobs.reset(first, JobSettings(name="insurance-refresh", tasks=[update, sql]))
    result = dlt_local(*command, "--json")
    assert (result.code, "reconcile" in result.err) == (1, True)
    states = [json.loads(line)["details"].get("update_progress") for line in result.lines]
    assert states[-1] == {"state": "COMPLETED"}


def test_a_canceled_run_stops_its_update(running: LocalWorkspace) -> None:
    endless = "    return spark.range(10**15).selectExpr('sum(hash(id)) AS total')\n"
    running.write(f"import dlt\n@dlt.table\ndef unending():\n{endless}")
    jobs, pipeline = running.client.jobs, deployed()
    tasks = [Task("update", pipeline_task=PipelineTask("insurance"))]
    job_id = jobs.create(name="endless", tasks=tasks).job_id or 0
    started = jobs.run_now(job_id)
    while pipeline.state_of(pipeline.latest_update()) != "RUNNING":
        assert started.response
    jobs.cancel_run(started.run_id)
    run = started.result()
    assert run.state and str(run.state.result_state) == "RunResultState.CANCELED"


def test_the_tables_of_a_file_are_selected(running: LocalWorkspace) -> None:
    """W14"""
    running.write(ONE_TABLE.format(name="of_first_file"))
    other = running.folder / "src" / "other.py"
    other.write_text(ONE_TABLE.format(name="of_other_file"))
    pipelines = running.client.pipelines
    for path, state in ((other, "COMPLETED"), (other.with_name("no.py"), "FAILED")):
        update = pipelines.start_update("insurance", refresh_selection_by_path=[str(path)])
        assert finished(update.update_id or "") == state
    other.unlink()
    assert (version(running, "of_first_file"), version(running, "of_other_file") >= 0) == (-1, True)


def test_validation_writes_no_table(running: LocalWorkspace) -> None:
    """W15"""
    running.write(ONE_TABLE.format(name="valued"))
    assert dlt_local("remote", "run", "--validate", "--bundle", running.folder).code == 0
    assert version(running, "valued") == -1
    update = running.client.pipelines.get_update("insurance", deployed().latest_update()).update
    assert update and update.validate_only


def test_wrong_definitions_are_told_in_the_events(running: LocalWorkspace) -> None:
    """W15, W16, W43"""
    running.write("import dlt\n@dlt.table\ndef orders():\n    return spark.table('nowhere')\n")
    result = dlt_local("remote", "run", "--bundle", running.folder)
    assert result.code == 1
    pipeline = running.client.pipelines.get("insurance")
    assert (str(pipeline.state), "nowhere" in (pipeline.cause or "")) == (
        "PipelineState.IDLE",
        True,
    )
    error = events(running, deployed().latest_update())[0].error
    assert error and error.exceptions
    assert "tables.py:" in (error.exceptions[0].message or "")


def test_a_created_pipeline_runs_into_its_own_schema(running: LocalWorkspace) -> None:
    """W42, in part: it waits for the update of another pipeline."""
    running.write(ONE_TABLE.format(name="first"))
    source = running.folder / "made.sql"
    source.write_text("CREATE MATERIALIZED VIEW second AS SELECT 1 AS one")
    pipelines = running.client.pipelines
    code = [PipelineLibrary(file=FileLibrary(path=str(source)))]
    created_id = pipelines.create(name="made", schema="made", libraries=code).pipeline_id or ""
    updates = [pipelines.start_update(each).update_id or "" for each in ("insurance", created_id)]
    assert str(pipelines.get(created_id).state) == "PipelineState.STARTING"
    ends = [
        DeployedPipeline(running.client, each, "").follow(update, lambda event: None, pause=0.2)
        for each, update in zip(("insurance", created_id), updates, strict=True)
    ]
    assert ends == ["COMPLETED", "COMPLETED"]
    assert delta_version(running.storage / "tables" / "main" / "made" / "second") >= 0


def test_ctrl_c_leaves_an_update_running_until_it_is_stopped(running: LocalWorkspace) -> None:
    """W17"""
    endless = "    return spark.range(10**15).selectExpr('sum(hash(id)) AS total')\n"
    running.write(f"import dlt\n@dlt.table\ndef endless():\n{endless}")
    pipeline, earlier = deployed(), deployed().latest_update()

    def interrupt() -> None:
        """Presses Ctrl-C as soon as the update runs."""
        while (update_id := pipeline.latest_update()) == earlier or (
            pipeline.state_of(update_id) != "RUNNING"
        ):
            assert update_id == earlier or pipeline.state_of(update_id) not in ENDED
        signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)

    thread = Thread(target=interrupt)
    thread.start()
    result = dlt_local("remote", "run", "--bundle", running.folder)
    thread.join()
    assert (result.code, "goes on in the workspace" in result.err) == (1, True)
    update_id = pipeline.latest_update()
    assert pipeline.state_of(update_id) == "RUNNING"
    pipeline.stop()
    assert finished(update_id) == "CANCELED"
    pipeline.stop()  # nothing is active


def test_an_update_that_ignores_the_stop_is_killed(tmp_path: Path, spark: SparkSession) -> None:
    """W18"""
    loaded = tmp_path / "loaded"
    with local_workspace(tmp_path, grace=0.1) as workspace:
        workspace.write(
            "import pathlib, signal\n"
            "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
            f"pathlib.Path({str(loaded)!r}).touch()\n"
            "while True: pass\n"
        )
        pipelines = workspace.client.pipelines
        update_id = pipelines.start_update("insurance").update_id or ""
        while not loaded.exists():
            wait_for_worker(pipelines, update_id)
        pipelines.stop("insurance")
        pipeline = DeployedPipeline(workspace.client, "insurance", "insurance-prod")
        assert pipeline.follow(update_id, lambda event: None, pause=0.2) == "CANCELED"
        workspace.write(ONE_TABLE.format(name="orders"))
        storage = ("--storage", workspace.storage)
        assert dlt_local("run", "--bundle", tmp_path, *storage).code == 0
        assert version(workspace, "orders") >= 0


def test_an_update_survives_the_end_of_its_server(tmp_path: Path) -> None:
    """W19: the next server lists what the worker of a killed one has done."""
    proceed = tmp_path / "proceed"
    with local_workspace(tmp_path) as next_server:
        next_server.write(
            f"import pathlib, dlt\nwhile not pathlib.Path({str(proceed)!r}).exists(): pass\n"
            + ONE_TABLE.format(name="orders")
        )
        storage = ("--storage", str(next_server.storage))
        command = ("serve", "--bundle", str(tmp_path), "--port", "0", "--token", TOKEN, *storage)
        server = subprocess.Popen(
            [sys.executable, "-m", "local_shim", *command], stdout=subprocess.PIPE, text=True
        )
        with server:
            assert server.stdout
            host = server.stdout.readline().split()[-1]
            pipelines = WorkspaceClient(host=host, token=TOKEN).pipelines
            update_id = pipelines.start_update("insurance").update_id or ""
            wait_for_worker(pipelines, update_id)
            server.kill()
        proceed.touch()
        deadline = time.monotonic() + 120
        while not next_server.pipelines.history("insurance").has(update_id):
            assert time.monotonic() < deadline
        pipeline = DeployedPipeline(next_server.client, "insurance", "insurance-prod")
        assert pipeline.follow(update_id, lambda event: None, pause=0.2) == "COMPLETED"
        assert version(next_server, "orders") >= 0
