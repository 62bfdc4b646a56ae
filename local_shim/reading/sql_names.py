"""Replaces names of datasets in SQL text, at the places that Spark's own parser reports."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import sqlglot
from pyspark.errors import ParseException
from pyspark.sql import SparkSession
from sqlglot.errors import TokenError

from local_shim.jvm.spark_parser import TableMention, table_mentions
from local_shim.jvm.sql_statement import parse
from local_shim.reading.source_resolver import SourceResolver
from local_shim.sql_text import Edit, literal, quote

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


def namespace_edits(text: str, resolver: SourceResolver) -> list[Edit]:
    """The edits that put the pipeline's catalog and schema in the place of the functions for them.

    Text that does not end its quotes has none.
    """
    try:
        tokens = sqlglot.tokenize(text, read="databricks")
    except TokenError:
        return []
    edits = []
    for name, opening, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        place = _NAMESPACES.get(name.text.lower())
        if place is not None and (opening.text, closing.text) == ("(", ")"):
            value = literal(resolver.default_schema[place])
            edits.append(Edit(name.start, closing.end + 1, value))
    return edits


_NAMESPACES = {"current_catalog": 0, "current_database": 1, "current_schema": 1}


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
