"""Replaces names of datasets in SQL text, at the places that Spark's own parser reports."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence

import sqlglot
from pyspark.errors import ParseException
from pyspark.sql import DataFrame, SparkSession
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from local_shim.jvm.functions.secret_values import secret_value
from local_shim.jvm.spark_parser import TableMention, table_mentions
from local_shim.jvm.sql_statement import TableFunction, parse
from local_shim.reading.source_resolver import SourceResolver
from local_shim.sql_text import Edit, literal, quote

FILE_STATES = "cloud_files_state"
CHANGE_FEED = "table_changes"
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
            view = _view_of(frame)
            edits.append(Edit(mention.start, mention.stop, mention.replaced_by(view)))
    return edits


def change_feed_edits(
    spark: SparkSession, text: str, resolver: SourceResolver, constant: Callable[[str], str]
) -> list[Edit]:
    """The edits that put a temporary view in the place of each call of `table_changes`."""
    edits = []
    for call in _calls(spark, text, CHANGE_FEED):
        bounds = [constant(bound) for bound in call.rest.removesuffix(")").split(",")]
        frame = resolver.table(str(call.argument), False, _feed_options(bounds))
        if frame is not None:
            edits.append(Edit(call.start, call.stop, _view_of(frame)))
    return edits


def _feed_options(bounds: Sequence[str]) -> dict[str, str]:
    kinds = ("Version" if bound.isdigit() else "Timestamp" for bound in bounds)
    named = zip(("starting", "ending"), kinds, bounds, strict=False)
    return {"readChangeFeed": "true", **{place + kind: bound for place, kind, bound in named}}


def _view_of(frame: DataFrame) -> str:
    view = f"__dlt_{next(_counter)}"
    frame.createOrReplaceTempView(view)
    return view


def constant_edits(text: str, resolver: SourceResolver) -> list[Edit]:
    """The edits that put values in the place of functions that Spark lacks, or answers otherwise.

    These are `current_catalog()` and its like, with what the pipeline has, and
    `secret('scope', 'key')`. Text that does not end its quotes has none.
    """
    try:
        tokens = sqlglot.tokenize(text, read="databricks")
    except TokenError:
        return []
    edits = []
    for index, name in enumerate(tokens):
        place, call = _NAMESPACES.get(name.text.lower()), tokens[index + 1 : index + 6]
        texts = [token.text for token in call]
        if place is not None and texts[:2] == ["(", ")"]:
            value = literal(resolver.default_schema[place])
            edits.append(Edit(name.start, call[1].end + 1, value))
        if name.text.lower() == "secret" and _is_secret(call):
            value = literal(secret_value(texts[1], texts[3]))
            edits.append(Edit(name.start, call[4].end + 1, value))
    return edits


_NAMESPACES = {"current_catalog": 0, "current_database": 1, "current_schema": 1}
_TEXT = TokenType.STRING
_SECRET = [TokenType.L_PAREN, _TEXT, TokenType.COMMA, _TEXT, TokenType.R_PAREN]


def _is_secret(call: Sequence[Token]) -> bool:
    return [token.token_type for token in call] == _SECRET


def file_state_edits(spark: SparkSession, text: str, resolver: SourceResolver) -> list[Edit]:
    """The edits that put a subquery in the place of each call of `cloud_files_state`.

    Text that does not parse has none.
    """
    return [
        Edit(call.start, call.stop, resolver.file_states(call.argument))
        for call in _calls(spark, text, FILE_STATES)
    ]


def _calls(spark: SparkSession, text: str, function: str) -> list[TableFunction]:
    if function not in text.lower():
        return []
    try:
        return [call for call in parse(spark, text).functions if call.name == function]
    except ParseException:
        return []


def _name(mention: TableMention) -> str:
    plain = re.compile(r"\w+")
    return ".".join(part if plain.fullmatch(part) else quote(part) for part in mention.parts)
