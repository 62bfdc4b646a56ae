"""Marks an error that comes after a flow's rows are committed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class FailedAfterCommit(Exception):
    """The rows are in the table; what followed failed with `__cause__`."""


@contextmanager
def after_commit() -> Iterator[None]:
    """Turns an error of the block into FailedAfterCommit."""
    try:
        yield
    except Exception as error:
        raise FailedAfterCommit from error
