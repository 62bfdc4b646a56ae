"""The process that runs an update, by its id and the time at which it started.

An id alone is not enough: the system gives it to another process later. Linux says when a process
started in `/proc/<pid>/stat` (proc_pid_stat(5): field 3 is the state, field 22 the start in ticks
since the machine's). Where there is no `/proc`, the id alone decides.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from local_shim.durable_files import read_text

_STATE, _STARTED = 0, 19  # places in what follows the name of the program
_DEAD = ("Z", "X")  # ended, and not yet collected by its parent


def this_runner() -> dict[str, int | None]:
    """This process, as an event names it."""
    status = _status(os.getpid())
    return {"pid": os.getpid(), "started": int(status[_STARTED]) if status else None}


def runner_is_gone(runner: Mapping[str, Any]) -> bool:
    """Whether the process that `this_runner` described has ended."""
    pid = runner.get("pid")
    if pid is None or not _exists(pid):
        return True
    status, started = _status(pid), runner.get("started")
    is_dead = bool(status) and status[_STATE] in _DEAD
    is_another = bool(status and started) and int(status[_STARTED]) != started
    return is_dead or is_another


def _exists(pid: int) -> bool:
    try:
        with suppress(PermissionError):  # a process of another user
            os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _status(pid: int) -> list[str]:
    text = read_text(Path(f"/proc/{pid}/stat"))
    return text.rpartition(")")[2].split() if text else []
