"""A request to stop that can be waited for together with a socket."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Waitable(Protocol):
    """Something with a file descriptor."""

    def fileno(self) -> int:
        """The descriptor to wait for."""


class Stop:
    """Set by SIGTERM or SIGINT, or by another thread; readable once it is set."""

    def __init__(self) -> None:
        self.wished = False
        self._read, self._write = os.pipe()

    def fileno(self) -> int:
        """The descriptor that becomes readable when a stop is requested."""
        return self._read

    def wish(self) -> None:
        """Ask for a clean stop."""
        self.wished = True
        os.write(self._write, b".")

    @contextmanager
    def by_signals(self) -> Iterator[None]:
        """Turns SIGTERM and SIGINT into requests while the block runs in the main thread."""
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, lambda *_: self.wish()) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def wait(self, seconds: float, *others: Waitable) -> None:
        """Waits until something can be read, a stop is requested, or the time is over."""
        if not self.wished:
            select.select([self, *others], [], [], max(seconds, 0.0))

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self._read)
        os.close(self._write)
