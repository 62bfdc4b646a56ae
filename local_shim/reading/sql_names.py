"""Replaces names of datasets in SQL text, at the places that Spark's own parser reports."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

from pyspark.errors import ParseException
from pyspark.sql import SparkSession

from local_shim.jvm.spark_parser import TableMention, table_mentions
from local_shim.jvm.sql_statement import parse
from local_shim.reading.source_resolver import SourceResolver
from local_shim.sql_text import Edit, quote

FILE_STATES = "cloud_files_state"
_counter = itertools.count()


def name_edits(
    spark: SparkSession, text: str, resolver: SourceResolver, constant: Callable[[str], str]
) -> list[Edit]:
    """The edits that put a temporary view in the place of each name that the resolver knows.

    `constant` computes the value of an expression without columns. Text that does not parse has
    none: Spark then reports what is wrong with it.
    """
    try:
        mentions = table_mentions(spark, text, constant)
    except ParseException:
        return []
    edits = []
    for mention in mentions:
        frame = resolver.table(_name(mention), mention.streaming, mention.options)
        if frame is not None:
            view = f"__dlt_{next(_counter)}"
            frame.createOrReplaceTempView(view)
            edits.append(Edit(mention.start, mention.stop, mention.replaced_by(view)))
    return edits


def file_state_edits(spark: SparkSession, text: str, resolver: SourceResolver) -> list[Edit]:
    """The edits that put a subquery in the place of each call of `cloud_files_state`.

    Text that does not parse has none.
    """
    if FILE_STATES not in text.lower():
        return []
    try:
        calls = parse(spark, text).functions
    except ParseException:
        return []
    return [
        Edit(call.start, call.stop, resolver.file_states(call.argument))
        for call in calls
        if call.name == FILE_STATES
    ]


def _name(mention: TableMention) -> str:
    plain = re.compile(r"\w+")
    return ".".join(part if plain.fullmatch(part) else quote(part) for part in mention.parts)
