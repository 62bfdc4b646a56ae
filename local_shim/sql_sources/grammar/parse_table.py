"""Reads the clauses of CREATE statements that describe a table: columns, rules, layout."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from local_shim.errors import DefinitionError
from local_shim.graph.elements import Action
from local_shim.sql_sources.grammar.definitions import Columns, Rule, TableClauses
from local_shim.sql_sources.grammar.reader import Reader

# What Databricks SQL allows for tables outside of pipelines.
_STANDALONE = (("SCHEDULE",), ("TRIGGER",), ("DEFAULT", "COLLATION"))


def table_clauses(reader: Reader) -> TableClauses:
    """The list of columns, then the clauses in any order, up to AS, FLOW or the end."""
    clauses = TableClauses(_columns(reader) if reader.at("(") else Columns())
    while not (reader.ended or reader.at("AS") or reader.at("FLOW")):
        clauses = dataclasses.replace(clauses, **_clause(reader, clauses))
    return clauses


def view_clauses(reader: Reader, *, persisted: bool, with_rules: bool) -> TableClauses:
    """The clauses of a view: names of columns, comments and properties.

    Of the views in SQL, only the old LIVE views take expectations (`with_rules`).
    """
    start = reader.restarted()
    clauses = table_clauses(reader)
    columns = clauses.columns
    if columns.rules and not with_rules:
        kind = "a published view" if persisted else "a temporary view"
        condition = columns.rules[0].condition
        raise DefinitionError(
            "PARSE_SYNTAX_ERROR",
            f"expectation '{columns.rules[0].name}' stands on {kind}, which takes none.",
            where=condition.location(0),
            hint="put it on a table, or write CREATE LIVE VIEW, a temporary view with expectations",
        )
    if columns.schema or columns.masked:
        raise start.error("the columns of a view have no types and no masks.", "cast in its query")
    for clause in ("partition_cols", "cluster_by", "row_filter", "ignored"):
        if getattr(clauses, clause):
            raise start.error(f"a view has no {_LAYOUT[clause]}.", "it stores no rows")
    return clauses


_LAYOUT = {
    "partition_cols": "PARTITIONED BY",
    "cluster_by": "CLUSTER BY",
    "row_filter": "ROW FILTER",
    "ignored": "LOCATION",
}


def _clause(reader: Reader, clauses: TableClauses) -> dict[str, Any]:
    if reader.accept("COMMENT"):
        return {"comment": reader.text()}
    if reader.accept("TBLPROPERTIES"):
        return {"properties": {**clauses.properties, **_properties(reader)}}
    if reader.accept("PARTITIONED", "BY"):
        return {"partition_cols": tuple(reader.columns())}
    if reader.accept("CLUSTER", "BY"):
        automatic = reader.accept("AUTO") or reader.accept("NONE")
        return {"cluster_by": () if automatic else tuple(reader.columns())}
    if reader.accept("WITH", "ROW", "FILTER"):
        function = reader.name()
        reader.expect("ON")
        return {"row_filter": f"{function} ON ({', '.join(reader.columns())})"}
    if reader.accept("LOCATION"):
        return {"ignored": (*clauses.ignored, f"LOCATION '{reader.text()}'")}
    if reader.accept("USING", "DELTA") or _refresh_policy(reader):
        return {}
    words = reader.accept_any(_STANDALONE)
    if words:
        raise reader.error(
            f"{' '.join(words)} belongs to tables outside of pipelines.",
            "a job or the pipeline's schedule starts updates",
        )
    reader.end(_CLAUSES)
    return {}


def _refresh_policy(reader: Reader) -> bool:
    """Whether a refresh policy comes next; views are computed anew, whatever it says."""
    if not reader.accept("REFRESH", "POLICY"):
        return False
    policy = reader.word().upper()
    if policy not in ("AUTO", "FULL", "INCREMENTAL"):
        raise reader.error("REFRESH POLICY takes AUTO, FULL, INCREMENTAL or INCREMENTAL STRICT.")
    if policy == "INCREMENTAL":
        reader.accept("STRICT")
    return True


_CLAUSES = (
    "COMMENT",
    "TBLPROPERTIES",
    "PARTITIONED",
    "CLUSTER",
    "LOCATION",
    "WITH",
    "USING",
    "AS",
    "FLOW",
)


def _properties(reader: Reader) -> dict[str, str]:
    properties = {}
    for item in reader.items():
        key = item.text() if item.at_text() else item.name()
        item.accept("=")
        properties[key] = item.literal()
        item.end()
    return properties


def _columns(reader: Reader) -> Columns:
    """Columns with types become a schema; a list of names renames what the query returns."""
    schema: list[str] = []
    names: list[str] = []
    comments: dict[str, str] = {}
    rules: list[Rule] = []
    masked: list[str] = []
    for item in reader.items():
        if item.at("CONSTRAINT") and item.holds("EXPECT"):
            rules.append(_rule(item))
        elif item.at("CONSTRAINT") or item.at("PRIMARY") or item.at("FOREIGN"):
            schema.append(str(item.rest()))
        else:
            _column(item, schema, names, comments, masked)
    if names and len(names) < len(schema):
        raise reader.error("all columns need a type, or none.", "give each column its type")
    return Columns(
        ", ".join(schema) if schema and not names else None,
        tuple(names),
        comments,
        tuple(rules),
        tuple(masked),
    )


def _column(
    item: Reader,
    schema: list[str],
    names: list[str],
    comments: dict[str, str],
    masked: list[str],
) -> None:
    definition = str(item.until((("MASK",),)))
    name = item.restarted().column()
    if item.accept("MASK"):
        masked.append(name)
        item.name()
        if item.accept("USING", "COLUMNS"):
            item.parenthesized()
        if not item.ended:
            definition += f" {item.rest()}"
    untyped = item.restarted()
    untyped.column()
    if untyped.ended or untyped.accept("COMMENT"):
        names.append(name)
        if not untyped.ended:
            comments[name] = untyped.text()
        return
    schema.append(definition)


def _rule(item: Reader) -> Rule:
    item.expect("CONSTRAINT")
    name = item.column()
    item.expect("EXPECT")
    if not item.at("("):
        raise item.error("the condition stands in parentheses.", "write EXPECT (id IS NOT NULL)")
    condition = item.parenthesized().rest()
    action = Action.WARN
    if item.accept("ON"):
        item.expect("VIOLATION")
        action = _action(item)
    item.end(("ON",))
    return Rule(name, condition, action)


def _action(item: Reader) -> Action:
    if item.accept("DROP", "ROW"):
        return Action.DROP
    if item.accept("FAIL", "UPDATE"):
        return Action.FAIL
    raise item.error("ON VIOLATION takes DROP ROW or FAIL UPDATE.")


def column_list(reader: Reader) -> tuple[Sequence[str], bool]:
    """Columns in parentheses, or all but those: `(a, b)` and `* EXCEPT (a, b)`."""
    excluded = reader.accept("*", "EXCEPT")
    return reader.columns(), excluded
