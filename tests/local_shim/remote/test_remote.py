"""`dlt-local remote` against a workspace on this machine, with the unmodified SDK."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from local_shim.graph.plan import RefreshSelection
from local_shim.remote.connection import connect
from local_shim.remote.pipeline import find
from tests.local_shim.cli.command import Result, dlt_local
from tests.local_shim.remote.loopback import Loopback, serving

pytest.importorskip("databricks.sdk")

Serve = Callable[..., Loopback]
BUNDLE = """\
bundle: {name: insurance}
resources:
  pipelines:
    insurance:
      name: insurance-prod
      libraries: [{glob: {include: src/**}}]
"""


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Serve]:
    """Starts a workspace, to which the SDK's own environment variables lead."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "tables.py").touch()
    (tmp_path / "databricks.yml").write_text(BUNDLE)
    with ExitStack() as servers:

        def start(**answers: Any) -> Loopback:
            loopback = servers.enter_context(serving(Loopback(**answers)))
            monkeypatch.setenv("DATABRICKS_HOST", loopback.url)
            monkeypatch.setenv("DATABRICKS_TOKEN", "local")
            monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            return loopback

        yield start


@pytest.fixture
def remote(tmp_path: Path) -> Callable[..., Result]:
    return lambda *arguments: dlt_local("remote", *arguments, "--bundle", tmp_path)


def test_a_run_shows_the_events_and_ends_with_the_result(
    serve: Serve, remote: Callable[..., Result]
) -> None:
    serve(pages=(("Update u1 is RUNNING.",), ("Update u1 is COMPLETED.",)))
    result = remote("run")
    assert result.code == 0
    assert [line.split("update_progress")[1].strip() for line in result.lines] == [
        "Update u1 is RUNNING.",
        "Update u1 is COMPLETED.",
    ]


@pytest.mark.parametrize("state", ["FAILED", "CANCELED"])
def test_a_run_that_does_not_complete_exits_with_one(
    serve: Serve, remote: Callable[..., Result], state: str
) -> None:
    serve(states=[state])
    assert remote("run").code == 1


def test_the_selection_is_sent_as_it_was_given(serve: Serve, remote: Callable[..., Result]) -> None:
    loopback = serve()
    remote(
        *("run", "--refresh", "a,b", "--full-refresh", "c", "--validate"),
        *("--replace-where", "d=day > 1"),
    )
    assert loopback.bodies("POST", "/updates") == [
        {
            "refresh_selection": ["a", "b"],
            "full_refresh_selection": ["c"],
            "replace_where_overrides": [{"flow_name": "d", "predicate_override": "day > 1"}],
            "validate_only": True,
        }
    ]


def test_events_keep_their_details_in_json(serve: Serve, remote: Callable[..., Result]) -> None:
    serve()
    assert json.loads(remote("logs", "--json").lines[0])["details"] == {"update_progress": {}}


def test_an_update_is_followed_until_it_ends_and_each_event_is_shown_once(serve: Serve) -> None:
    serve(states=["QUEUED", "RUNNING", "COMPLETED"], pages=(("one", "two"),))
    pipeline = find(connect(None), "insurance-prod")
    shown: list[Any] = []
    state = pipeline.follow(pipeline.start(RefreshSelection(), False), shown.append, pause=0)
    assert (state, [event["message"] for event in shown]) == ("COMPLETED", ["one", "two"])


def test_status_lists_the_latest_updates(serve: Serve, remote: Callable[..., Result]) -> None:
    serve()
    assert remote("status").lines == [
        "insurance-prod  IDLE",
        "  u1  FAILED     2026-01-01T00:00:00Z",
    ]


def test_stop_stops_the_pipeline(serve: Serve, remote: Callable[..., Result]) -> None:
    loopback = serve()
    assert remote("stop").code == 0
    assert len(loopback.bodies("POST", "/p-insurance-prod/stop")) == 1


def test_a_development_pipeline_is_found_behind_its_prefix(
    serve: Serve, remote: Callable[..., Result]
) -> None:
    serve(names=("[dev ada] insurance-prod",))
    assert remote("status").lines[0].startswith("[dev ada] insurance-prod")


@pytest.mark.parametrize(
    ("names", "condition"),
    [
        ((), "PIPELINE_NOT_DEPLOYED"),
        (("[dev ada] insurance-prod", "[dev bob] insurance-prod"), "PIPELINE_AMBIGUOUS"),
    ],
)
def test_a_pipeline_that_cannot_be_told_is_an_error(
    serve: Serve, remote: Callable[..., Result], names: tuple[str, ...], condition: str
) -> None:
    serve(names=names)
    result = remote("run")
    assert (result.code, condition in result.err) == (2, True)


def test_without_a_sign_in_nothing_is_asked(
    serve: Serve, remote: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    loopback = serve()
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("DATABRICKS_AUTH_TYPE", "pat")
    result = remote("run")
    assert (result.code, "[NO_SIGN_IN]" in result.err) == (2, True)
    assert loopback.bodies("POST", "/updates") == []


def test_a_difference_to_the_local_run_is_a_table_and_exit_code_one(
    serve: Serve, remote: Callable[..., Result], tmp_path: Path
) -> None:
    serve()
    journal = tmp_path / "storage" / "system" / "journal" / "insurance"
    journal.mkdir(parents=True)
    event = {
        "event_type": "flow_progress",
        "level": "METRICS",
        "origin": {"flow_name": "orders"},
        "details": {"flow_progress": {"metrics": {"num_output_rows": 7}}},
    }
    (journal / "u0.jsonl").write_text(json.dumps(event) + "\n")
    result = remote("diff", "--storage", tmp_path / "storage")
    assert (result.code, result.lines[-1].split()[:3]) == (1, ["orders", "num_output_rows", "7"])


def test_updates_that_counted_the_same_do_not_differ(
    serve: Serve, remote: Callable[..., Result], tmp_path: Path
) -> None:
    serve()
    journal = tmp_path / "storage" / "system" / "journal" / "insurance"
    journal.mkdir(parents=True)
    (journal / "u0.jsonl").write_text("")
    assert remote("diff", "--storage", tmp_path / "storage").lines == [
        "no difference in 0 figures."
    ]
