"""`dlt-local remote` against a workspace on this machine, with the unmodified SDK.

Updates that the workspace carries out are in tests/local_shim/workspace/test_updates.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("databricks.sdk")

from databricks.sdk.service.jobs import PipelineTask, Task

from tests.local_shim.cli.command import Result, dlt_local
from tests.local_shim.workspace.local_workspace import LocalWorkspace, local_workspace


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalWorkspace]:
    """A workspace, to which the SDK's own environment variables lead."""
    with local_workspace(tmp_path) as serving:
        for name, value in {**serving.variables, "NO_PROXY": "127.0.0.1"}.items():
            monkeypatch.setenv(name, value)
        yield serving


@pytest.fixture
def remote(workspace: LocalWorkspace) -> Callable[..., Result]:
    return lambda *arguments: dlt_local("remote", *arguments, "--bundle", workspace.folder)


@pytest.mark.parametrize(("state", "code"), [("COMPLETED", 0), ("FAILED", 1), ("CANCELED", 1)])
def test_logs_end_with_the_result(
    workspace: LocalWorkspace, remote: Callable[..., Result], state: str, code: int
) -> None:
    workspace.journal("u1", "RUNNING", state)
    result = remote("logs")
    assert result.code == code
    assert [line.split("Z  ")[1].split(maxsplit=2)[2] for line in result.lines] == [
        "made",
        "Update u1 is RUNNING.",
        f"Update u1 is {state}.",
    ]


def test_events_keep_their_details_in_json(
    workspace: LocalWorkspace, remote: Callable[..., Result]
) -> None:
    workspace.journal("u1", "COMPLETED")
    details = json.loads(remote("logs", "--json").lines[1])["details"]
    assert details == {"update_progress": {"state": "COMPLETED"}}


def test_all_pages_of_events_are_shown(
    workspace: LocalWorkspace, remote: Callable[..., Result]
) -> None:
    workspace.journal("u1", *["RUNNING"] * 300, "COMPLETED")
    assert len(remote("logs").lines) == 302


def test_logs_need_an_update(remote: Callable[..., Result]) -> None:
    result = remote("logs")
    assert (result.code, "[NO_UPDATE]" in result.err) == (2, True)


def test_status_lists_the_latest_updates(
    workspace: LocalWorkspace, remote: Callable[..., Result]
) -> None:
    workspace.journal("u1", "FAILED")
    first, second = remote("status").lines
    assert first == "insurance-prod  IDLE"
    assert second.split()[:2] == ["u1", "FAILED"]


def test_stop_without_an_update_does_nothing(remote: Callable[..., Result]) -> None:
    assert remote("stop").code == 0


@pytest.mark.parametrize(
    ("pipelines", "condition"),
    [
        ((), "PIPELINE_NOT_DEPLOYED"),
        (("[dev ada] insurance-test", "[dev bob] insurance-test"), "PIPELINE_AMBIGUOUS"),
    ],
)
def test_a_pipeline_that_cannot_be_told_is_an_error(
    workspace: LocalWorkspace, pipelines: tuple[str, ...], condition: str
) -> None:
    result = status_of_test_pipeline(workspace, *pipelines)
    assert (result.code, condition in result.err) == (2, True)


def test_a_development_pipeline_is_found_behind_its_prefix(workspace: LocalWorkspace) -> None:
    result = status_of_test_pipeline(workspace, "[dev ada] insurance-test")
    assert result.lines[0] == "[dev ada] insurance-test  IDLE"


def status_of_test_pipeline(workspace: LocalWorkspace, *pipelines: str) -> Result:
    """`remote status` of a bundle that calls its pipeline insurance-test."""
    for pipeline in pipelines:
        workspace.journal("u1", "COMPLETED", pipeline=pipeline)
    other = workspace.folder / "other"
    other.mkdir()
    text = (workspace.folder / "databricks.yml").read_text()
    text = text.replace("insurance-prod", "insurance-test").replace("src/**", "../src/**")
    (other / "databricks.yml").write_text(text)
    return dlt_local("remote", "status", "--bundle", other)


@pytest.mark.parametrize(
    ("arguments", "condition"),
    [
        (("run", "--job", "refresh"), "JOB_NOT_DEPLOYED"),
        (("run", "--job", "refersh"), "did you mean 'refresh'"),
        (("run", "--job", "refresh", "--validate"), "OPTION_CONFLICT"),
        (("stop", "--job", "refersh"), "UNKNOWN_JOB"),
    ],
)
def test_a_job_that_cannot_run_is_an_error(
    remote: Callable[..., Result], arguments: tuple[str, ...], condition: str
) -> None:
    result = remote(*arguments)
    assert (result.code, condition in result.err) == (2, True)


def test_a_job_takes_no_predicates_and_stops(
    workspace: LocalWorkspace, remote: Callable[..., Result]
) -> None:
    tasks = [Task("update", pipeline_task=PipelineTask("nowhere"))]
    job_id = workspace.client.jobs.create(name="insurance-refresh", tasks=tasks).job_id or 0
    result = remote("run", "--job", "refresh", "--replace-where", "orders=day = 1")
    assert (result.code, "OPTION_CONFLICT" in result.err) == (2, True)
    run_id = str(workspace.client.jobs.run_now(job_id).run_id)
    assert remote("stop", "--job", "refresh").code == 0
    assert workspace.server.workspace.runs.get(run_id).canceled.is_set()


def test_what_the_workspace_refuses_is_shown_in_its_words(
    workspace: LocalWorkspace, remote: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", "wrong")
    result = remote("status")
    assert (result.code, "The workspace says: the token" in result.err) == (2, True)


def test_without_a_sign_in_nothing_is_asked(
    remote: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("DATABRICKS_AUTH_TYPE", "pat")
    result = remote("run")
    assert (result.code, "[NO_SIGN_IN]" in result.err) == (2, True)


def test_a_difference_to_the_local_run_is_a_table_and_exit_code_one(
    workspace: LocalWorkspace, remote: Callable[..., Result], tmp_path: Path
) -> None:
    workspace.journal("u1", "COMPLETED")
    journal = tmp_path / "local" / "system" / "journal" / "insurance"
    journal.mkdir(parents=True)
    event = {
        "timestamp": "2026-07-01T00:00:00.000000Z",
        "event_type": "flow_progress",
        "level": "METRICS",
        "origin": {"flow_name": "orders"},
        "details": {"flow_progress": {"metrics": {"num_output_rows": 7}}},
    }
    (journal / "u0.jsonl").write_text(json.dumps(event) + "\n")
    result = remote("diff", "--storage", tmp_path / "local")
    assert (result.code, result.lines[-1].split()[:3]) == (1, ["orders", "num_output_rows", "7"])


def test_updates_that_counted_the_same_do_not_differ(
    workspace: LocalWorkspace, remote: Callable[..., Result]
) -> None:
    workspace.journal("u1", "COMPLETED")
    result = remote("diff", "--storage", workspace.storage)
    assert result.lines == ["no difference in 0 figures."]
