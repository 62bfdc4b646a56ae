"""A workspace on 127.0.0.1 that answers the unmodified SDK, and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROOT = "/api/2.0/pipelines"


@dataclass
class Loopback:
    """The pipelines of the workspace, the states that an update passes, and its events by page."""

    names: tuple[str, ...] = ("insurance-prod",)
    states: list[str] = field(default_factory=lambda: ["COMPLETED"])
    pages: tuple[tuple[str, ...], ...] = (("Update u1 is COMPLETED.",),)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    url: str = ""

    def answer(self, method: str, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        if path == "/.well-known/databricks-config":
            return 200, {"oidc_endpoint": f"{self.url}/oidc"}
        if path == ROOT:
            return 200, {"statuses": [{"pipeline_id": f"p-{n}", "name": n} for n in self.names]}
        if path.endswith("/updates") and method == "POST":
            return 200, {"update_id": "u1"}
        if "/updates/" in path:
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return 200, {"update": {"update_id": "u1", "state": state}}
        if path.endswith("/events"):
            return 200, self._page(int(query.get("page_token", ["0"])[0]))
        if path.endswith("/stop"):
            return 200, {}
        updates = [{"update_id": "u1", "state": "FAILED", "creation_time": "2026-01-01T00:00:00Z"}]
        if path.startswith(f"{ROOT}/p-"):
            return 200, {"pipeline_id": "p", "state": "IDLE", "latest_updates": updates}
        return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"no {path}"}

    def _page(self, number: int) -> dict[str, Any]:
        events = [
            {
                "id": f"{number}-{place}",
                "timestamp": "2026-01-01T00:00:00.000Z",
                "level": "INFO",
                "event_type": "update_progress",
                "message": message,
                "details": {"update_progress": {}},
            }
            for place, message in enumerate(self.pages[number])
        ]
        more = {"next_page_token": str(number + 1)} if number + 1 < len(self.pages) else {}
        return {"events": events, **more}

    def bodies(self, method: str, end: str) -> list[Any]:
        return [body for verb, path, body in self.requests if verb == method and path.endswith(end)]


@contextmanager
def serving(loopback: Loopback) -> Iterator[Loopback]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def _answer(self, method: str) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            loopback.requests.append((method, parts.path, body))
            status, document = loopback.answer(method, parts.path, parse_qs(parts.query))
            payload = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing on the terminal of the tests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        loopback.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield loopback
        finally:
            server.shutdown()
            thread.join()
