"""One update after the other, each after a save."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local_shim.errors import ShimError
from local_shim.events.event import UpdateState
from local_shim.run import UpdateResult
from local_shim.update.prepared import open_spark
from local_shim.update.request import Request
from local_shim.watch.saves import stamps_of, wait_for_save, watched_folders


@dataclass(frozen=True)
class Cycle:
    """One update with the seconds it took, or the error for which there was none.

    `saved` is the name of a file that was saved before it, "" for the first.
    """

    saved: str
    outcome: UpdateResult | ShimError
    seconds: float


def watch(
    read: Callable[[], Request], update: Callable[[Request], UpdateResult]
) -> Iterator[Cycle]:
    """Updates now and after each save, until an update is stopped.

    `read` gives the request anew each time: globs may match other files, and the bundle may have
    changed. A save during an update leads to the next one. Raises ShimError if the first `read`
    fails.
    """
    request, saved = read(), ""
    with _modules_compiled_anew():
        while True:
            folders = watched_folders(request)
            stamps, began = stamps_of(folders, request.storage), time.monotonic()
            outcome: UpdateResult | ShimError
            try:
                request = read()
                outcome = update(request)
            except ShimError as error:
                outcome = error
            yield Cycle(saved, outcome, time.monotonic() - began)
            if isinstance(outcome, UpdateResult) and outcome.state is UpdateState.CANCELED:
                return
            if isinstance(outcome, UpdateResult):
                open_spark(request)  # an update with nothing to do did not; the next one needs it
            saved = wait_for_save(folders, request.storage, stamps)
            importlib.invalidate_caches()


@contextmanager
def _modules_compiled_anew() -> Iterator[None]:
    """Python takes a compiled module for current when its source has the same second and size."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
