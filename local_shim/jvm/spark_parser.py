"""Spark's own SQL parser: expressions, the columns of a CREATE TABLE, the tables in a query.

Read from Spark 4.2.0: `sql/catalyst/…/parser/ParserInterface.scala`, `util/CharVarcharUtils.scala`,
`plans/logical/ColumnDefinition.scala`, `plans/logical/v2Commands.scala` (CreateTable),
`analysis/unresolved.scala` (UnresolvedRelation), `plans/logical/basicLogicalOperators.scala`
(UnresolvedWith keeps each common table expression as a tuple) and `trees/origin.scala`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import Column, SparkSession
from pyspark.sql.types import StructType

from local_shim.jvm.scala import listed, optional
from local_shim.sql_text import quote

_PART = r"(?:`(?:[^`]|``)+`|[^\s.,;()`']+)"
_TEXT = r"'(?:[^'\\]|\\.)*'"
_TABLE = rf"(?:IDENTIFIER\s*\(\s*{_TEXT}\s*\)|{_PART}(?:\s*\.\s*{_PART})*)"
_STREAM = re.compile(rf"STREAM\s*\(\s*{_TABLE}\s*\)|STREAM\s+{_TABLE}", re.IGNORECASE)
_UNIT = r"\s*(?:YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND|MILLISECOND|MICROSECOND)S?\b"
_COUNT = rf"(?:{_TEXT}|-?[\d.]+)"
_WATERMARK = re.compile(
    rf"\s*WATERMARK\s+.+?\s+DELAY\s+OF\s+INTERVAL\s+{_COUNT}(?:{_UNIT})?(?:\s+{_COUNT}{_UNIT})*",
    re.IGNORECASE | re.DOTALL,
)
_SAMPLE = re.compile(
    r"\s*TABLESAMPLE(?:\s+(?:SYSTEM|BERNOULLI))?\s*\([^()]*\)(?:\s*REPEATABLE\s*\([^()]*\))?",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"^\[[\w.]+\] ")
_OPTIONS = re.compile(rf"\s*WITH\s*\((?:[^()']|{_TEXT})*\)", re.IGNORECASE)


@dataclass(frozen=True)
class ColumnDefinition:
    """One column of a CREATE TABLE; `type` is the JSON value of its data type."""

    name: str
    type: Any
    nullable: bool
    comment: str | None
    generated_as: str | None
    identity: tuple[int, int, bool] | None  # start, step, whether a query may give a value
    has_default: bool


@dataclass(frozen=True)
class TableDefinition:
    """The columns of a CREATE TABLE, and the kinds of its constraints by Spark's class names."""

    columns: Sequence[ColumnDefinition]
    constraints: Sequence[str]


@dataclass(frozen=True)
class TableMention:
    """One mention of a table in a query: where it stands, its name, and how it is read.

    `clauses` stand behind a name without alias, TABLESAMPLE and WATERMARK; an alias follows them.
    """

    start: int
    stop: int
    parts: tuple[str, ...]
    streaming: bool
    aliased: bool
    options: Mapping[str, str] = field(default_factory=dict)
    clauses: str = ""

    def replaced_by(self, relation: str) -> str:
        """The text that reads another relation; columns may be qualified by the table's name."""
        if self.aliased:
            return relation
        return f"{relation}{self.clauses} AS {quote(self.parts[-1])}"


def check_expression(spark: SparkSession, text: str) -> None:
    """Raises Spark's ParseException if `text` is no SQL expression."""
    _parser(spark).parseExpression(text)


def parser_reason(error: Exception) -> str:
    """What Spark's parser says in the first line of its message, without condition and state."""
    line = str(error).strip().split("\n")[0].split(" SQLSTATE:")[0]
    return _CONDITION.sub("", line)


def check_query(spark: SparkSession, text: str) -> None:
    """Raises Spark's ParseException if `text` is no SQL statement."""
    _parser(spark).parsePlan(text)


def table_definition(spark: SparkSession, columns: str) -> TableDefinition:
    """The columns as those of CREATE TABLE are read; raises Spark's ParseException."""
    plan = _parser(spark).parsePlan(f"CREATE TABLE t ({columns}) USING delta")
    constraints = listed(plan.tableSpec().constraints())
    return TableDefinition(
        [_column(column) for column in listed(plan.columns())],
        [constraint.getClass().getSimpleName() for constraint in constraints],
    )


def with_lengths_apart(spark: SparkSession, columns: StructType) -> StructType:
    """The columns with STRING for VARCHAR and CHAR; the metadata of a column keeps its length.

    So tables store them, and Delta checks the length of what is written. A query has no such types.
    """
    java: Any = spark._jvm
    utils = java.org.apache.spark.sql.catalyst.util.CharVarcharUtils
    java_columns = java.org.apache.spark.sql.types.DataType.fromJson(columns.json())
    apart = utils.replaceCharVarcharWithStringInSchema(java_columns)
    return StructType.fromJson(json.loads(apart.json()))


def table_mentions(
    spark: SparkSession, text: str, constant: Callable[[str], str]
) -> list[TableMention]:
    """Every table that a query mentions, in its common table expressions and subqueries, too.

    `constant` computes the value of an expression without columns, as IDENTIFIER and AS OF take
    it. Raises Spark's ParseException.
    """
    parser = _parser(spark)
    walk = _Walk(text, parser, constant)
    walk.visit(parser.parsePlan(text), frozenset(), aliased=False)
    return list(walk.mentions.values())


def with_parameters(
    spark: SparkSession, text: str, arguments: Mapping[str, Column] | Sequence[Column]
) -> str:
    """The text with literals for its parameters, as Spark itself puts them in.

    Delta's parser, which stands before Spark's, passes no parameters on.
    """
    java: Any = spark._jvm
    handler = java.org.apache.spark.sql.catalyst.parser.ParameterHandler
    if isinstance(arguments, Mapping):
        values = {name: _literal(spark, column) for name, column in arguments.items()}
        scala_map = java.PythonUtils.toScalaMap(values)
        return str(handler.substituteNamedParameters(text, scala_map)._1())
    literals = java.PythonUtils.toSeq([_literal(spark, column) for column in arguments])
    return str(handler.substitutePositionalParameters(text, literals)._1())


def _literal(spark: SparkSession, column: Column) -> Any:
    """The column as the literal that Spark's handler takes, also where it is array(…) or map(…)."""
    expressions: Any = spark._jvm.org.apache.spark.sql.catalyst.expressions  # type: ignore[union-attr]
    plan = spark.range(0).select(column)._jdf.queryExecution().analyzed()
    value = plan.projectList().apply(0).child()
    if value.nodeName() == "Literal":
        return value
    return expressions.Literal(value.eval(None), value.dataType())


def _parser(spark: SparkSession) -> Any:
    return spark._jsparkSession.sessionState().sqlParser()


def _column(column: Any) -> ColumnDefinition:
    generation = optional(column.generationExpression())
    identity = optional(column.identityColumnSpec())
    return ColumnDefinition(
        column.name(),
        json.loads(column.dataType().json()),
        column.nullable(),
        optional(column.comment()),
        None if generation is None else str(generation),
        identity and (identity.getStart(), identity.getStep(), identity.isAllowExplicitInsert()),
        column.defaultValue().isDefined(),
    )


# What may stand between an alias and the table.
_BELOW_ALIAS = ("NamedStreamingRelation", "Sample", "UnresolvedEventTimeWatermark")


class _Walk:
    """One walk over a parsed plan; a place in the text may be met more than once."""

    def __init__(self, text: str, parser: Any, constant: Callable[[str], str]):
        self.text = text
        self.parser = parser
        self.constant = constant
        self.mentions: dict[int, TableMention] = {}

    def visit(self, node: Any, hidden: frozenset[str], aliased: bool) -> None:
        """Adds the mentions below `node`; `hidden` names are common table expressions."""
        kind = node.nodeName()
        if kind == "UnresolvedWith":
            for name, query in _common_tables(node):
                recursive_names = {name} if node.allowRecursion() else set()
                self.visit(query, hidden | recursive_names, aliased=False)
                hidden = hidden | {name}
            self.visit(node.child(), hidden, aliased=False)
            return
        if kind in ("UnresolvedRelation", "PlanWithUnresolvedIdentifier", "RelationTimeTravel"):
            self._add(node, hidden, aliased)
        for child in (*listed(node.children()), *listed(node.innerChildren())):
            is_alias = kind == "SubqueryAlias" or (aliased and kind in _BELOW_ALIAS)
            if hasattr(child, "origin"):
                self.visit(child, hidden, aliased=is_alias)

    def _add(self, node: Any, hidden: frozenset[str], aliased: bool) -> None:
        options: dict[str, str] = {}
        stop = None
        if node.nodeName() == "RelationTimeTravel":
            options, stop = self._version(node), _place(node)[1]
            node = node.relation()
        start, end = _place(node)
        parts, streaming = self._parts(node)
        if not parts or start is None:
            return
        if len(parts) == 1 and parts[0].lower() in hidden and not streaming:
            return
        if node.nodeName() == "UnresolvedRelation":
            options.update(node.options().asCaseSensitiveMap())
        if streaming:
            match = _STREAM.match(self.text, start)
            end = match.end() if match else end
        clause = _OPTIONS.match(self.text, end) if options and stop is None else None
        stop = stop or (clause.end() if clause else end)
        after = stop if aliased else self._after_clauses(stop)
        clauses = self.text[stop:after]
        self.mentions[start] = TableMention(
            start, after, parts, streaming, aliased, options, clauses
        )

    def _after_clauses(self, place: int) -> int:
        """Where the clauses have ended that begin here and stand before an alias."""
        for pattern in (_SAMPLE, _WATERMARK):
            clause = pattern.match(self.text, place)
            place = clause.end() if clause else place
        return place

    def _parts(self, node: Any) -> tuple[tuple[str, ...], bool]:
        if node.nodeName() == "UnresolvedRelation":
            return tuple(listed(node.multipartIdentifier())), bool(node.isStreaming())
        if node.nodeName() == "PlanWithUnresolvedIdentifier":
            name = self.constant(self._text(node.identifierExpr()))
            return tuple(listed(self.parser.parseMultipartIdentifier(name))), False
        return (), False

    def _version(self, node: Any) -> dict[str, str]:
        version, timestamp = optional(node.version()), optional(node.timestamp())
        if version is not None:
            return {"versionAsOf": str(version)}
        return {"timestampAsOf": self.constant(self._text(timestamp))}

    def _text(self, expression: Any) -> str:
        start, stop = _place(expression)
        return self.text[start:stop]


def _place(node: Any) -> tuple[Any, Any]:
    """Where a node's text starts, and where it has ended."""
    start, last = optional(node.origin().startIndex()), optional(node.origin().stopIndex())
    return start, None if last is None else last + 1


def _common_tables(node: Any) -> list[tuple[str, Any]]:
    return [(pair._1().lower(), pair._2()) for pair in listed(node.cteRelations())]
