"""The command that serves a storage as a workspace."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from local_shim.cli.options import Files, How, Select, Where, option, request, say

_PORT = 8321


def serve(
    *files: Files,
    where: Where = Where(),
    how: How = How(),
    port: Annotated[int, option("N", "Port on 127.0.0.1 (default: 8321; 0: any).")] = _PORT,
    token: Annotated[
        str | None, option("TEXT", "Token of clients (default: one kept in the storage).")
    ] = None,
    env: Annotated[
        bool, option(help="Print the variables that lead databricks-sdk here, and end.")
    ] = False,
) -> None:
    """Serve the REST API of pipelines on 127.0.0.1, until Ctrl-C."""
    from local_shim.workspace.pipelines import Pipelines
    from local_shim.workspace.server import WorkspaceServer, environment, stored_token

    first = request(files, where, Select(), how)  # what is wrong is told before the server starts
    token = token or stored_token(first.storage)
    if env:
        say(environment(port, token))
        return
    pipelines = Pipelines(
        first.storage,
        first.spec.key,
        lambda: request(files, where, Select(), how).spec,
        first.paths,
    )
    with WorkspaceServer(pipelines, token, port) as server, suppress(KeyboardInterrupt):
        say(f"serving '{first.spec.name}' on {server.url}")
        server.serve_forever()
    pipelines.queue.close()
