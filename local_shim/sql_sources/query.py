"""The query of an SQL statement as the function that a flow calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pyspark.errors import ParseException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from local_shim.graph.declared_at import locate
from local_shim.graph.elements import SourceLocation
from local_shim.graph.names import Namespace
from local_shim.jvm.spark_parser import check_query, table_mentions
from local_shim.reading.interception import session
from local_shim.reading.source_resolver import current_resolver, without_interception
from local_shim.reading.sql_edits.json_paths import is_path_on_text, json_path_edits
from local_shim.reading.sql_edits.names import (
    change_feed_edits,
    constant_edits,
    file_state_edits,
    name_edits,
)
from local_shim.sql_sources.file_functions import with_file_views, without_file_calls
from local_shim.sql_sources.grammar.definitions import Columns
from local_shim.sql_sources.grammar.source_text import SourceText
from local_shim.sql_text import Edit, quote

_PLACE = re.compile(r"line (\d+),? pos (\d+)")


def constant(expression: str) -> str:
    """The value of an expression without columns, as text."""
    with without_interception():
        (row,) = session().sql(f"SELECT CAST(({expression}) AS STRING)").collect()
    return str(row[0])


def query_function(
    query: SourceText, columns: Columns, namespace: Namespace | None
) -> Callable[[], DataFrame]:
    """A function that returns the query's frame; errors stand at their line of the source.

    `namespace` is the one that USE has set, for the names of the query.
    """

    def rows() -> DataFrame:
        spark, text = session(), query
        try:
            text = with_file_views(spark, text, constant)
            if namespace is not None:
                text = text.edited(_qualifications(spark, text.text, namespace))
            resolver = current_resolver()
            if resolver is not None:
                text = text.edited(constant_edits(text.text, resolver))
                text = text.edited(file_state_edits(spark, text.text, resolver))
                text = text.edited(change_feed_edits(spark, text.text, resolver, constant))
                text = text.edited(name_edits(spark, text.text, resolver, constant))
            with without_interception():
                try:
                    frame = spark.sql(text.text)
                except Exception as error:
                    if not is_path_on_text(error):
                        raise
                    text = text.edited(json_path_edits(text.text))
                    frame = spark.sql(text.text)
            return _renamed(frame, columns)
        except PySparkException as error:
            locate(error, _where(error, text))
            raise

    return rows


def check_syntax(query: SourceText) -> None:
    """Raises Spark's ParseException, with its place in the source, if the query does not parse."""
    text = without_file_calls(query, constant)
    try:
        check_query(session(), text.text)
    except ParseException as error:
        locate(error, _where(error, text))
        raise


def _qualifications(spark: SparkSession, text: str, namespace: Namespace) -> Iterator[Edit]:
    """The edits that give tables of short names their full ones."""
    for mention in table_mentions(spark, text, constant):
        names = mention.parts
        if len(names) == 3 or names[0].lower() == "live" or names[0].startswith("__dlt_"):
            continue
        full = namespace.qualify(".".join(map(quote, names)))
        name = ".".join(map(quote, (full.catalog, full.schema, full.table)))
        relation = f"STREAM({name})" if mention.streaming else name
        yield Edit(mention.start, mention.stop, mention.replaced_by(relation))


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
    """The line and column in the file of the place in `text` that Spark's message names."""
    match = _PLACE.search(str(error))
    if match is None:
        return text.where
    line, column = int(match.group(1)), int(match.group(2))
    before = text.text.split("\n")[: line - 1]
    return text.location(sum(len(each) + 1 for each in before) + column)
