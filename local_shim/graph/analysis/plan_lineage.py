"""From which columns of its sources each column of a query comes, read from its analysed plan.

Every column of a plan has an id of its own, and an expression refers to the ids of the columns
below it. So one pass from the sources upwards finds where each id comes from. Conditions of
filters and joins choose rows and give no values: they are no part of the lineage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from local_shim.graph.analysis.plan_tree import Tree, parse_tree

Source = tuple[str, str]  # a dataset and one of its columns
Lineage = dict[str, list[Source]]  # by column of the query


def plan_lineage(plan: str, reads: Iterable[tuple[str, str]]) -> Lineage:
    """The sources of each column of a query, sorted.

    `plan` is what Spark's `toJSON` gives of the query's plan; `reads` are the datasets that it
    reads, each with the plan of the frame that stands for it. A column of files, literals or row
    counts has no source. [choice] Nor has any column of a plan that is too deep to follow, or has
    expressions without an id: no query fails for its lineage.
    """
    with suppress(KeyError, RecursionError):
        return _traced(plan, reads)
    return {}


def _traced(plan: str, reads: Iterable[tuple[str, str]]) -> Lineage:
    tracer = _Tracer()
    for dataset, text in reads:
        tracer.add_read(dataset, tracer.columns(parse_tree(text)))
    lineage: dict[str, set[Source]] = {}
    for column in tracer.columns(parse_tree(plan)):
        lineage.setdefault(column.name, set()).update(tracer.sources(column))
    return {name: sorted(sources) for name, sources in lineage.items()}


@dataclass(frozen=True)
class _Column:
    id: int
    name: str


class _Tracer:
    """Knows the sources of every column of the plans that it has walked."""

    def __init__(self) -> None:
        self._sources: dict[int, set[Source]] = {}
        self._reads: dict[tuple[str, ...], set[str]] = {}  # datasets by the names of their columns
        self._ctes: dict[int, list[_Column]] = {}

    def add_read(self, dataset: str, columns: Sequence[_Column]) -> None:
        """Makes the columns of a frame those of a dataset."""
        self._reads.setdefault(_names(columns), set()).add(dataset)
        for column in columns:
            self._sources[column.id] = {(dataset, column.name)}

    def sources(self, *columns: _Column) -> set[Source]:
        """Where the columns come from."""
        return {source for column in columns for source in self._sources.get(column.id, ())}

    def columns(self, node: Tree) -> list[_Column]:
        """The columns of a node, in order; notes the sources of all below it."""
        below = [self.columns(child) for child in node.children]
        rule = _RULES.get(node.kind)
        if rule is not None:
            return rule(self, node, below)
        if not node.children:
            return self._leaf(_attributes(node.trees("output")))
        outputs = _attributes(node.trees("output"))
        return self._function(outputs, _joined(below)) if outputs else _joined(below)

    def _leaf(self, columns: list[_Column]) -> list[_Column]:
        """A read; Spark gives new ids to one that is joined with itself."""
        for column in columns:
            datasets = self._reads.get(_names(columns), ())
            self._sources.setdefault(column.id, {(each, column.name) for each in datasets})
        return columns

    def _function(self, columns: list[_Column], below: list[_Column]) -> list[_Column]:
        """Columns that a node computes out of sight: from their namesakes, or from all below."""
        for column in columns:
            namesakes = [each for each in below if each.name == column.name]
            self._sources.setdefault(column.id, self.sources(*(namesakes or below)))
        return columns

    def _named(self, expressions: Iterable[Tree]) -> list[_Column]:
        """The columns of a list of named expressions."""
        columns = []
        for expression in expressions:
            column = _attribute(expression)
            if column.id not in self._sources:
                self._sources[column.id] = self._references(expression)
            columns.append(column)
        return columns

    def _references(self, expression: Tree) -> set[Source]:
        """The sources of all columns in an expression, those of its subqueries' results too."""
        if expression.kind == "AttributeReference":
            return self.sources(_attribute(expression))
        outer = expression.tree("e") if expression.kind == "OuterReference" else None
        if outer is not None:  # a column of the query around a subquery
            return self._references(outer)
        subquery = expression.tree("plan")
        inner = self.sources(*self.columns(subquery)) if subquery else set()
        return inner.union(*map(self._references, expression.children))

    # --- nodes with a rule of their own

    def project(self, node: Tree, below: list[list[_Column]]) -> list[_Column]:
        """The columns of the SELECT list."""
        return self._named(node.trees("projectList"))

    def aggregate(self, node: Tree, below: list[list[_Column]]) -> list[_Column]:
        """The grouping columns and aggregates that the query selects."""
        return self._named(node.trees("aggregateExpressions"))

    def window(self, node: Tree, below: list[list[_Column]]) -> list[_Column]:
        """The columns below, then those of the window functions."""
        return [*_joined(below), *self._named(node.trees("windowExpressions"))]

    def generate(self, node: Tree, below: list[list[_Column]]) -> list[_Column]:
        """The columns below, then the generator's, such as those of `explode`."""
        generator, columns = node.tree("generator"), _attributes(node.trees("generatorOutput"))
        for column in columns:
            self._sources[column.id] = self._references(generator) if generator else set()
        return [*_joined(below), *columns]

    def join(self, node: Tree, below: list[list[_Column]]) -> list[_Column]:
        """The columns of both sides; a semi or anti join has those of the left side only."""
        kind = str(node.fields.get("joinType"))
        return below[0] if "LeftSemi" in kind or "LeftAnti" in kind else _joined(below)

    def lateral_join(self, node: Tree, below: list[list[_Column]]) -> list[_Column]:
        """The columns of the left side, then those of the subquery."""
        subquery = node.tree("right")
        plan = subquery.tree("plan") if subquery else None
        return [*below[0], *(self.columns(plan) if plan else ())]

    def union(self, node: Tree, below: list[list[_Column]]) -> list[_Column]:
        """The columns by position, with the ids of the first child's."""
        for columns in zip(*below, strict=True):
            self._sources[columns[0].id] = self.sources(*columns)
        return below[0]

    def first_child(self, node: Tree, below: list[list[_Column]]) -> list[_Column]:
        """The columns of the first child: the others only choose rows."""
        return below[0]

    def last_child(self, node: Tree, below: list[list[_Column]]) -> list[_Column]:
        """The columns of the query behind its WITH clauses."""
        return below[-1]

    def cte(self, node: Tree, below: list[list[_Column]]) -> list[_Column]:
        """The columns of a WITH clause, kept for the references to it."""
        self._ctes[node.fields["id"]] = below[0]
        return below[0]

    def cte_reference(self, node: Tree, below: list[list[_Column]]) -> list[_Column]:
        """The columns of a reference, each from the same position of the WITH clause."""
        columns = _attributes(node.trees("output"))
        for column, defined in zip(columns, self._ctes[node.fields["cteId"]], strict=True):
            self._sources[column.id] = self.sources(defined)
        return columns


_Rule = Callable[[_Tracer, Tree, list[list[_Column]]], list[_Column]]
_RULES: dict[str, _Rule] = {
    "Project": _Tracer.project,
    "Aggregate": _Tracer.aggregate,
    "Window": _Tracer.window,
    "Generate": _Tracer.generate,
    "Join": _Tracer.join,
    "LateralJoin": _Tracer.lateral_join,
    "Union": _Tracer.union,
    "Except": _Tracer.first_child,
    "Intersect": _Tracer.first_child,
    "WithCTE": _Tracer.last_child,
    "CTERelationDef": _Tracer.cte,
    "CTERelationRef": _Tracer.cte_reference,
}


def _attributes(expressions: Iterable[Tree]) -> list[_Column]:
    return [_attribute(each) for each in expressions]


def _attribute(expression: Tree) -> _Column:
    return _Column(expression.fields["exprId"]["id"], expression.fields["name"])


def _names(columns: Iterable[_Column]) -> tuple[str, ...]:
    return tuple(column.name for column in columns)


def _joined(lists: Iterable[list[_Column]]) -> list[_Column]:
    return [column for columns in lists for column in columns]
