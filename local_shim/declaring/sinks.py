"""Declarations of sinks: places outside the pipeline that append flows write to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyspark.sql import DataFrame

from local_shim.declaring.arguments import arguments_checked, fault, missing_texts, wrong_kinds
from local_shim.declaring.datasets import Texts, own_name, query_of, texts
from local_shim.errors import raise_all
from local_shim.graph.declared_at import declared_here
from local_shim.graph.elements import Dataset, DatasetKind
from local_shim.graph.registry import active_registry


@arguments_checked
def create_sink(name: str, format: str, options: Texts | None = None) -> None:
    """A place outside the pipeline that append flows write to; nothing there is ever removed.

    `format` is `delta`, `kafka` or a registered Python data source. A Delta sink takes exactly
    one of the options `path` and `tableName`.
    """
    raise_all(
        [
            *missing_texts("create_sink", name=name, format=format),
            *wrong_kinds("create_sink", Mapping, options=options),
        ]
    )
    settings = texts(options)
    if format.lower() == "delta" and len({"path", "tableName"} & settings.keys()) != 1:
        raise fault(
            "create_sink",
            "INVALID_SINK_OPTIONS",
            "a delta sink takes exactly one of the options path and tableName.",
            'options={"tableName": "catalog.schema.table"}',
        )
    _add(name, format, options=settings)


@arguments_checked
def foreach_batch_sink(
    function: Callable[[DataFrame, int], Any] | None = None, *, name: str | None = None
) -> Any:
    """Makes `function(df, batch_id)` the place that append flows write to, batch by batch.

    `batch_id` counts from 0 in the first run of each flow, and again after its full refresh.
    """

    def declare(function: Any) -> Any:
        write = query_of("foreach_batch_sink", function)
        _add(name or own_name("foreach_batch_sink", write), "foreachBatch", write=write)
        return function

    return declare if function is None else declare(function)


def _add(
    name: str,
    format: str,
    options: Mapping[str, str] | None = None,
    write: Callable[[DataFrame, int], Any] | None = None,
) -> None:
    registry = active_registry()
    registry.add_dataset(
        Dataset(
            registry.namespace.qualify(name),
            DatasetKind.SINK,
            declared_here(),
            sink_format=format,
            sink_options=options or {},
            sink_function=write,
        )
    )
