"""The change sequence: 16 digits of commit time, 19 of a counter; it only ever rises."""

from __future__ import annotations

from local_shim.dms.clock import hundredths_text

_STEP = 4  # a real task leaves gaps; so does this one


class ChangeSequence:
    """Numbers the changes of a task over all its tables."""

    def __init__(self, time: str, counter: int):
        self._time = time.encode()
        self.counter = counter

    @property
    def time(self) -> str:
        """The time part of the newest number."""
        return self._time.decode()

    def begin(self, commit_time: int) -> None:
        """Take the time of a transaction, unless it lies before the last one's."""
        self._time = max(self._time, hundredths_text(commit_time))

    def next(self) -> bytes:
        """The number of the next change, 35 digits."""
        self.counter += _STEP
        return b"%s%019d" % (self._time, self.counter)
