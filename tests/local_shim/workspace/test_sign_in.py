"""Who may ask, and what is answered to requests that are not served."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

pytest.importorskip("databricks.sdk")

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotImplemented, Unauthenticated
from databricks.sdk.service.pipelines import RewindSpec

from local_shim.workspace.server import environment, stored_token
from tests.local_shim.cli.command import dlt_local
from tests.local_shim.workspace.local_workspace import TOKEN, LocalWorkspace


def answer(
    workspace: LocalWorkspace,
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, str]]:
    """Status and document of a plain request with the right token."""
    connection = http.client.HTTPConnection(workspace.url.removeprefix("http://"))
    try:
        connection.request(
            method, path, body, {"Authorization": f"Bearer {TOKEN}", **(headers or {})}
        )
        response = connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else {}
    finally:
        connection.close()


def test_a_client_with_host_and_token_signs_in(workspace: LocalWorkspace) -> None:
    """W1"""
    me = workspace.client.current_user.me()
    assert (me.active, (me.user_name or "").endswith("@localhost")) == (True, True)


@pytest.mark.parametrize("token", ["wrong", TOKEN + "x"])
def test_a_wrong_token_is_refused(workspace: LocalWorkspace, token: str) -> None:
    """W2"""
    with pytest.raises(Unauthenticated):
        WorkspaceClient(host=workspace.url, token=token).current_user.me()


def test_another_host_is_refused_whatever_the_token(workspace: LocalWorkspace) -> None:
    """W2"""
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example:80"):
        status, document = answer(workspace, "GET", "/api/2.0/pipelines", headers={"Host": host})
        assert (status, host in document["message"]) == (400, True)
    assert answer(workspace, "GET", "/api/2.0/pipelines", headers={"Host": "localhost:1"})[0] == 200


def test_what_is_not_served_is_not_implemented_and_asked_once(workspace: LocalWorkspace) -> None:
    """W26"""
    with pytest.raises(NotImplemented, match=r"GET /api/2.0/pipelines/\{id\}/events"):
        list(workspace.client.clusters.list())


def test_there_is_nothing_to_install(workspace: LocalWorkspace) -> None:
    workspace.client.pipelines.apply_environment("insurance")


def test_a_rewind_is_not_implemented(workspace: LocalWorkspace) -> None:
    with pytest.raises(NotImplemented, match="rewind"):
        workspace.client.pipelines.start_update("insurance", rewind_spec=RewindSpec())


def test_a_wrong_method_names_those_allowed(workspace: LocalWorkspace) -> None:
    """W26"""
    status, document = answer(workspace, "PATCH", "/api/2.0/pipelines/insurance/updates")
    assert (status, document["message"].split(" takes ")[1]) == (405, "GET, POST, not PATCH.")
    assert answer(workspace, "HEAD", "/api/2.0/pipelines/insurance/stop")[0] == 405


@pytest.mark.parametrize("body", [b"{", b"[1]"])
def test_a_body_that_is_no_object_is_refused(workspace: LocalWorkspace, body: bytes) -> None:
    status, document = answer(workspace, "POST", "/api/2.0/pipelines/insurance/stop", body)
    assert (status, document["error_code"]) == (400, "MALFORMED_REQUEST")


def test_a_wrong_field_of_an_update_is_named(workspace: LocalWorkspace) -> None:
    """W5, for updates: nothing is started."""
    wrong = {
        b'{"full_refesh": true}': "did you mean 'full_refresh'",
        b'{"refresh_selection": "a,b"}': "'refresh_selection' of an update is a list",
        b'{"replace_where_overrides": [{"flow": "a"}]}': "the request cannot be read",
    }
    for body, message in wrong.items():
        path = "/api/2.0/pipelines/insurance/updates"
        status, document = answer(workspace, "POST", path, body)
        assert (status, message in document["message"]) == (400, True)
    assert workspace.get("pipelines/insurance/updates")["updates"] == []


def test_a_body_without_an_end_is_refused(workspace: LocalWorkspace) -> None:
    length = {"Content-Length": "99999999"}
    status, _ = answer(workspace, "POST", "/api/2.0/pipelines/insurance/stop", headers=length)
    assert status == 400


def test_a_bundle_that_cannot_be_read_is_the_answer(workspace: LocalWorkspace) -> None:
    (workspace.folder / "databricks.yml").write_text("bundle: {name: x}\n")
    status, document = answer(workspace, "GET", "/api/2.0/pipelines")
    assert (status, document["error_code"]) == (400, "NO_PIPELINE")
    assert answer(workspace, "GET", "/api/2.0/pipelines/insurance/updates")[0] == 200


def test_the_token_of_a_storage_stays_and_is_its_owners(tmp_path: Path) -> None:
    token = stored_token(tmp_path)
    assert (len(token), stored_token(tmp_path)) == (64, token)
    assert os.stat(tmp_path / "system" / "token").st_mode & 0o777 == 0o600


def test_the_variables_are_enough_in_any_environment(workspace: LocalWorkspace) -> None:
    """W29: a proxy, a profile and another way to sign in do not lead elsewhere."""
    port = int(workspace.url.rpartition(":")[2])
    program = "from databricks.sdk import WorkspaceClient as W; print(W().current_user.me().id)"
    script = f'{environment(port, TOKEN)}\nexec "$PYTHON" -c "$PROGRAM"'
    foreign = {
        "HTTP_PROXY": "http://127.0.0.1:9",
        "DATABRICKS_CONFIG_PROFILE": "elsewhere",
        "DATABRICKS_CLIENT_ID": "somebody",
    }
    process = subprocess.run(
        ["sh", "-c", script],
        env={**os.environ, **foreign, "PYTHON": sys.executable, "PROGRAM": program},
        capture_output=True,
        text=True,
    )
    assert (process.stdout, process.stderr) == ("1\n", "")


@pytest.mark.parametrize("port", ["", "99999"])
def test_a_port_that_cannot_be_had_is_an_error(workspace: LocalWorkspace, port: str) -> None:
    used_port = port or workspace.url.rpartition(":")[2]
    serve = ("serve", "--storage", "storage", "--port", used_port)
    result = dlt_local(*serve, folder=workspace.folder)
    assert (result.code, "[PORT_NOT_AVAILABLE]" in result.err) == (2, True)


def test_the_command_prints_the_variables(workspace: LocalWorkspace) -> None:
    result = dlt_local("serve", "--env", "--storage", "storage", folder=workspace.folder)
    token = stored_token(workspace.storage)
    assert (result.code, result.out.strip()) == (0, environment(8321, token))
