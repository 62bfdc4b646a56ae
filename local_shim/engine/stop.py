"""Asking an update to stop: from another thread, by a signal, or after some seconds."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """A request to stop. Once made it stays; flows that have not started are not started."""

    def __init__(self) -> None:
        self.requested = False
        self._wake = threading.Event()  # at a request, or when there is nothing left to stop

    def request(self) -> None:
        """Asks the update to stop; safe in any thread and in a signal handler."""
        self.requested = True
        self._wake.set()

    def wait(self, seconds: float) -> bool:
        """Waits for a request; False if none came in time."""
        self._wake.wait(seconds)
        return self.requested

    @contextmanager
    def by_signals(self) -> Iterator[None]:
        """Turns SIGTERM and SIGINT into requests while the block runs in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {kind: signal.signal(kind, lambda *_: self.request()) for kind in _SIGNALS}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)

    @contextmanager
    def calling(self, cancel: Callable[[], None]) -> Iterator[None]:
        """Calls `cancel` when a stop is requested, and every second until the block ends.

        Repeated, because a flow may start another Spark job just after the first call.
        """
        ended = threading.Event()

        def watch() -> None:
            self._wake.wait()
            while self.requested and not ended.is_set():
                cancel()
                ended.wait(1)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            self._wake.set()
            watcher.join()


def passes(stop: StopRequest, pause: float, seconds: float | None) -> Iterator[None]:
    """Yields for each further pass of a continuous update, until a stop or after `seconds`.

    [choice] A pass starts only flows that have something to do, so a continuous update is a
    triggered one repeated at `pipelines.trigger.interval`. Streams keep their checkpoints in
    between, and a materialized view follows as soon as one of its inputs changed.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        remaining = pause if deadline is None else min(pause, deadline - time.monotonic())
        if remaining <= 0 or stop.wait(remaining):
            return
        yield
