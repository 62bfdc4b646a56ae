"""Replaces Spark's reading methods, so that names and paths in pipeline code are resolved.

The methods are replaced on the classes, not on one session object, because helpers of real
pipelines find their session in many ways. Without a resolver each is what it was.

Read from PySpark 4.2.0: `sql/session.py` (`_instantiatedSession`) and `sql/classic/dataframe.py`,
whose DataFrame is the class that actions are replaced on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from delta.tables import DeltaMergeBuilder, DeltaOptimizeBuilder, DeltaTable
from pyspark.sql import DataFrameReader, DataFrameWriter, DataFrameWriterV2, SparkSession
from pyspark.sql.catalog import Catalog
from pyspark.sql.classic.dataframe import DataFrame as ClassicDataFrame
from pyspark.sql.conf import RuntimeConfig
from pyspark.sql.streaming.readwriter import DataStreamReader, DataStreamWriter

from local_shim.reading import (
    delta_tables,
    file_reads,
    python_rows,
    reader_notes,
    refused_calls,
    table_reads,
)
from local_shim.reading.source_resolver import current_resolver

Replacement = Callable[[Any], Any]
Replaced = tuple[type, str, Replacement]


def session() -> SparkSession:
    """The session that pipeline code sees."""
    running = SparkSession._instantiatedSession or SparkSession.getActiveSession()
    assert running is not None
    return running


@contextmanager
def spark_reads_intercepted(pipeline: str = "") -> Iterator[set[str]]:
    """Replaces the methods, and puts Spark's own back afterwards.

    Gives the set of configuration keys that pipeline code reads meanwhile. The key `pipelines.id`
    has the value `pipeline`: code uses it to know whether it runs in a pipeline.
    """
    keys: set[str] = set()
    with ExitStack() as stack:
        for owner, name, replacement in (*_reads(), *_refusals(), _conf_get(keys, pipeline)):
            original = getattr(owner, name)
            setattr(owner, name, functools.wraps(original)(replacement(original)))
            stack.callback(setattr, owner, name, original)
        yield keys


def _reads() -> Iterator[Replaced]:
    yield SparkSession, "table", table_reads.session_table
    yield SparkSession, "sql", table_reads.sql
    yield SparkSession, "createDataFrame", python_rows.create_dataframe
    yield Catalog, "tableExists", table_reads.table_exists
    yield DataFrameReader, "table", table_reads.reader_table(streaming=False)
    yield DataStreamReader, "table", table_reads.reader_table(streaming=True)
    yield DataFrameReader, "load", file_reads.batch_load
    yield DataStreamReader, "load", file_reads.stream_load
    for reader in (DataFrameReader, DataStreamReader):
        for name in reader_notes.NOTED:
            yield reader, name, reader_notes.noting(name)
        for name in file_reads.FORMAT_METHODS:
            yield reader, name, file_reads.with_local_paths
    for name, replacement in delta_tables.DELTA_TABLE_METHODS:
        yield DeltaTable, name, replacement
    yield Catalog, "currentCatalog", table_reads.current_catalog
    yield Catalog, "currentDatabase", table_reads.current_database
    yield Catalog, "refreshTable", table_reads.refresh_table


def _refusals() -> Iterator[Replaced]:
    actions = {
        ClassicDataFrame: refused_calls.FRAME_ACTIONS,
        DeltaTable: refused_calls.DELTA_TABLE_ACTIONS,
        DeltaMergeBuilder: ("execute",),
        DeltaOptimizeBuilder: ("executeCompaction", "executeZOrderBy"),
        DataFrameWriter: refused_calls.WRITER_ACTIONS,
        DataFrameWriterV2: refused_calls.WRITER_V2_ACTIONS,
        DataStreamWriter: refused_calls.STREAM_WRITER_ACTIONS,
    }
    for owner, names in actions.items():
        for name in names:
            yield owner, name, refused_calls.refused_action(name)
    for name in ("save", *file_reads.FORMAT_METHODS):
        yield DataFrameWriter, name, _file_write(name)
    for name in refused_calls.CATALOG_METHODS:
        yield Catalog, name, refused_calls.refused_catalog_method(name)


def _file_write(name: str) -> Replacement:
    """Refused in dataset functions; elsewhere, as in a batch function, its path is mapped."""
    refused = refused_calls.refused_action(name)
    return lambda original: refused(file_reads.with_local_paths(original))


def _conf_get(keys: set[str], pipeline: str) -> Replaced:
    def replacement(original: Any) -> Any:
        def call(self: RuntimeConfig, key: str, *default: Any, **kwargs: Any) -> Any:
            if current_resolver() is not None:
                keys.add(key)
                if key == "pipelines.id":
                    return pipeline
            return original(self, key, *default, **kwargs)

        return call

    return RuntimeConfig, "get", replacement
