"""The query of an SQL statement as the function that a flow calls."""

from __future__ import annotations

import re
from collections.abc import Callable

from pyspark.errors import ParseException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from local_shim.graph.declared_at import locate
from local_shim.graph.elements import SourceLocation
from local_shim.graph.names import Namespace
from local_shim.jvm.spark_parser import check_query, table_mentions
from local_shim.reading.interception import session
from local_shim.reading.source_resolver import without_interception
from local_shim.sql_sources.file_functions import with_file_views, without_file_calls
from local_shim.sql_sources.grammar.definitions import Columns
from local_shim.sql_sources.grammar.source_text import Fragment, SourceText
from local_shim.sql_text import quote

_PLACE = re.compile(r"line (\d+),? pos (\d+)")


def constant(expression: str) -> str:
    """The value of an expression without columns, as text."""
    with without_interception():
        (row,) = session().sql(f"SELECT CAST(({expression}) AS STRING)").collect()
    return str(row[0])


def query_function(
    query: Fragment, columns: Columns, namespace: Namespace | None
) -> Callable[[], DataFrame]:
    """A function that returns the query's frame; errors stand at their line of the source.

    `namespace` is the one that USE has set, for the names of the query.
    """
    text = SourceText(str(query), query.source.file, query.where.line)

    def rows() -> DataFrame:
        spark = session()
        try:
            replaced = with_file_views(spark, text, constant)
            if namespace is not None:
                replaced = _qualified(spark, replaced, namespace)
            return _renamed(spark.sql(replaced), columns)
        except PySparkException as error:
            locate(error, _where(error, text))
            raise

    return rows


def check_syntax(query: Fragment) -> None:
    """Raises Spark's ParseException, with its place in the source, if the query does not parse."""
    text = SourceText(str(query), query.source.file, query.where.line)
    try:
        check_query(session(), without_file_calls(text, constant))
    except ParseException as error:
        locate(error, _where(error, text))
        raise


def _qualified(spark: SparkSession, text: str, namespace: Namespace) -> str:
    """The query with full names for tables that have short ones."""
    mentions = table_mentions(spark, text, constant)
    for mention in sorted(mentions, key=lambda each: -each.start):
        names = mention.parts
        if len(names) == 3 or names[0].lower() == "live" or names[0].startswith("__dlt_"):
            continue
        full = namespace.qualify(".".join(map(quote, names)))
        name = ".".join(map(quote, (full.catalog, full.schema, full.table)))
        alias = "" if mention.aliased else f" AS {quote(names[-1])}"
        stream = f"STREAM({name})" if mention.streaming else name
        text = f"{text[: mention.start]}{stream}{alias}{text[mention.stop :]}"
    return text


def _renamed(frame: DataFrame, columns: Columns) -> DataFrame:
    """The frame with the names and comments of a column list without types."""
    if not columns.names:
        return frame
    named = frame.toDF(*columns.names)
    return named.select(
        *(
            F.col(quote(name)).alias(name, metadata={"comment": columns.comments[name]})
            if name in columns.comments
            else F.col(quote(name))
            for name in columns.names
        )
    )


def _where(error: PySparkException, text: SourceText) -> SourceLocation:
    """The line that Spark's message names, and the column if the text stands there as written."""
    match = _PLACE.search(str(error))
    if match is None:
        return text.line(0)
    line, column = int(match.group(1)), int(match.group(2))
    place = SourceLocation(text.file, text.first_line + line - 1, "SQL")
    fragments = [context.fragment() for context in error.getQueryContext() or ()]
    written = text.text.split("\n")[line - 1 : line]
    if fragments and written and fragments[0] and fragments[0] in written[0]:
        column = written[0].index(fragments[0])
    return SourceLocation(place.file, place.line, "SQL", column + 1)
