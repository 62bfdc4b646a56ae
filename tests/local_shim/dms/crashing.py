"""Running a task in a child process that dies, or may write only so much."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from local_shim.errors import ShimError


def calls_of(action: Callable[[], None]) -> int:
    """How many calls of the stand-in's functions an action makes."""
    counter = _Counter(None)
    sys.setprofile(counter)
    try:
        action()
    finally:
        sys.setprofile(None)
    return counter.calls


def killed_at(action: Callable[[], None], call: int) -> bool:
    """Run an action in a child that is killed with signal 9 at its n-th call; was it?"""
    child = os.fork()
    if child == 0:
        sys.setprofile(_Counter(call))
        try:
            action()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def interrupted_at(action: Callable[[], None], call: int, interrupt: Callable[[], None]) -> bool:
    """Run an action that is interrupted once, at its n-th call; did it come so far?"""
    counter = _Counter(call, interrupt)
    sys.setprofile(counter)
    try:
        action()
    finally:
        sys.setprofile(None)
    return counter.calls >= call


def with_file_limit(action: Callable[[], None], limit: int) -> tuple[int, str]:
    """Exit code and message of an action in a child whose files may hold `limit` bytes."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        code = 0
        try:
            action()
        except ShimError as error:
            os.write(write, str(error).encode())
            code = error.exit_code
        finally:
            os._exit(code)
    os.close(write)
    with os.fdopen(read) as text:
        message = text.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), message


def peak_memory(action: Callable[[], None]) -> int:
    """Bytes by which a child's peak memory rises while it runs an action."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            action()
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            os.write(write, str((after - before) * 1024).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as text:
        peak = text.read()
    os.waitpid(child, 0)
    return int(peak)


class _Counter:
    """A profile function: counts calls inside the stand-in, and does something at one of them."""

    def __init__(self, call: int | None, interrupt: Callable[[], None] | None = None):
        self.calls = 0
        self._call = call
        self._interrupt = interrupt or (lambda: os.kill(os.getpid(), signal.SIGKILL))

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """Python tells of a call: of a function of ours, or of C from one of them."""
        if event in ("call", "c_call") and "/local_shim/dms/" in frame.f_code.co_filename:
            self.calls += 1
            if self.calls == self._call:
                sys.setprofile(None)  # the interruption itself is not counted
                self._interrupt()
                sys.setprofile(self)
