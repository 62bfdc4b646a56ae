"""The process with Spark: runs updates, one at a time, until its input ends.

An update arrives on standard input as a pickle; a line on standard output says that it has ended.
Its journal says how it ended. SIGINT stops the update that runs.
"""

from __future__ import annotations

import os
import pickle
import sys
from contextlib import suppress

from local_shim.errors import ShimError
from local_shim.events.event import UpdateState
from local_shim.run import plan_only, run
from local_shim.workspace.updates.accepted_update import AcceptedUpdate, write_end


def main() -> None:
    """Runs updates until the server closes the pipe or has ended."""
    replies = os.dup(1)
    os.dup2(2, 1)  # what pipelines print goes to the terminal of the server
    while (update := _next_update()) is not None:
        try:
            carry_out(update)
        except KeyboardInterrupt:  # stopped before its first event
            return  # the interrupted call may have left the JVM's connection in any state
        with suppress(BrokenPipeError):  # the server has ended, so the input will end, too
            os.write(replies, b"\n")


def carry_out(update: AcceptedUpdate) -> None:
    """Runs or validates an update; an error before its first event goes into its journal."""
    try:
        if update.validate_only:
            plan_only(update.request)
            write_end(update, UpdateState.COMPLETED)
        else:
            run(update.request)
    except ShimError as error:
        write_end(update, UpdateState.FAILED, error)


def _next_update() -> AcceptedUpdate | None:
    while True:
        try:
            update: AcceptedUpdate = pickle.load(sys.stdin.buffer)
            return update
        except EOFError:
            return None
        except KeyboardInterrupt:
            continue  # a stop that came just after the end of its update


if __name__ == "__main__":
    main()
