"""Declares the statements of an SQL source; they end in the same registry as Python's calls."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from local_shim.declaring import cdc_arguments
from local_shim.declaring.datasets import DatasetOptions
from local_shim.declaring.expectations import check_names
from local_shim.errors import DefinitionError, ShimError, raise_all
from local_shim.graph.declared_at import declared_at, declared_here, location_of
from local_shim.graph.elements import (
    AutoCdcFlow,
    Dataset,
    Expectation,
    QueryFlow,
    ReplaceUsing,
    ReplaceWhere,
    SnapshotFlow,
    SourceLocation,
)
from local_shim.graph.names import Namespace, TableName
from local_shim.graph.registry import Registry
from local_shim.jvm.spark_parser import check_expression, parser_reason
from local_shim.reading.interception import session
from local_shim.sql_sources.grammar.definitions import (
    AutoCdc,
    Columns,
    CreateDataset,
    CreateFlow,
    Definition,
    FlowBody,
    Insert,
    Rule,
    SetKey,
    SnapshotCdc,
    UseNamespace,
)
from local_shim.sql_sources.grammar.parse import definition, is_no_definition
from local_shim.sql_sources.grammar.reader import Reader
from local_shim.sql_sources.grammar.source_text import SourceText
from local_shim.sql_sources.grammar.tokens import Token, statements, tokens
from local_shim.sql_sources.query import check_syntax, constant, query_function
from local_shim.sql_sources.snapshots import snapshot_source
from local_shim.sql_sources.substitution import keys_in, with_configuration, with_parameters
from local_shim.sql_text import quote


class SqlSource:
    """The statements of a file, or of the SQL cells of a notebook.

    What SET and USE say holds for the statements after them.
    """

    def __init__(self, registry: Registry):
        self.registry = registry
        self.settings: dict[str, str] = {}
        self.namespace: Namespace | None = None

    def declare(self, source: SourceText, *, skip_others: bool = False) -> None:
        """Declares each statement; raises the errors of all of them at once.

        With `skip_others`, statements that no pipeline has are left out, each with a warning: a
        pipeline on Databricks does not run the SQL cells of a Python notebook, so that notebooks
        have queries there.
        """
        errors: list[ShimError] = []
        for statement in statements(source):
            where = source.line(statement[0].start)
            if skip_others and is_no_definition(statement):
                self._skip(statement, where)
                continue
            try:
                with declared_at(where):
                    self._declare(self._definition(source, statement))
            except ShimError as error:
                errors += getattr(error, "errors", [error])
            except PySparkException as error:
                errors.append(_spark_error(error, where))
        raise_all(errors)

    def _skip(self, statement: list[Token], where: SourceLocation) -> None:
        words = " ".join(token.text.upper() for token in statement[:2])
        self.registry.warnings.append(f"{where}: the statement {words} … is not run here.")

    def _definition(self, source: SourceText, statement: list[Token]) -> Definition:
        """The statement of these tokens, with values for `${key}` and `:name`."""
        text = source.part(statement[0].start, statement[-1].stop)
        configuration = {**self.registry.configuration, **self.settings}
        self.registry.keys_read |= keys_in(text)
        text = with_parameters(with_configuration(text, configuration), self._parameters())
        parts = list(statements(text))
        if len(parts) != 1:
            raise DefinitionError(
                "PARSE_SYNTAX_ERROR",
                "a value of the configuration ends the statement, or comments it out.",
                where=source.line(statement[0].start),
                hint="the values of ${…} must not hold semicolons or comments",
            )
        return definition(Reader(text, parts[0], constant))

    def _parameters(self) -> Mapping[str, str]:
        return {**self.registry.configuration, **self.settings, **self.registry.parameters}

    def _declare(self, statement: Definition) -> None:
        if isinstance(statement, SetKey):
            self.settings[statement.key] = statement.value
        elif isinstance(statement, UseNamespace):
            current = self.namespace or self.registry.namespace
            self.namespace = Namespace(
                statement.catalog or current.catalog, statement.schema or current.schema
            )
        elif isinstance(statement, CreateDataset):
            self._create(statement)
        else:
            self._add_flow(statement)

    # --- datasets

    def _create(self, statement: CreateDataset) -> None:
        clauses, columns = statement.clauses, statement.clauses.columns
        self._note(statement)
        options = DatasetOptions(
            clauses.comment,
            clauses.properties,
            clauses.partition_cols,
            clauses.cluster_by,
            columns.schema,
            statement.private,
            clauses.row_filter,
        )
        raise_all(list(options.faults(statement.name)))
        dataset = options.dataset(statement.kind, self._name(statement.name))
        dataset = replace(dataset, expectations=tuple(map(_expectation, columns.rules)))
        self.registry.add_dataset(dataset)
        check_names(dataset)
        if statement.flow is not None:
            self._fill(dataset, statement.flow, columns)

    def _note(self, statement: CreateDataset) -> None:
        """Reports old spellings and clauses without effect."""
        name, clauses = statement.name, statement.clauses
        if statement.deprecated:
            self.registry.deprecated(f"SQL_CREATE_{statement.deprecated.replace(' ', '_')}")
        for column in clauses.columns.masked:
            self.registry.warn(f"the mask of column '{column}' of '{name}' is not applied")
        for clause in clauses.ignored:
            self.registry.warn(f"{clause} of '{name}' has no effect: the storage holds all tables")
        if statement.persisted:
            _check_batch(statement)
            self.registry.warn(f"view '{name}' is published on Databricks; here it is not stored")

    def _fill(self, dataset: Dataset, body: FlowBody, columns: Columns) -> None:
        if isinstance(body, Insert):
            self.registry.add_flow(self._query_flow(dataset, body, columns))
        else:
            self._add_change_flow(_text(dataset.name), body, None)

    def _query_flow(self, dataset: Dataset, body: Insert, columns: Columns) -> QueryFlow:
        return QueryFlow(
            str(dataset.name),
            dataset.name,
            self._function(body, columns),
            dataset.where,
            once=body.once,
            spark_conf=dict(self.settings),
            comment=dataset.comment,
            replace=_replacement(body),
        )

    # --- flows

    def _add_flow(self, statement: CreateFlow) -> None:
        if not isinstance(statement.body, Insert):
            self._add_change_flow(self._name(statement.target), statement.body, statement.name)
            return
        qualify = self.registry.namespace.qualify
        self.registry.add_flow(
            QueryFlow(
                str(qualify(self._name(statement.name or statement.target))),
                qualify(self._name(statement.target)),
                self._function(statement.body, Columns()),
                declared_here(),
                once=statement.body.once,
                spark_conf=dict(self.settings),
                comment=statement.comment,
                default=False,
                replace=_replacement(statement.body),
            )
        )

    def _add_change_flow(self, target: str, body: AutoCdc | SnapshotCdc, name: str | None) -> None:
        where, namespace = declared_here(), self.registry.namespace
        arguments: dict[str, Any] = {
            **body.arguments,
            "target": target,
            "where": where,
            "namespace": namespace,
        }
        flow: AutoCdcFlow | SnapshotFlow
        if isinstance(body, AutoCdc):
            arguments |= {"name": name, "source": self._name(arguments["source"])}
            flow = cdc_arguments.auto_cdc_flow(**arguments)
        else:
            source = snapshot_source(body, self.namespace, self._name)
            flow = cdc_arguments.snapshot_flow(**arguments, source=source.snapshots)
            flow = replace(flow, version_column=source.version_column)
        self.registry.add_flow(replace(flow, spark_conf=dict(self.settings)))

    def _function(self, body: Insert, columns: Columns) -> Callable[[], DataFrame]:
        check_syntax(body.query)
        return query_function(body.query, columns, self.namespace)

    def _name(self, name: str) -> str:
        """The name as it is written, or its full name if USE has set another namespace."""
        return name if self.namespace is None else _text(self.namespace.qualify(name))


def _check_batch(view: CreateDataset) -> None:
    """Raises DefinitionError if the query of a published view streams."""
    assert isinstance(view.flow, Insert)  # the grammar knows no other view
    for before, word in itertools.pairwise(tokens(view.flow.query)):
        if word.is_word("STREAM") and (before.is_word("FROM") or before.is_word("JOIN")):
            raise DefinitionError(
                "STREAMING_RELATION_FOR_PERSISTED_VIEW",
                f"the query of view '{view.name}' streams, and a published view cannot.",
                where=view.flow.query.location(word.start),
                hint="write CREATE TEMPORARY VIEW",
            )


def _text(name: TableName) -> str:
    return ".".join(map(quote, (name.catalog, name.schema, name.table)))


def _expectation(rule: Rule) -> Expectation:
    _check(rule.condition)
    return Expectation(rule.name, str(rule.condition), rule.action)


def _replacement(body: Insert) -> ReplaceWhere | ReplaceUsing | None:
    if body.replace_where is not None:
        _check(body.replace_where)
        return ReplaceWhere(F.expr(str(body.replace_where)))
    if body.sequence_by is not None:
        _check(body.sequence_by)
        return ReplaceUsing(body.replace_using, F.expr(str(body.sequence_by)))
    return None


def _check(expression: SourceText) -> None:
    """DefinitionError for text that is no SQL expression."""
    try:
        check_expression(session(), str(expression))
    except Exception as error:  # PySpark wraps the parser's error in several ways
        raise DefinitionError(
            "PARSE_SYNTAX_ERROR",
            f"'{expression}' is no SQL expression: {parser_reason(error)}",
            where=expression.where,
        ) from error


def _spark_error(error: PySparkException, where: SourceLocation) -> DefinitionError:
    condition = error.getCondition() or type(error).__name__
    text = str(error).strip().split("\n")[0].removeprefix(f"[{condition}]")
    message = text.split(" SQLSTATE:")[0].strip()
    return DefinitionError(condition, message, where=location_of(error) or where)
