"""The connection to a workspace; databricks-sdk alone finds its host and the credentials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local_shim.errors import SetupError, ShimError

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

# The SDK waits five minutes for a host that does not answer, also while it is constructed.
_RETRY_SECONDS = 30


class WorkspaceError(ShimError):
    """The workspace was reached, and refused the request."""


def connect(profile: str | None) -> WorkspaceClient:
    """A client for the workspace of `profile`, or of the SDK's environment variables.

    There is no other host to fall back to. Raises SetupError without the SDK or a sign-in.
    """
    try:
        from databricks.sdk import WorkspaceClient
        from databricks.sdk.core import Config
    except ModuleNotFoundError:
        raise SetupError(
            "SDK_NOT_INSTALLED",
            "a workspace is reached through the package databricks-sdk, which is not installed.",
            hint="pip install 'insurance-dlt[deploy]'",
        ) from None
    with workspace_errors():
        config = Config(profile=profile, retry_timeout_seconds=_RETRY_SECONDS)
        return WorkspaceClient(config=config)


@contextmanager
def workspace_errors() -> Iterator[None]:
    """Turns errors of the SDK into ours, with the message of the workspace."""
    from databricks.sdk.errors.base import DatabricksError

    try:
        yield
    except DatabricksError as error:
        code = error.error_code or "WORKSPACE_REFUSED"
        raise WorkspaceError(code, f"The workspace says: {error}") from None
    except ValueError as error:  # raised by the SDK for a configuration without credentials
        raise SetupError(
            "NO_SIGN_IN",
            str(error).splitlines()[0],
            hint="set DATABRICKS_HOST, or give --profile with a profile of ~/.databrickscfg",
        ) from None
    except (OSError, TimeoutError) as error:
        raise SetupError(
            "WORKSPACE_UNREACHABLE", f"The workspace does not answer: {error}."
        ) from None
