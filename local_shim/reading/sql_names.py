"""Replaces names of datasets in SQL text, at the places that Spark's own parser reports."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyspark.errors import ParseException
from pyspark.sql import SparkSession

from local_shim.reading.source_resolver import SourceResolver

_counter = itertools.count()
_PART = r"(?:`(?:[^`]|``)+`|[^\s.,;()`]+)"
_STREAM = re.compile(
    rf"STREAM\s*\(\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\)|STREAM\s+({_PART}(?:\s*\.\s*{_PART})*)",
    re.IGNORECASE,
)
_NAME = re.compile(rf"({_PART}(?:\s*\.\s*{_PART})*)")


@dataclass(frozen=True)
class Relation:
    """One mention of a table in a query: where it stands, its name, and how it is read."""

    start: int
    stop: int
    name: str
    streaming: bool
    aliased: bool


def resolve_names(spark: SparkSession, text: str, world: SourceResolver) -> str:
    """`text` with each name that the world knows replaced by a view on what it means.

    Text that does not parse is returned as it is: Spark then tells what is wrong with it.
    """
    try:
        plan = spark._jsparkSession.sessionState().sqlParser().parsePlan(text)
    except ParseException:
        return text
    for relation in sorted(set(_relations(plan, text)), key=lambda each: -each.start):
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
    return f"{view} AS `{last}`"  # columns may be qualified by the table's name


def _relations(plan: Any, text: str) -> Iterator[Relation]:
    """Every table mentioned in the plan, its common table expressions and its subqueries."""
    yield from _walk(plan, text, frozenset(), aliased=False)


def _walk(node: Any, text: str, hidden: frozenset[str], aliased: bool) -> Iterator[Relation]:
    kind = node.nodeName()
    if kind == "UnresolvedWith":
        for name, query in _common_tables(node):
            yield from _walk(query, text, hidden, aliased=False)
            hidden = hidden | {name}
        yield from _walk(node.child(), text, hidden, aliased=False)
        return
    if kind == "UnresolvedRelation":
        yield from _mentioned(node, text, hidden, aliased)
    for group in (node.children(), node.innerChildren()):
        for index in range(group.size()):
            inner = group.apply(index)
            is_alias = kind == "SubqueryAlias" or (aliased and kind == "NamedStreamingRelation")
            if hasattr(inner, "origin"):
                yield from _walk(inner, text, hidden, aliased=is_alias)


def _common_tables(node: Any) -> Iterator[tuple[str, Any]]:
    relations = node.cteRelations()
    for index in range(relations.size()):
        pair = relations.apply(index)
        yield pair._1().lower(), pair._2()


def _mentioned(node: Any, text: str, hidden: frozenset[str], aliased: bool) -> Iterator[Relation]:
    parts = node.multipartIdentifier()
    if parts.size() == 1 and parts.apply(0).lower() in hidden and not node.isStreaming():
        return
    origin = node.origin()
    if not origin.startIndex().isDefined():
        return
    start = origin.startIndex().get()
    match = (_STREAM if node.isStreaming() else _NAME).match(text, start)
    if match:
        name = next(group for group in match.groups() if group)
        yield Relation(start, match.end(), name, node.isStreaming(), aliased)
