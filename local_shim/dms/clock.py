"""Time, as an argument."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Clock:
    """The wall clock in microseconds since 1970 (UTC), and a clock that only rises, in seconds."""

    now: Callable[[], int] = lambda: time.time_ns() // 1000
    elapsed: Callable[[], float] = time.monotonic


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def timestamp_text(microseconds: int, precision: str = "us") -> bytes:
    """`2024-05-28 19:51:41.388146`; a coarser precision leaves zeros, as its engines do."""
    seconds, rest = divmod(microseconds, 1_000_000)
    rest -= rest % {"us": 1, "ms": 1_000, "s": 1_000_000}[precision]
    return f"{_second(seconds)}.{rest:06d}".encode()


def hundredths_text(microseconds: int) -> bytes:
    """`2024052819514138`: the time part of a change sequence."""
    seconds, rest = divmod(microseconds, 1_000_000)
    digits = _second(seconds).translate({45: None, 58: None, 32: None})
    return f"{digits}{rest // 10_000:02d}".encode()
