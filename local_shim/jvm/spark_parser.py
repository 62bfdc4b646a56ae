"""Spark's own SQL parser: expressions, the columns of a CREATE TABLE, the tables in a query.

Read from Spark 4.2.0: `sql/catalyst/…/parser/ParserInterface.scala`,
`plans/logical/ColumnDefinition.scala`, `plans/logical/v2Commands.scala` (CreateTable),
`analysis/unresolved.scala` (UnresolvedRelation), `plans/logical/basicLogicalOperators.scala`
(UnresolvedWith keeps each common table expression as a tuple) and `trees/origin.scala`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession

from local_shim.jvm.scala import listed, optional

_PART = r"(?:`(?:[^`]|``)+`|[^\s.,;()`]+)"
_STREAM = re.compile(
    rf"STREAM\s*\(\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\)|STREAM\s+({_PART}(?:\s*\.\s*{_PART})*)",
    re.IGNORECASE,
)
_NAME = re.compile(rf"({_PART}(?:\s*\.\s*{_PART})*)")


@dataclass(frozen=True)
class ColumnDefinition:
    """One column of a CREATE TABLE; `type` is the JSON value of its data type."""

    name: str
    type: Any
    nullable: bool
    comment: str | None
    generated_as: str | None
    has_default: bool  # DEFAULT, or an identity column


@dataclass(frozen=True)
class TableDefinition:
    """The columns of a CREATE TABLE, and the kinds of its constraints by Spark's class names."""

    columns: Sequence[ColumnDefinition]
    constraints: Sequence[str]


@dataclass(frozen=True)
class Relation:
    """One mention of a table in a query: where it stands, its name, and how it is read."""

    start: int
    stop: int
    name: str
    streaming: bool
    aliased: bool


def check_expression(spark: SparkSession, text: str) -> None:
    """Raises Spark's ParseException if `text` is no SQL expression."""
    _parser(spark).parseExpression(text)


def table_definition(spark: SparkSession, columns: str) -> TableDefinition:
    """The columns as those of CREATE TABLE are read; raises Spark's ParseException."""
    plan = _parser(spark).parsePlan(f"CREATE TABLE t ({columns}) USING delta")
    constraints = listed(plan.tableSpec().constraints())
    return TableDefinition(
        [_column(column) for column in listed(plan.columns())],
        [constraint.getClass().getSimpleName() for constraint in constraints],
    )


def relations(spark: SparkSession, text: str) -> set[Relation]:
    """Every table that a query mentions, in its common table expressions and subqueries, too.

    Raises Spark's ParseException.
    """
    return set(_walk(_parser(spark).parsePlan(text), text, frozenset(), aliased=False))


def _parser(spark: SparkSession) -> Any:
    return spark._jsparkSession.sessionState().sqlParser()


def _column(column: Any) -> ColumnDefinition:
    generation = optional(column.generationExpression())
    return ColumnDefinition(
        column.name(),
        json.loads(column.dataType().json()),
        column.nullable(),
        optional(column.comment()),
        None if generation is None else str(generation),
        column.identityColumnSpec().isDefined() or column.defaultValue().isDefined(),
    )


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
    for child in (*listed(node.children()), *listed(node.innerChildren())):
        is_alias = kind == "SubqueryAlias" or (aliased and kind == "NamedStreamingRelation")
        if hasattr(child, "origin"):
            yield from _walk(child, text, hidden, aliased=is_alias)


def _common_tables(node: Any) -> list[tuple[str, Any]]:
    return [(pair._1().lower(), pair._2()) for pair in listed(node.cteRelations())]


def _mentioned(node: Any, text: str, hidden: frozenset[str], aliased: bool) -> Iterator[Relation]:
    parts = listed(node.multipartIdentifier())
    if len(parts) == 1 and parts[0].lower() in hidden and not node.isStreaming():
        return
    start = optional(node.origin().startIndex())
    if start is None:
        return
    match = (_STREAM if node.isStreaming() else _NAME).match(text, start)
    if match:
        name = next(group for group in match.groups() if group)
        yield Relation(start, match.end(), name, node.isStreaming(), aliased)
