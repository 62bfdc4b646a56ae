"""What a name or a path means, which differs between planning an update and running it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType


class SourceResolver(Protocol):
    """How the doors answer; a planner and an executor each bring their own."""

    def table(self, name: str, streaming: bool, options: Mapping[str, str]) -> DataFrame | None:
        """The dataset or table called `name`, or None if Spark's own catalog should be asked."""

    def cloud_files(
        self, flow: str, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        """An Auto Loader stream over `path`, in the query of `flow`."""

    def path(self, path: str) -> str:
        """Where `path` lies on this machine (`--path FROM=TO`)."""


# A new thread starts without a world: whoever starts one sets it by hand.
_world: ContextVar[SourceResolver | None] = ContextVar("world", default=None)
_inside_function: ContextVar[str | None] = ContextVar("inside_function", default=None)


def current_resolver() -> SourceResolver | None:
    """What the doors ask at the moment; None outside of a pipeline."""
    return _world.get()


@contextmanager
def resolving_with(view: SourceResolver) -> Iterator[None]:
    """Lets the doors ask `view`."""
    token = _world.set(view)
    try:
        yield
    finally:
        _world.reset(token)


def dataset_function() -> str | None:
    """Name of the dataset function that is being evaluated, in which actions are refused."""
    return _inside_function.get()


@contextmanager
def evaluating(name: str | None) -> Iterator[None]:
    """Marks the evaluation of a dataset function; None lifts the mark for the shim's own work."""
    token = _inside_function.set(name)
    try:
        yield
    finally:
        _inside_function.reset(token)
