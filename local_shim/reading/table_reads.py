"""Replacements of the methods that read tables by name, and of `spark.sql`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import sqlglot
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.sql_formatter import SQLStringFormatter
from sqlglot.errors import TokenError

from local_shim.errors import DefinitionError
from local_shim.jvm.flow_session import in_flow_session
from local_shim.jvm.spark_parser import with_parameters
from local_shim.reading.reader_notes import notes_of
from local_shim.reading.source_resolver import (
    SourceResolver,
    current_resolver,
    without_interception,
)
from local_shim.reading.sql_edits.json_paths import is_path_on_text, with_json_functions
from local_shim.reading.sql_edits.names import (
    change_feed_edits,
    constant_edits,
    file_state_edits,
    name_edits,
)
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
        if _is_about_namespaces(sqlQuery, resolver):
            return original(self, "SELECT 1 WHERE false")
        # Its views stay for as long as the flow's session: writers analyse the query once more.
        if kwargs:
            sqlQuery = SQLStringFormatter(self).format(sqlQuery, **_in_session(kwargs))
        if args:
            sqlQuery = with_parameters(self, sqlQuery, _literals(args))
        sqlQuery = edited(sqlQuery, constant_edits(sqlQuery, resolver))
        sqlQuery = edited(sqlQuery, file_state_edits(self, sqlQuery, resolver))
        constant = _constants(self, original)
        sqlQuery = edited(sqlQuery, change_feed_edits(self, sqlQuery, resolver, constant))
        sqlQuery = edited(sqlQuery, name_edits(self, sqlQuery, resolver, constant))
        try:
            return original(self, sqlQuery)
        except Exception as error:
            if not is_path_on_text(error):
                raise
            return original(self, with_json_functions(sqlQuery))

    return call


_NAMESPACES = ("CATALOG", "DATABASE", "SCHEMA", "VOLUME")


def _is_about_namespaces(text: str, resolver: SourceResolver) -> bool:
    """Whether a statement makes a namespace, or uses the one that the pipeline has anyway.

    Neither has an effect: a storage has every catalog and schema. Raises DefinitionError for the
    use of another one.
    """
    words = _words(text)
    if len(words) < 2 or words[0] != "USE":
        return any(words[:2] == ["CREATE", kind] for kind in _NAMESPACES)
    kind, *names = words[1:] if words[1] in _NAMESPACES else ["SCHEMA", *words[1:]]
    catalog, schema = (name.upper() for name in resolver.default_schema)
    if names not in ([[catalog]] if kind == "CATALOG" else [[schema], [catalog, schema]]):
        raise DefinitionError(
            "NAMESPACE_NOT_OF_THE_PIPELINE",
            f"{' '.join(text.split())} names another one than the pipeline's,"
            f" {'.'.join(resolver.default_schema)}.",
            hint="run with --catalog and --schema, or write the names of tables in full",
        )
    return True


def _words(text: str) -> list[str]:
    """The words of a statement in upper case, without the dots of names."""
    try:
        tokens = sqlglot.tokenize(text, read="databricks")
    except TokenError:  # Spark says what is wrong
        return []
    return [token.text.upper() for token in tokens if token.text not in (".", ";")]


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
        try:
            return bool(original(self, *args, **kwargs))
        except AnalysisException as error:  # Spark's own catalog has no names of three parts
            if resolver is None or error.getCondition() != "REQUIRES_SINGLE_PART_NAMESPACE":
                raise
            return False

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
