"""Queries that a deployment would run, analysed on the tables of a storage."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import sqlglot
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from sqlglot import exp

from local_shim.errors import UsageError
from local_shim.jvm.flow_session import own_session, pipeline_session
from local_shim.jvm.session import open_session
from local_shim.pipeline_spec.document.problems import Problems
from local_shim.query.catalog import EVENT_LOG, StorageCatalog
from local_shim.query.sql import usage_error
from local_shim.storage import Storage

_SYSTEM = ("system", "information_schema")  # tables of Databricks, which no storage has


def analyse(
    storage: Storage, scripts: Iterable[tuple[str, object]], event_logs: Iterable[str]
) -> int:
    """Analyses every query of the scripts, each a text and its place; gives their number.

    [choice] Names go by their last part, because a target has its own catalog and schema, and
    `event_logs` are names of the storage's event log. A query that reads Databricks' own tables is
    left out. Raises UsageError with all that Spark finds wrong.
    """
    catalog, logs = StorageCatalog(storage), set(event_logs)
    problems, seen = Problems(), set[str]()
    with pipeline_session(open_session()) as session, own_session(session, {}):
        for text, place in scripts:
            for query in _queries(text):
                try:
                    statement = _over_folders(query, catalog, logs)
                    if statement not in seen:
                        seen.add(statement)
                        _analyse(session, statement)
                except UsageError as error:
                    problems.add(error.condition, error.message, place, error.hint)
    problems.raise_any()
    return len(seen)


def _queries(text: str) -> Iterator[exp.Query]:
    """The queries of a script that read tables of the pipeline only."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it has no grammar for SET MASK
    for statement in sqlglot.parse(text, dialect="databricks"):
        if isinstance(statement, exp.Query) and not any(
            table.catalog in _SYSTEM or table.db in _SYSTEM
            for table in statement.find_all(exp.Table)
        ):
            yield statement


def _over_folders(query: exp.Query, catalog: StorageCatalog, event_logs: set[str]) -> str:
    """The query in Spark's SQL, in which names are folders of Delta tables."""
    common = {each.alias_or_name for each in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        if table.name in common and not table.db:
            continue
        name = EVENT_LOG if table.name in event_logs else table.name
        folder = catalog.folder([name])
        if folder is None:
            raise catalog.not_found(name)
        alias = exp.to_identifier(table.alias or table.name)
        table.set("alias", exp.TableAlias(this=alias))
        table.set("this", exp.to_identifier(str(folder), quoted=True))
        table.set("db", exp.to_identifier("delta"))
        table.set("catalog", None)
    return query.transform(_without_parameters).sql(dialect="spark")


def _without_parameters(node: exp.Expression) -> exp.Expression:
    return exp.null() if isinstance(node, exp.Placeholder) else node


def _analyse(session: SparkSession, statement: str) -> None:
    try:
        session.sql(statement)
    except PySparkException as error:
        raise usage_error(error) from None
