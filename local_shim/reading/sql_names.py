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
from local_shim.sql_text import quote

FILE_STATES = "cloud_files_state"
_counter = itertools.count()


def resolve_names(
    spark: SparkSession, text: str, resolver: SourceResolver, constant: Callable[[str], str]
) -> str:
    """`text` with a temporary view in the place of each name that the resolver knows.

    `constant` computes the value of an expression without columns. Text that does not parse is
    returned as it is: Spark then reports what is wrong with it.
    """
    try:
        text = _with_file_states(spark, text, resolver)
        mentions = table_mentions(spark, text, constant)
    except ParseException:
        return text
    for mention in sorted(mentions, key=lambda each: -each.start):
        frame = resolver.table(_name(mention), mention.streaming, mention.options)
        if frame is not None:
            view = f"__dlt_{next(_counter)}"
            frame.createOrReplaceTempView(view)
            text = text[: mention.start] + _replacement(view, mention) + text[mention.stop :]
    return text


def _with_file_states(spark: SparkSession, text: str, resolver: SourceResolver) -> str:
    if FILE_STATES not in text.lower():
        return text
    for call in sorted(parse(spark, text).functions, key=lambda each: -each.start):
        if call.name == FILE_STATES:
            text = text[: call.start] + resolver.file_states(call.argument) + text[call.stop :]
    return text


def _name(mention: TableMention) -> str:
    plain = re.compile(r"\w+")
    return ".".join(part if plain.fullmatch(part) else quote(part) for part in mention.parts)


def _replacement(view: str, mention: TableMention) -> str:
    if mention.aliased:
        return view
    return f"{view} AS {quote(mention.parts[-1])}"  # columns may be qualified by the table's name
