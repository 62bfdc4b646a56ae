"""Lets Python's own file functions open paths of the cloud, such as `open("/dbfs/…")`.

[choice] Only paths below a folder that this machine does not have (`/dbfs`, `/Volumes`) are mapped:
a `--path /tmp/=DIR` must not move the temporary files of Python and of this package.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from local_shim.reading.source_resolver import current_resolver

_OF_ONE_PATH = (
    "access",
    "chmod",
    "listdir",
    "lstat",
    "mkdir",
    "open",
    "readlink",
    "remove",
    "rmdir",
    "scandir",
    "stat",
    "unlink",
    "utime",
)
_OF_TWO_PATHS = ("rename", "replace")
_stat = os.stat


@contextmanager
def python_files_mapped() -> Iterator[None]:
    """Replaces the functions, and puts Python's own back afterwards."""
    with ExitStack() as stack:
        for owner, name, paths in _functions():
            original = getattr(owner, name)
            setattr(owner, name, _mapping(original, paths))
            stack.callback(setattr, owner, name, original)
        yield


def _functions() -> Iterator[tuple[Any, str, int]]:
    yield builtins, "open", 1
    yield io, "open", 1
    for name in _OF_ONE_PATH:
        yield os, name, 1
    for name in _OF_TWO_PATHS:
        yield os, name, 2


def _mapping(original: Callable[..., Any], paths: int) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if args and current_resolver() is not None:
            args = (*map(_local, args[:paths]), *args[paths:])
        return original(*args, **kwargs)

    return call


def _local(path: Any) -> Any:
    if not isinstance(path, str | os.PathLike):
        return path
    text = os.fspath(path)
    resolver = current_resolver()
    if resolver is None or not isinstance(text, str) or not text.startswith("/"):
        return path
    local = resolver.path(text)
    return path if local == text or _is_of_this_machine(text) else local


def _is_of_this_machine(path: str) -> bool:
    try:
        _stat("/" + path.split("/", 2)[1])
    except OSError:
        return False
    return True
