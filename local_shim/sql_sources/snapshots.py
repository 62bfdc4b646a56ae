"""AUTO CDC FROM SNAPSHOT in SQL: a snapshot query, and a query of the next version.

Behaviour 164 to 167. The version query runs until it gives no row; each version that it gives is
taken as one snapshot. `last_snapshot_version()` and `current_snapshot_version()` stand for
relations of one column, called and typed like the column of the version query.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql.types import StructField, StructType

from local_shim.errors import DefinitionError, FlowError
from local_shim.graph.declared_at import declared_here
from local_shim.graph.elements import SourceLocation
from local_shim.graph.names import Namespace
from local_shim.reading.interception import session
from local_shim.sql_sources.grammar.definitions import Columns, SnapshotCdc
from local_shim.sql_sources.grammar.source_text import SourceText
from local_shim.sql_sources.grammar.tokens import tokens
from local_shim.sql_sources.query import query_function
from local_shim.sql_text import Edit

_LAST, _CURRENT = "last_snapshot_version", "current_snapshot_version"
# A version may have any type with an order; the query says which of them it is.
_TYPES = ("BIGINT", "INT", "TIMESTAMP", "DATE", "STRING", "DOUBLE", "DECIMAL(38,18)")
_counter = itertools.count()
NextSnapshot = Callable[[Any], tuple[DataFrame, Any] | None]


@dataclass(frozen=True)
class SnapshotSource:
    """Where a flow has its snapshots from.

    `snapshots` is a dataset's name, or the function of the last version that gives the next
    snapshot; `version_column` is the function that gives name and type of WITH VERSION.
    """

    snapshots: str | NextSnapshot
    version_column: Callable[[], str] | None = None


def snapshot_source(
    body: SnapshotCdc, namespace: Namespace | None, full_name: Callable[[str], str]
) -> SnapshotSource:
    """The source of a statement; DefinitionError for a function of versions in a wrong place."""
    if isinstance(body.snapshot, str):
        return SnapshotSource(full_name(body.snapshot))
    _refuse(body.snapshot, _LAST, "FROM SNAPSHOT")
    if body.version is None:
        _refuse(body.snapshot, _CURRENT, "FROM SNAPSHOT without WITH VERSION")
        return SnapshotSource(_only_snapshot(body.snapshot, namespace))
    _refuse(body.version, _CURRENT, "WITH VERSION")
    versioned = _VersionedSnapshots(body.snapshot, body.version, namespace)
    return SnapshotSource(versioned.next, versioned.column_text)


def _only_snapshot(query: SourceText, namespace: Namespace | None) -> NextSnapshot:
    """Without versions there is one snapshot; a later update finds the target filled."""
    where, is_taken = declared_here(), False

    def next_snapshot(last: Any) -> tuple[DataFrame, Any] | None:
        nonlocal is_taken
        if last is not None and not is_taken:
            raise FlowError(
                "AUTO_CDC_FROM_SNAPSHOT_NON_EMPTY_TARGET_WITHOUT_VERSION",
                "the target has a snapshot already, and the statement has no WITH VERSION.",
                where=where,
                hint="add WITH VERSION (query), or write AUTO CDC ONCE",
            )
        if last is not None:
            return None
        is_taken = True
        return query_function(query, Columns(), namespace)(), 1

    return next_snapshot


class _VersionedSnapshots:
    """The snapshots of a statement with WITH VERSION."""

    def __init__(self, snapshot: SourceText, version: SourceText, namespace: Namespace | None):
        self.snapshot = snapshot
        self.version = version
        self.namespace = namespace
        self.where: SourceLocation = declared_here()

    def next(self, last: Any) -> tuple[DataFrame, Any] | None:
        """The snapshot of the version after `last`; None if the version query gives no row."""
        column = self._column()
        query = _with_relation(self.version, _LAST, column, None if last is None else (last,))
        rows = query_function(query, Columns(), self.namespace)().limit(2).collect()
        if not rows:
            return None
        if len(rows) > 1 or rows[0][0] is None:
            raise self._invalid("gave two rows" if len(rows) > 1 else "gave NULL")
        version = rows[0][0]
        snapshot = _with_relation(self.snapshot, _CURRENT, column, (version,))
        return query_function(snapshot, Columns(), self.namespace)(), version

    def column_text(self) -> str:
        """The name and type of the version query's column, as SQL writes them."""
        column = self._column()
        return f"{column.name} {column.dataType.simpleString()}"

    def _column(self) -> StructField:
        """The column of the version query: the type with which it gives itself again."""
        errors: list[AnalysisException] = []
        name = _name_of_column(self.version)
        for kind in _TYPES:
            try:
                schema = self._analysed(StructField(name, _type(kind)))
            except AnalysisException as error:
                errors.append(error)
                continue
            if len(schema) != 1:
                raise self._invalid(f"has {len(schema)} columns")
            if schema[0].dataType == _type(kind):
                return schema[0]
        if errors:
            raise errors[0]
        raise self._invalid("gives a version of a type without an order")

    def _analysed(self, column: StructField) -> StructType:
        query = _with_relation(self.version, _LAST, column, None)
        return query_function(query, Columns(), self.namespace)().schema

    def _invalid(self, what: str) -> DefinitionError:
        return DefinitionError(
            "INVALID_AUTO_CDC_FROM_SNAPSHOT_VERSION_QUERY",
            f"the version query {what}.",
            where=self.version.where,
            hint="it gives one column and at most one row; drop NULL by HAVING … IS NOT NULL",
        )


def _with_relation(
    query: SourceText, function: str, column: StructField, row: tuple[Any] | None
) -> SourceText:
    """The query with a view of one column in the place of the function's calls."""
    calls = _calls(query, function)
    if not calls:
        return query
    view = f"__dlt_version_{next(_counter)}"
    schema = StructType([StructField(column.name, column.dataType)])
    frame = session().createDataFrame([] if row is None else [row], schema)
    frame.createOrReplaceTempView(view)
    return query.edited(Edit(start, stop, view) for start, stop in calls)


def _calls(query: SourceText, function: str) -> list[tuple[int, int]]:
    every = tokens(query)
    return [
        (name.start, closing.stop)
        for name, opening, closing in zip(every, every[1:], every[2:], strict=False)
        if name.is_word(function.upper()) and opening.is_word("(") and closing.is_word(")")
    ]


def _name_of_column(query: SourceText) -> str:
    """The name of the only column that the query selects: the last word before its FROM."""
    name, depth, selecting = "version", 0, False
    for token in tokens(query):
        depth += token.is_word("(") - token.is_word(")")
        if depth == 0 and token.is_word("SELECT"):
            selecting = True
        elif depth == 0 and token.is_word("FROM"):
            selecting = False
        elif depth == 0 and selecting:
            name = token.text
    return name


def _refuse(query: SourceText, function: str, clause: str) -> None:
    if _calls(query, function):
        raise DefinitionError(
            "INVALID_USAGE_OF_SNAPSHOT_VERSION_FUNCTION",
            f"{function}() may not stand in {clause}.",
            where=query.where,
            hint=f"{_LAST}() belongs into WITH VERSION, {_CURRENT}() into FROM SNAPSHOT of a "
            "statement with WITH VERSION",
        )


def _type(kind: str) -> Any:
    schema = StructType.fromDDL(f"v {kind}")
    assert isinstance(schema, StructType)
    return schema[0].dataType
