"""Replacements of the methods that read tables by name, and of `spark.sql`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.sql_formatter import SQLStringFormatter

from local_shim.jvm.flow_session import in_flow_session
from local_shim.jvm.spark_parser import with_parameters
from local_shim.reading.reader_notes import notes_of
from local_shim.reading.source_resolver import current_resolver, without_interception
from local_shim.reading.sql_names import file_state_edits, name_edits
from local_shim.sql_text import edited


def session_table(original: Any) -> Any:
    """`SparkSession.table`."""

    def call(self: SparkSession, tableName: str) -> Any:
        frame = _resolved(tableName, False, {})
        return original(self, tableName) if frame is None else frame

    return call


def reader_table(streaming: bool) -> Callable[[Any], Any]:
    """`DataFrameReader.table` and `DataStreamReader.table`."""

    def replacement(original: Any) -> Any:
        def call(self: Any, tableName: str) -> Any:
            frame = _resolved(tableName, streaming, notes_of(self).options)
            return original(self, tableName) if frame is None else frame

        return call

    return replacement


def _resolved(name: str, streaming: bool, options: Mapping[str, str]) -> Any:
    resolver = current_resolver()
    return None if resolver is None else resolver.table(name, streaming, options)


def sql(original: Any) -> Any:
    """`SparkSession.sql`: parameters and frames go into the text, then names are resolved."""

    def call(self: SparkSession, sqlQuery: str, args: Any = None, **kwargs: Any) -> Any:
        resolver = current_resolver()
        if resolver is None or not isinstance(args, dict | list | None):
            return original(self, sqlQuery, args, **kwargs)
        # Its views stay for as long as the flow's session: writers analyse the query once more.
        if kwargs:
            sqlQuery = SQLStringFormatter(self).format(sqlQuery, **_in_session(kwargs))
        if args:
            sqlQuery = with_parameters(self, sqlQuery, _literals(args))
        sqlQuery = edited(sqlQuery, file_state_edits(self, sqlQuery, resolver))
        edits = name_edits(self, sqlQuery, resolver, _constants(self, original))
        return original(self, edited(sqlQuery, edits))

    return call


def _in_session(values: dict[str, Any]) -> dict[str, Any]:
    """Frames get their view in the session that looks for it."""
    return {
        name: in_flow_session(value) if isinstance(value, DataFrame) else value
        for name, value in values.items()
    }


def _literals(args: dict[str, Any] | list[Any]) -> Any:
    if isinstance(args, dict):
        return {name: F.lit(value) for name, value in args.items()}
    return [F.lit(value) for value in args]


def _constants(spark: SparkSession, original: Any) -> Callable[[str], str]:
    """Computes expressions without columns; the optimizer folds them, so no job runs."""

    def constant(expression: str) -> str:
        with without_interception():
            (row,) = original(spark, f"SELECT CAST(({expression}) AS STRING)").collect()
        return str(row[0])

    return constant


def table_exists(original: Any) -> Any:
    """`Catalog.tableExists`: also for datasets of the pipeline and tables of the storage."""
    signature = inspect.signature(original)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        arguments, resolver = signature.bind(self, *args, **kwargs).arguments, current_resolver()
        schema, name = arguments.get("dbName"), arguments["tableName"]
        if resolver is not None and resolver.has_table(f"{schema}.{name}" if schema else name):
            return True
        return bool(original(self, *args, **kwargs))

    return call


def current_catalog(original: Any) -> Any:
    """`Catalog.currentCatalog`: that of the pipeline."""

    def call(self: Any) -> str:
        resolver = current_resolver()
        return str(original(self)) if resolver is None else resolver.default_schema[0]

    return call


def current_database(original: Any) -> Any:
    """`Catalog.currentDatabase`: the schema of the pipeline."""

    def call(self: Any) -> str:
        resolver = current_resolver()
        return str(original(self)) if resolver is None else resolver.default_schema[1]

    return call


def refresh_table(original: Any) -> Any:
    """`Catalog.refreshTable`: nothing to do for a table of the pipeline or of the storage."""

    def call(self: Any, tableName: str) -> None:
        resolver = current_resolver()
        if resolver is None or not resolver.has_table(tableName):
            original(self, tableName)

    return call
