"""The HTTP server on 127.0.0.1: checks who sends a request, reads and writes JSON.

Any web page can send requests to 127.0.0.1, also through a host name of its own. A request must
therefore name this machine in its Host header and carry the token of the storage.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import shlex
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from local_shim.durable_files import read_text
from local_shim.errors import SetupError, ShimError, UpdateActive
from local_shim.workspace.api_error import ApiError, wrong_value
from local_shim.workspace.jobs.job_runs import JobRuns
from local_shim.workspace.pipelines import Pipelines
from local_shim.workspace.routes.answer import answer
from local_shim.workspace.routes.call import Workspace

ADDRESS = "127.0.0.1"
_HOSTS = (ADDRESS, "localhost", "[::1]")
_WITHOUT_TOKEN = "/.well-known/databricks-config"
_LARGEST_BODY = 10_000_000  # bytes


class WorkspaceServer(ThreadingTCPServer):
    """Answers the requests of clients that have the token; port 0 takes any free port.

    Raises SetupError if the port is not available. HTTPServer is not used, because it resolves the
    name of 127.0.0.1 over the network.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, pipelines: Pipelines, token: str, port: int = 0):
        self.workspace = Workspace(pipelines, JobRuns(pipelines))
        self.token = token
        try:
            super().__init__((ADDRESS, port), _Handler)
        except (OSError, OverflowError) as error:
            raise SetupError(
                "PORT_NOT_AVAILABLE",
                f"port {port} of {ADDRESS} is not available: {error}.",
                hint="--port 0 takes any free port",
            ) from None

    @property
    def url(self) -> str:
        """The address with the scheme, without which databricks-sdk would take https."""
        return f"http://{ADDRESS}:{self.server_address[1]}"


def stored_token(storage: Path) -> str:
    """The token of a storage, made at the first call; only its owner may read the file."""
    path = storage / "system" / "token"
    token = read_text(path)
    if not token:  # also after a kill between the creation of the file and its content
        token = secrets.token_hex(32)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(token)
    return token


def environment(port: int, token: str) -> str:
    """Shell commands after which databricks-sdk sends its requests to this server only."""
    variables = {
        "DATABRICKS_HOST": f"http://{ADDRESS}:{port}",
        "DATABRICKS_TOKEN": token,
        "DATABRICKS_AUTH_TYPE": "pat",  # also if the environment has other credentials
        "NO_PROXY": f"{ADDRESS},localhost",
    }
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join([*exports, "unset DATABRICKS_CONFIG_PROFILE"])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WorkspaceServer

    def _answer(self) -> None:
        try:
            document = self._document()
            self._send(200, document)
        except ApiError as error:
            self._send(error.status, error.document)
        except ShimError as error:  # such as a bundle that cannot be read
            status = 409 if isinstance(error, UpdateActive) else 400
            self._send(status, ApiError(status, error.condition, str(error)).document)
        except (TypeError, KeyError, AttributeError) as error:  # a value of an unexpected type
            self._send(400, wrong_value(f"the request cannot be read: {error!r}").document)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _answer

    def _document(self) -> dict[str, Any]:
        body = self.rfile.read(
            self._length()
        )  # also of a refused request: the connection stays open
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        self._check_host()
        if path != _WITHOUT_TOKEN:
            self._check_token()
        query = parse_qs(parts.query, keep_blank_values=True)
        return answer(self.server.workspace, self.command, path, query, _json(body))

    def _length(self) -> int:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > _LARGEST_BODY:
            self.close_connection = True
            raise wrong_value(f"a request has at most {_LARGEST_BODY} bytes.")
        return int(length)

    def _check_host(self) -> None:
        host = self.headers.get("Host", "")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if name not in _HOSTS:
            raise wrong_value(f"the Host header names '{host}', not {ADDRESS}.")

    def _check_token(self) -> None:
        authorization = self.headers.get("Authorization", "")
        if not hmac.compare_digest(authorization.encode(), f"Bearer {self.server.token}".encode()):
            raise ApiError(401, "UNAUTHENTICATED", "the token is missing or not that of the server")

    def _send(self, status: int, document: dict[str, Any]) -> None:
        payload = json.dumps(document, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.send_header("X-Databricks-Org-Id", "1")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)

    def log_message(self, format: str, *arguments: object) -> None:
        """Logs nothing: a path or a header may hold a secret."""


def _json(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        content = json.loads(body)
    except ValueError as error:
        raise ApiError(400, "MALFORMED_REQUEST", f"the body is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise ApiError(400, "MALFORMED_REQUEST", "the body is not a JSON object")
    return content
