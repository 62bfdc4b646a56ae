"""SQL of tasks, alerts and dashboards: it parses, and widgets read datasets that there are."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import sqlglot
from sqlglot.errors import SqlglotError

from local_shim.deploy_check.deployment import Deployment
from local_shim.errors import close_match
from local_shim.pipeline_spec.document.node import Node, Place
from local_shim.pipeline_spec.document.problems import Problems


def check(deployment: Deployment, problems: Problems) -> None:
    """Notes SQL that Databricks cannot parse, and widgets without a dataset."""
    with _unknown_statements_unmentioned():
        for text, place in _texts(deployment):
            _parse(text, place, problems)
        for dashboard, node in _dashboards(deployment):
            datasets = {str(each.get("name")): each for each in dashboard.get("datasets", ())}
            for dataset in datasets.values():
                text = "".join(dataset.get("queryLines", ())) or dataset.get("query", "")
                _parse(text, node.place, problems, f"dataset '{dataset.get('name')}' of ")
            for name in _read_datasets(dashboard):
                if name not in datasets:
                    problems.add(
                        "DATASET_UNKNOWN",
                        f"A widget of {node.text()} reads dataset '{name}', which is not there.",
                        node.place,
                        close_match(name, datasets),
                    )


def _texts(deployment: Deployment) -> Iterator[tuple[str, Place]]:
    for _, job in deployment.of("jobs"):
        tasks = job.at("tasks")
        for task in tasks.elements() if tasks else ():
            file = task.at("sql_task", "file", "path")
            path = deployment.paths.path(file) if file else None
            if path and path.is_file():
                yield path.read_text(encoding="utf-8"), Place(path, 1)
    for _, alert in deployment.of("alerts"):
        query = alert.at("query_text")
        if query:
            yield query.text(), query.place


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


def _parse(text: str, place: Place, problems: Problems, what: str = "") -> None:
    try:
        sqlglot.parse(text, dialect="databricks")
    except SqlglotError as error:
        first = str(error).splitlines()[0].split("\x1b")[0].rstrip(". ")
        problems.add("SQL_BROKEN", f"The SQL of {what}{place.file.name}: {first}.", place)


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
