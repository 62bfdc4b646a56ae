"""What a name or a path means, which differs between analysing a pipeline and running it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType


class SourceResolver(Protocol):
    """Answers intercepted reads; analysis and execution each have their own."""

    def table(self, name: str, streaming: bool, options: Mapping[str, str]) -> DataFrame | None:
        """The dataset or table called `name`, or None if Spark's own catalog may have it."""

    def has_table(self, name: str) -> bool:
        """Whether the pipeline declares a dataset of this name, or the storage has a table."""

    def stored_table(self, name: str) -> str | None:
        """The folder of a table that the storage has, or that `delta.`path`` names."""

    @property
    def default_schema(self) -> tuple[str, str]:
        """The catalog and the schema of short names."""

    def cloud_files(
        self, flow: str, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        """An Auto Loader stream over `path`, in the query of `flow`."""

    def read_files(
        self, path: str, options: Mapping[str, str], schema: StructType | None
    ) -> DataFrame:
        """The files at `path` in batch, with the columns that an Auto Loader stream has."""

    def file_states(self, source: str | tuple[str, ...]) -> str:
        """A subquery: what became of the files that the flows into a table, or a checkpoint, took.

        `source` is the path of the checkpoint or the parts of the table's name.
        """

    def path(self, path: str) -> str:
        """Where `path` lies on this machine (`--path FROM=TO`)."""

    def source_path(self, path: str) -> str:
        """The same for what a Spark reader reads, which is an input of the flow."""


# A new thread starts without a resolver: the code that starts one sets it.
_resolver: ContextVar[SourceResolver | None] = ContextVar("resolver", default=None)
_function: ContextVar[str | None] = ContextVar("function", default=None)


def current_resolver() -> SourceResolver | None:
    """What answers intercepted reads now; None where Spark itself does."""
    return _resolver.get()


@contextmanager
def resolving_with(resolver: SourceResolver) -> Iterator[None]:
    """Lets `resolver` answer the reads of the block, which is code of the user's."""
    token = _resolver.set(resolver)
    try:
        yield
    finally:
        _resolver.reset(token)


@contextmanager
def without_interception() -> Iterator[None]:
    """Lets Spark answer the reads of the block, which are this package's own.

    A path that `--path` maps, a name of the user's or an action means nothing to them.
    """
    resolver, function = _resolver.set(None), _function.set(None)
    try:
        yield
    finally:
        _function.reset(function)
        _resolver.reset(resolver)


def dataset_function() -> str | None:
    """Name of the dataset function that is being called, in which actions are refused."""
    return _function.get()


@contextmanager
def evaluating(name: str) -> Iterator[None]:
    """Marks the call of a dataset function."""
    token = _function.set(name)
    try:
        yield
    finally:
        _function.reset(token)
