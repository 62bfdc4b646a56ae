"""Replaces names of datasets in SQL text, at the places that Spark's own parser reports."""

from __future__ import annotations

import itertools

from pyspark.errors import ParseException
from pyspark.sql import SparkSession

from local_shim.jvm.spark_parser import Relation, relations
from local_shim.reading.source_resolver import SourceResolver
from local_shim.sql_text import quote

_counter = itertools.count()


def resolve_names(spark: SparkSession, text: str, world: SourceResolver) -> str:
    """`text` with each name that the world knows replaced by a view on what it means.

    Text that does not parse is returned as it is: Spark then tells what is wrong with it.
    """
    try:
        mentions = relations(spark, text)
    except ParseException:
        return text
    for relation in sorted(mentions, key=lambda each: -each.start):
        frame = world.table(relation.name, relation.streaming, {})
        if frame is not None:
            view = f"__dlt_{next(_counter)}"
            frame.createOrReplaceTempView(view)
            text = text[: relation.start] + _mention(view, relation) + text[relation.stop :]
    return text


def _mention(view: str, relation: Relation) -> str:
    if relation.aliased:
        return view
    last = relation.name.split(".")[-1].strip().strip("`")
    return f"{view} AS {quote(last)}"  # columns may be qualified by the table's name
