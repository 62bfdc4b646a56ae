"""Where in the user's files a declaration stands."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType

from local_shim.graph.elements import SourceLocation

_PACKAGE = str(Path(__file__).parents[1])
_STANDARD_LIBRARY = str(Path(contextmanager.__code__.co_filename).parent)
_LIBRARIES = ("site-packages", "dist-packages", _STANDARD_LIBRARY)
_location: ContextVar[SourceLocation | None] = ContextVar("location", default=None)


@contextmanager
def declared_at(location: SourceLocation) -> Iterator[None]:
    """Everything declared in the block stands at `location`, as a statement of an SQL file does."""
    token = _location.set(location)
    try:
        yield
    finally:
        _location.reset(token)


def declared_here() -> SourceLocation:
    """The location that `declared_at` names, else the nearest line of Python of the user's."""
    location = _location.get()
    if location is not None:
        return location
    frame = sys._getframe(1)
    while frame.f_back is not None and not _of_user(frame.f_code.co_filename):
        frame = frame.f_back
    return SourceLocation(frame.f_code.co_filename, frame.f_lineno)


_LOCATION = "_dlt_local_location"


def locate(error: BaseException, location: SourceLocation) -> None:
    """Notes on an exception where in the user's files it belongs."""
    setattr(error, _LOCATION, location)


def location_of(error: BaseException) -> SourceLocation | None:
    """The location that `locate` noted, else the innermost line of the user's own code."""
    noted: SourceLocation | None = getattr(error, _LOCATION, None)
    return noted or raised_at(error.__traceback__)


def raised_at(traceback: TracebackType | None) -> SourceLocation | None:
    """The innermost line of the user's own code that an exception passed."""
    location = None
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if _of_user(file):
            location = SourceLocation(file, traceback.tb_lineno)
        traceback = traceback.tb_next
    return location


def _of_user(file: str) -> bool:
    """Whether it belongs neither to this package nor to Python and what is installed."""
    return not file.startswith((_PACKAGE, "<")) and not any(part in file for part in _LIBRARIES)
