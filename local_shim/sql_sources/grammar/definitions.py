"""What the statements of an SQL source say, before it is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from local_shim.graph.elements import Action, DatasetKind
from local_shim.sql_sources.grammar.source_text import SourceText


@dataclass(frozen=True)
class Rule:
    """CONSTRAINT name EXPECT (condition) ON VIOLATION action."""

    name: str
    condition: SourceText
    action: Action


@dataclass(frozen=True)
class Columns:
    """The list of columns of a table.

    `schema` is their text without masks and expectations, `names` and `comments` are given where
    the list has names only.
    """

    schema: str | None = None
    names: tuple[str, ...] = ()
    comments: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    masked: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableClauses:
    """The clauses that all CREATE statements of datasets share."""

    columns: Columns = Columns()
    comment: str | None = None
    partition_cols: tuple[str, ...] = ()
    cluster_by: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    row_filter: str | None = None
    ignored: tuple[str, ...] = ()  # clauses without effect here


@dataclass(frozen=True)
class Insert:
    """INSERT INTO target query: rows are added, or replace others."""

    query: SourceText
    once: bool = False
    replace_where: SourceText | None = None
    replace_using: tuple[str, ...] = ()
    sequence_by: SourceText | None = None


@dataclass(frozen=True)
class AutoCdc:
    """AUTO CDC INTO target FROM source, with the arguments of `create_auto_cdc_flow`."""

    arguments: Mapping[str, object]


@dataclass(frozen=True)
class SnapshotCdc:
    """AUTO CDC INTO target FROM SNAPSHOT, with the arguments of the Python function."""

    snapshot: SourceText | str  # a query, or the name of a dataset
    version: SourceText | None
    arguments: Mapping[str, object]


FlowBody = Insert | AutoCdc | SnapshotCdc


@dataclass(frozen=True)
class CreateDataset:
    """A statement that creates a table or a view; `flow` fills it, if it is in the statement."""

    kind: DatasetKind
    name: str
    clauses: TableClauses
    flow: FlowBody | None = None
    private: bool = False
    persisted: bool = False  # CREATE VIEW without TEMPORARY: published on Databricks
    deprecated: str = ""  # the old spelling, if it is one


@dataclass(frozen=True)
class CreateFlow:
    """A statement that adds a flow to a table; APPLY CHANGES INTO gives it no name."""

    target: str
    body: FlowBody
    name: str | None = None
    comment: str | None = None
    deprecated: str = ""


@dataclass(frozen=True)
class SetKey:
    """SET key = value, for the statements after it."""

    key: str
    value: str


@dataclass(frozen=True)
class UseNamespace:
    """USE CATALOG and USE SCHEMA, for the statements after it."""

    catalog: str | None = None
    schema: str | None = None


Definition = CreateDataset | CreateFlow | SetKey | UseNamespace
