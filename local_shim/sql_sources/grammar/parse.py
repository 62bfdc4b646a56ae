"""Reads one statement of an SQL source as a definition."""

from __future__ import annotations

from collections.abc import Sequence

from local_shim.errors import close_match
from local_shim.graph.elements import DatasetKind
from local_shim.graph.names import parts
from local_shim.sql_sources.grammar.advice import OTHER_STATEMENTS, advice
from local_shim.sql_sources.grammar.definitions import (
    CreateDataset,
    CreateFlow,
    Definition,
    FlowBody,
    Insert,
    SetKey,
    UseNamespace,
)
from local_shim.sql_sources.grammar.parse_flow import change_data, flow_clause, insert
from local_shim.sql_sources.grammar.parse_table import table_clauses, view_clauses
from local_shim.sql_sources.grammar.reader import Reader
from local_shim.sql_sources.grammar.tokens import Token


def definition(reader: Reader) -> Definition:
    """The definition that a statement is; raises DefinitionError where it breaks the grammar."""
    if reader.accept("CREATE"):
        return _created(reader)
    if reader.accept("APPLY", "CHANGES", "INTO"):
        target = reader.name()
        return CreateFlow(target, change_data(reader, once=False))
    if reader.accept("SET"):
        return _set(reader)
    if reader.accept("USE"):
        return _use(reader)
    word = reader.word().upper()
    raise reader.restarted().error(f"{word} is no statement of a pipeline.", advice(word))


def is_no_definition(statement: Sequence[Token]) -> bool:
    """Whether a statement is a known one that no pipeline has; a misspelt one is not."""
    first, *others = (token.text.upper() for token in statement)
    created = next((word for word in others if word not in ("OR", "REPLACE")), "")
    return first in OTHER_STATEMENTS or (first == "CREATE" and created in _OF_CATALOGS)


# What CREATE makes in a catalog, outside of pipelines.
_OF_CATALOGS = ("CATALOG", "CONNECTION", "DATABASE", "EXTERNAL", "FUNCTION", "SCHEMA", "VOLUME")


def _created(reader: Reader) -> Definition:
    start = reader.restarted()
    replace = reader.accept("OR", "REPLACE")
    refresh = not replace and reader.accept("OR", "REFRESH")
    if reader.accept("FLOW"):
        if replace:
            raise start.error("CREATE OR REPLACE FLOW is no statement of a pipeline.")
        if refresh and reader.at("IF"):
            raise reader.error("OR REFRESH and IF NOT EXISTS exclude each other.")
        return _flow(reader)
    _refuse_visibility(reader)
    private = reader.accept("PRIVATE")
    temporary = reader.accept("TEMPORARY") or reader.accept("TEMP")
    for words, kind, deprecated in _KINDS:
        if not reader.accept(*words):
            continue
        if replace and kind is not DatasetKind.MATERIALIZED_VIEW:
            raise start.error(
                f"CREATE OR REPLACE {' '.join(words)} is no statement of a pipeline.",
                f"write {_instead_of_replace(kind, words)}",
            )
        if kind is DatasetKind.MANAGED_TABLE and refresh:
            break
        persisted = kind is DatasetKind.VIEW and not temporary and not deprecated
        return _dataset(reader, kind, private or temporary, persisted, deprecated)
    _refuse_misspelt(start)
    raise start.error(
        "this CREATE statement is none of a pipeline.",
        "allowed: CREATE OR REFRESH STREAMING TABLE, CREATE OR REFRESH MATERIALIZED VIEW, "
        "CREATE [TEMPORARY] VIEW, CREATE TABLE, CREATE FLOW",
    )


# The words of each kind of dataset, and the old spelling that they are.
_KINDS = (
    (("STREAMING", "LIVE", "TABLE"), DatasetKind.STREAMING_TABLE, "STREAMING LIVE TABLE"),
    (("STREAMING", "LIVE", "VIEW"), DatasetKind.VIEW, "STREAMING LIVE VIEW"),
    (("INCREMENTAL", "LIVE", "TABLE"), DatasetKind.STREAMING_TABLE, "INCREMENTAL LIVE TABLE"),
    (("INCREMENTAL", "LIVE", "VIEW"), DatasetKind.VIEW, "INCREMENTAL LIVE VIEW"),
    (("STREAMING", "TABLE"), DatasetKind.STREAMING_TABLE, ""),
    (("MATERIALIZED", "VIEW"), DatasetKind.MATERIALIZED_VIEW, ""),
    (("LIVE", "TABLE"), DatasetKind.MATERIALIZED_VIEW, "LIVE TABLE"),
    (("LIVE", "VIEW"), DatasetKind.VIEW, "LIVE VIEW"),
    (("VIEW",), DatasetKind.VIEW, ""),
    (("TABLE",), DatasetKind.MANAGED_TABLE, ""),
)


def _instead_of_replace(kind: DatasetKind, words: Sequence[str]) -> str:
    if kind is DatasetKind.MANAGED_TABLE:
        return "CREATE OR REFRESH MATERIALIZED VIEW, or STREAMING TABLE over a stream"
    return f"CREATE {'' if kind is DatasetKind.VIEW else 'OR REFRESH '}{' '.join(words)}"


# Words that do not go together, and what to write.
_PRIVATE_VIEW = "write CREATE TEMPORARY VIEW, which is never published"
_VISIBILITY = (
    (("PRIVATE", "VIEW"), _PRIVATE_VIEW),
    (("PRIVATE", "LIVE", "VIEW"), _PRIVATE_VIEW),
    (("PRIVATE", "STREAMING", "LIVE", "VIEW"), _PRIVATE_VIEW),
    (("PRIVATE", "TEMPORARY"), "write one of them"),
    (("PRIVATE", "TABLE"), "a managed table is always published; write CREATE TABLE"),
    (("TEMPORARY", "TABLE"), "write CREATE OR REFRESH PRIVATE STREAMING TABLE"),
    (("TEMP", "TABLE"), "write CREATE OR REFRESH PRIVATE STREAMING TABLE"),
)


def _refuse_visibility(reader: Reader) -> None:
    """PRIVATE belongs to streaming tables and materialized views, TEMPORARY to views.

    Until 2025 a private table was a TEMPORARY one; that spelling is still read.
    """
    for words, hint in _VISIBILITY:
        if reader.at(*words):
            raise reader.error(f"CREATE {' '.join(words)} is no statement of a pipeline.", hint)


def _refuse_misspelt(reader: Reader) -> None:
    """Raises DefinitionError at the first word that is nearly one of a CREATE statement."""
    while reader.accept_any([(word,) for word in _WORDS]):
        pass
    near = "" if reader.ended else close_match(reader.next_word.upper(), _WORDS)
    if near.startswith("did you mean"):
        raise reader.error(f"'{reader.next_word}' is not expected here.", near)


_OTHER_WORDS = ("CREATE", "FLOW", "OR", "PRIVATE", "REFRESH", "REPLACE", "TEMPORARY")
_WORDS = (*_OTHER_WORDS, *{word for words, _, _ in _KINDS for word in words})


def _dataset(
    reader: Reader, kind: DatasetKind, private: bool, persisted: bool, deprecated: str
) -> CreateDataset:
    if reader.accept("IF", "NOT", "EXISTS"):
        raise reader.error("IF NOT EXISTS belongs to tables outside of pipelines.", "leave it out")
    name = reader.name()
    if kind is DatasetKind.VIEW:
        clauses = view_clauses(reader, persisted=persisted, with_rules=bool(deprecated))
    else:
        clauses = table_clauses(reader)
    flow: FlowBody | None = None
    if kind is DatasetKind.MANAGED_TABLE and reader.at("AS"):
        raise reader.error(
            "CREATE TABLE takes FLOW INSERT BY NAME, and no AS.",
            f"write {_instead_of_replace(kind, ())}",
        )
    if reader.accept("AS"):
        flow = Insert(reader.query())
    elif reader.accept("FLOW"):
        flow = flow_clause(reader)
    reader.end()
    if flow is None and kind in (DatasetKind.MATERIALIZED_VIEW, DatasetKind.VIEW):
        raise reader.error(f"'{name}' needs a query.", "add AS SELECT …")
    return CreateDataset(kind, name, clauses, flow, private, persisted, deprecated)


def _flow(reader: Reader) -> CreateFlow:
    reader.accept("IF", "NOT", "EXISTS")
    name = reader.name()
    comment = reader.text() if reader.accept("COMMENT") else None
    reader.expect("AS")
    if reader.accept("INSERT"):
        once = reader.accept("ONCE")
        reader.expect("INTO")
        once = reader.accept("ONCE") or once
        target = reader.name()
        return CreateFlow(target, insert(reader, once), name, comment)
    if not reader.accept("APPLY", "CHANGES"):
        reader.expect("AUTO", "CDC")
    once = reader.accept("ONCE")
    reader.expect("INTO")
    target = reader.name()
    return CreateFlow(target, change_data(reader, once=once), name, comment)


def _set(reader: Reader) -> SetKey:
    key = str(reader.until((("=",),)))
    reader.expect("=")
    value = reader.text() if reader.at_text() else str(reader.rest())
    reader.end()
    return SetKey(key, value)


def _use(reader: Reader) -> UseNamespace:
    if reader.accept("CATALOG"):
        return UseNamespace(catalog=_single(reader))
    if not reader.accept("SCHEMA"):
        reader.accept("DATABASE")
    name = reader.name()
    reader.end()
    names = parts(name)
    if len(names) > 2:
        raise reader.error("USE SCHEMA takes a schema, or a catalog and a schema.")
    return UseNamespace(names[0] if len(names) == 2 else None, names[-1])


def _single(reader: Reader) -> str:
    name = reader.column()
    reader.end()
    return name
