"""Arguments in, exit code out.

0 completed; 1 the update ran and failed; 2 wrong use, or definitions that do not resolve.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError

from local_shim.cli import deploy, dms, read, remote, report, serve, update
from local_shim.errors import FileSystemError, ShimError, UsageError
from local_shim.redaction import redacted

_COMMANDS: tuple[Callable[..., object], ...] = (
    update.run,
    update.plan,
    update.explain,
    read.events,
    report.report,
    report.graph,
    read.sql,
    read.export,
    deploy.deploy_check,
    serve.serve,
)


def command_line() -> App:
    """All commands and their options."""
    app = App(
        name="dlt-local",
        help="Run Delta Live Tables pipelines on this machine.",
        help_format="plaintext",
        version_flags=[],
        default_parameter=Parameter(negative=(), show_default=False),
        result_action="return_value",
        suppress_keyboard_interrupt=False,
        exit_on_error=False,
        print_error=False,
    )
    for place, command in enumerate(_COMMANDS):
        app.command(command, sort_key=place)
    app.command(remote.app)
    app.command(dms.app)
    return app


def main(arguments: Sequence[str]) -> int:
    """Carries out one command; an error of ours is one message on standard error."""
    try:
        return _call(arguments)
    except ShimError as error:
        return _refuse(error)
    except BrokenPipeError:  # the reader of the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _refuse(FileSystemError.of(error))
    except KeyboardInterrupt:
        print("stopped; run the same command to go on", file=sys.stderr)  # noqa: T201
        return 1


def _refuse(error: ShimError) -> int:
    print(redacted(str(error)), file=sys.stderr)  # noqa: T201
    return error.exit_code


def _call(arguments: Sequence[str]) -> int:
    app = command_line()
    if list(arguments) in ([], ["dms"], ["remote"]):
        commands = app[arguments[0]] if arguments else app
        listed = ", ".join(name for name in commands if not name.startswith("-"))
        raise UsageError("NO_COMMAND", f"give a command: {listed}.", hint="dlt-local --help")
    try:
        return app(_texts_last(arguments)) or 0
    except UnusedCliTokensError as error:
        unused = " ".join(error.unused_tokens or ())
        raise UsageError("WRONG_USE", f"one argument too many: '{unused}'.") from None
    except CycloptsError as error:
        raise UsageError("WRONG_USE", str(error)) from None


def _texts_last(arguments: Sequence[str]) -> list[str]:
    """SQL text may begin with a comment, `-- …`, and is no option then."""
    texts = [each for each in arguments if each.startswith("--") and " " in each.split("=")[0]]
    if not texts:
        return list(arguments)
    return [*(each for each in arguments if each not in texts), "--", *texts]
