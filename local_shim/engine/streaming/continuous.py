"""Continuous mode: the same pass again and again, until somebody stops it.

[choice] A pass starts only flows that have something to do, so a continuous update is a triggered
one repeated at `pipelines.trigger.interval` (5 seconds by default). Streams keep their
checkpoints in between, and a materialized view follows as soon as one of its inputs changed.
"""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local_shim.errors import UsageError

INTERVAL_KEY = "pipelines.trigger.interval"
_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}


def interval(configuration: Mapping[str, str]) -> float:
    """Seconds between passes."""
    text = configuration.get(INTERVAL_KEY, "5 seconds")
    found = re.fullmatch(r"\s*(\d+)\s+(second|minute|hour|day)s?\s*", text, re.IGNORECASE)
    if not found:
        raise UsageError(
            "INVALID_INTERVAL",
            f"{INTERVAL_KEY}='{text}' is no interval.",
            hint="a number and second, minute, hour or day, e.g. '10 seconds'",
        )
    return int(found.group(1)) * _UNITS[found.group(2).lower()]


def passes(seconds: float | None, pause: float) -> Iterator[None]:
    """Yields once for each further pass; ends at SIGTERM, SIGINT, or after `seconds`."""
    deadline = None if seconds is None else time.monotonic() + seconds
    with _stop_signals() as stopped:
        while True:
            left = pause if deadline is None else min(pause, deadline - time.monotonic())
            if left <= 0 or stopped.wait(left):
                return
            yield


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    kinds = (signal.SIGTERM, signal.SIGINT)
    before = {kind: signal.signal(kind, lambda *_: stopped.set()) for kind in kinds}
    try:
        yield stopped
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
