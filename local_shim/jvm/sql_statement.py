"""One SQL statement as Spark's parser sees it: what it does, and which tables it names where.

Read from Spark 4.2.0: `sql/catalyst/…/plans/logical/v2Commands.scala` (ShowTables, ShowColumns,
DescribeRelation), `plans/logical/statements.scala` (ParsedStatement), `plans/logical/Command.scala`
`analysis/unresolved.scala` (UnresolvedTableValuedFunction), `analysis/RelationTimeTravel.scala`;
from Delta 4.4.0: `io/delta/sql/parser/DeltaSqlParser.scala`, whose plans carry no positions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession

from local_shim.jvm.scala import listed, optional

_LOGICAL = "org.apache.spark.sql.catalyst.plans.logical"
_WRITES = ("InsertIntoDir", "CompoundBody")
_READS = (
    "DescribeRelation",
    "DescribeColumn",
    "DescribeQueryCommand",
    "DescribeFunction",
    "DescribeDeltaDetailCommand",
    "DescribeDeltaHistory",
    "ExplainCommand",
    "ShowCatalogsCommand",
    "ShowColumns",
    "ShowCreateTable",
    "ShowFunctions",
    "ShowNamespacesCommand",
    "ShowPartitions",
    "ShowTableProperties",
    "ShowTables",
    "ShowViews",
)
_LISTINGS = ("ShowTables", "ShowNamespacesCommand", "ShowCatalogsCommand")
_TABLES = ("UnresolvedRelation", "UnresolvedTable", "UnresolvedTableOrView")
_AFTER_NAME = ("RelationTimeTravel", "Sample")  # an alias stands behind these clauses
_PART = r"(?:`(?:[^`]|``)+`|[^\s.,;()`]+)"
_NAME = re.compile(rf"{_PART}(?:\s*\.\s*{_PART})*")
_OF_DELTA = re.compile(rf"\b(?:DETAIL|HISTORY)\s+({_NAME.pattern})", re.IGNORECASE)


@dataclass(frozen=True)
class Mention:
    """A table named in the text from `start` to `stop`.

    `alias_at` is where an alias may be added; None if there is one, or none is allowed.
    """

    start: int
    stop: int
    name: tuple[str, ...]
    alias_at: int | None = None


@dataclass(frozen=True)
class TableFunction:
    """A call of a table-valued function in the text from `start` to `stop`.

    `argument` is the first argument: a text, or the parts of a name inside TABLE(…). `rest` is the
    text from the second argument to the closing bracket.
    """

    start: int
    stop: int
    name: str
    argument: str | tuple[str, ...]
    rest: str


@dataclass(frozen=True)
class Statement:
    """What a statement does and names; `kind` is the class of its plan in Spark."""

    kind: str
    reads_only: bool
    mentions: tuple[Mention, ...]
    functions: tuple[TableFunction, ...]
    namespace: tuple[str, ...] = ()  # of SHOW … IN
    pattern: str | None = None  # of SHOW … LIKE


def parse(spark: SparkSession, text: str) -> Statement:
    """The statement in `text`; raises Spark's ParseException."""
    root = spark._jsparkSession.sessionState().sqlParser().parsePlan(text)
    kind = root.nodeName()
    names = list(_walk(root, text, frozenset(), None, aliased=False))
    spaces = [node for node in listed(root.children()) if node.nodeName() == "UnresolvedNamespace"]
    return Statement(
        kind,
        _reads_only(spark, root),
        tuple(name for name in names if isinstance(name, Mention)),
        tuple(name for name in names if isinstance(name, TableFunction)),
        tuple(listed(spaces[0].multipartIdentifier())) if spaces else (),
        optional(root.pattern()) if kind in _LISTINGS else None,
    )


def _reads_only(spark: SparkSession, node: Any) -> bool:
    kind = node.nodeName()
    if kind in _READS:
        return True
    classes = [_java_class(spark, name) for name in ("Command", "ParsedStatement")]
    if kind in _WRITES or any(each.isInstance(node) for each in classes):
        return False
    if kind.endswith("Statement"):  # RESTORE and CLONE of Delta belong to neither class
        return False
    return all(_reads_only(spark, child) for child in listed(node.children()))


def _java_class(spark: SparkSession, name: str) -> Any:
    java = spark._jvm.java.lang  # type: ignore[union-attr]
    loader = java.Thread.currentThread().getContextClassLoader()
    return java.Class.forName(f"{_LOGICAL}.{name}", True, loader)


def _walk(
    node: Any, text: str, hidden: frozenset[str], alias_at: int | None, *, aliased: bool
) -> Iterator[Mention | TableFunction]:
    """All names below `node`; `hidden` are those of common table expressions around it."""
    kind = node.nodeName()
    if kind == "UnresolvedWith":
        for pair in listed(node.cteRelations()):
            yield from _walk(pair._2(), text, hidden, None, aliased=False)
            hidden = hidden | {pair._1().lower()}
        yield from _walk(node.child(), text, hidden, None, aliased=False)
    elif kind == "UnresolvedTableValuedFunction":
        yield from _function(node, text)
    elif kind in _TABLES:
        yield from _mention(node, text, hidden, alias_at, aliased)
    elif kind in ("DescribeDeltaDetailCommand", "DescribeDeltaHistory"):
        yield from _named_to_delta(node, text)
    elif kind == "ShowColumns":  # SHOW COLUMNS IN t IN s has the name at two places
        yield from _named_in_columns(node)
    else:
        if kind in _AFTER_NAME and alias_at is None:
            alias_at = _stop(node)
        for child in _children(node, kind):
            yield from _walk(
                child,
                text,
                hidden,
                alias_at,
                aliased=kind == "SubqueryAlias" or (aliased and kind in _AFTER_NAME),
            )


def _children(node: Any, kind: str) -> list[Any]:
    inner = {"RelationTimeTravel": "relation", "ExplainCommand": "logicalPlan"}
    inner["DescribeQueryCommand"] = "plan"
    if kind in inner:
        return [getattr(node, inner[kind])()]
    below = [*listed(node.children()), *listed(node.innerChildren())]
    return [child for child in below if hasattr(child, "origin")]


def _mention(
    node: Any, text: str, hidden: frozenset[str], alias_at: int | None, aliased: bool
) -> Iterator[Mention]:
    name = tuple(listed(node.multipartIdentifier()))
    relation = node.nodeName() == "UnresolvedRelation"
    if (len(name) == 1 and name[0].lower() in hidden) or (relation and node.isStreaming()):
        return
    start = optional(node.origin().startIndex())
    match = _NAME.match(text, start) if start is not None else None
    if match:
        bare = re.search(r"\bTABLE\s+$", text[:start], re.IGNORECASE)  # the statement TABLE t
        takes_alias = relation and not aliased and not bare
        end = alias_at or match.end()
        yield Mention(match.start(), match.end(), name, end if takes_alias else None)


def _named_to_delta(node: Any, text: str) -> Iterator[Mention]:
    child = node.child()
    match = _OF_DELTA.search(text)
    if match and child.nodeName() == "UnresolvedTable":
        yield Mention(match.start(1), match.end(1), tuple(listed(child.multipartIdentifier())))


def _named_in_columns(node: Any) -> Iterator[Mention]:
    child = node.child()
    name = tuple(listed(child.multipartIdentifier()))
    yield Mention(child.origin().startIndex().get(), _stop(node), name)


def _function(node: Any, text: str) -> Iterator[TableFunction]:
    arguments = listed(node.functionArgs())
    if not arguments:
        return
    first, start = arguments[0], node.origin().startIndex().get()
    stop = text.index(")", _stop(arguments[-1])) + 1  # the node itself ends with an alias
    below = listed(node.innerChildren())  # TABLE(t)
    tables = [each for each in below if each.nodeName() == "UnresolvedRelation"]
    argument = tuple(listed(tables[0].multipartIdentifier())) if tables else str(first.toString())
    rest = text[arguments[1].origin().startIndex().get() : stop] if arguments[1:] else ")"
    yield TableFunction(start, stop, listed(node.name())[-1].lower(), argument, rest)


def _stop(node: Any) -> int:
    return int(node.origin().stopIndex().get()) + 1
