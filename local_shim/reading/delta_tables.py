"""Replacements of the class methods of `DeltaTable`, in pipeline code."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from delta.tables import DeltaTable

from local_shim.errors import DefinitionError
from local_shim.reading.source_resolver import current_resolver

# They make a table in Spark's own catalog, where neither the pipeline nor its readers find it.
CREATING = ("convertToDelta", "create", "createIfNotExists", "createOrReplace", "replace")


def for_path(original: Any) -> Any:
    """`DeltaTable.forPath` and `DeltaTable.isDeltaTable`, whose path `--path` may map."""
    signature = inspect.signature(original)
    name = list(signature.parameters)[1]  # after the session

    def call(*args: Any, **kwargs: Any) -> Any:
        arguments, resolver = signature.bind(*args, **kwargs).arguments, current_resolver()
        if resolver is not None:
            arguments[name] = resolver.path(arguments[name])
        return original(**arguments)

    return call


def for_name(for_path: Any) -> Callable[[Any], Any]:
    """`DeltaTable.forName`, of a table that is stored: by its folder, with Delta's own `forPath`.

    It reads no dataset that does not exist yet and adds no edge to the graph, as on Databricks.
    """

    def replacement(original: Any) -> Any:
        def call(sparkSession: Any, tableOrViewName: str) -> Any:
            resolver = current_resolver()
            if resolver is None:
                return original(sparkSession, tableOrViewName)
            folder = resolver.stored_table(tableOrViewName)
            if folder is None:
                raise DefinitionError(
                    "DELTA_MISSING_DELTA_TABLE",
                    f"DeltaTable.forName: the storage has no table '{tableOrViewName}'.",
                    hint="spark.read.table(name) reads a dataset that this update will make",
                )
            return for_path(sparkSession, folder)

        return call

    return replacement


def refused(name: str) -> Callable[[Any], Any]:
    """A class method that raises in pipeline code."""

    def replacement(original: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            if current_resolver() is None:
                return original(*args, **kwargs)
            raise DefinitionError(
                "DELTA_TABLE_METHOD_NOT_SUPPORTED",
                f"DeltaTable.{name}() does not work in a local run: it makes a table that neither "
                "the pipeline nor the storage knows.",
                hint="declare the table with dlt.create_streaming_table or @dlt.table",
            )

        return call

    return replacement


DELTA_TABLE_METHODS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("forName", for_name(DeltaTable.forPath)),
    ("forPath", for_path),
    ("isDeltaTable", for_path),
    *((name, refused(name)) for name in CREATING),
)
