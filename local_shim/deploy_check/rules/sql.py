"""Mistakes in the SQL of tasks, alerts and dashboards, and widgets without their dataset."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot.errors import SqlglotError

from local_shim.deploy_check.deployment import Deployment
from local_shim.errors import close_match
from local_shim.pipeline_spec.document.node import Node, Place
from local_shim.pipeline_spec.document.problems import Problems


@dataclass(frozen=True)
class Script:
    """SQL that a task, an alert or a dashboard runs, and where it is written."""

    text: str
    place: Place
    owner: str = ""  # such as "dataset 'kpi' of ", for a script inside a file


def check(deployment: Deployment, problems: Problems) -> None:
    """Notes SQL that Databricks cannot parse, and widgets without a dataset."""
    with _unknown_statements_unmentioned():
        for script in scripts(deployment):
            _parse(script, problems)
    for dashboard, node in _dashboards(deployment):
        datasets = [str(each.get("name")) for each in dashboard.get("datasets", ())]
        for name in _read_datasets(dashboard):
            if name not in datasets:
                problems.add(
                    "DATASET_UNKNOWN",
                    f"A widget of {node.text()} reads dataset '{name}', which does not exist.",
                    node.place,
                    close_match(name, datasets),
                )


def scripts(deployment: Deployment) -> Iterator[Script]:
    """Every SQL text of a deployment."""
    for _, job in deployment.of("jobs"):
        for task in job.elements("tasks"):
            file = task.at("sql_task", "file", "path")
            path = deployment.paths.path(file) if file else None
            if path and path.is_file():
                yield Script(path.read_text(encoding="utf-8"), Place(path, 1))
    for _, alert in deployment.of("alerts"):
        query = alert.at("query_text")
        if query:
            yield Script(query.text(), query.place)
    for dashboard, node in _dashboards(deployment):
        for dataset in dashboard.get("datasets", ()):
            text = "".join(dataset.get("queryLines", ())) or dataset.get("query", "")
            yield Script(text, node.place, f"dataset '{dataset.get('name')}' of ")


def _dashboards(deployment: Deployment) -> Iterator[tuple[dict[str, Any], Node]]:
    """The dashboards whose files are JSON; others are noted by the check of paths."""
    for _, resource in deployment.of("dashboards"):
        node = resource.at("file_path")
        path = deployment.paths.path(node) if node else None
        if node and path and path.is_file():
            with suppress(ValueError):
                content = json.loads(path.read_text(encoding="utf-8"))
                if isinstance(content, dict):
                    yield content, node


def _read_datasets(dashboard: dict[str, Any]) -> Iterator[str]:
    for page in dashboard.get("pages", ()):
        for item in page.get("layout", ()):
            for query in item.get("widget", {}).get("queries", ()):
                yield str(query.get("query", {}).get("datasetName"))


def _parse(script: Script, problems: Problems) -> None:
    try:
        sqlglot.parse(script.text, dialect="databricks")
    except SqlglotError as error:
        first = str(error).splitlines()[0].split("\x1b")[0].rstrip(". ")
        where = f"{script.owner}{script.place.file.name}"
        problems.add("SQL_BROKEN", f"The SQL of {where}: {first}.", script.place)


@contextmanager
def _unknown_statements_unmentioned() -> Iterator[None]:
    """The parser logs a warning for statements without a grammar, such as SET MASK."""
    log = logging.getLogger("sqlglot")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)
