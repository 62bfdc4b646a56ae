"""Checks that the files and folders that resources name exist and are uploaded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from local_shim.deploy_check.deployment import Deployment
from local_shim.errors import close_match
from local_shim.pipeline_spec.document.node import Node
from local_shim.pipeline_spec.document.problems import Problems

_TASK_FILES = (
    ("sql_task", "file", "path"),
    ("notebook_task", "notebook_path"),
    ("spark_python_task", "python_file"),
)
# The CLI sends their files to the workspace one by one, so `sync.paths` does not matter.
_SENT_ALONE = ("dashboards", "alerts")


def check(deployment: Deployment, problems: Problems) -> None:
    """Notes paths that do not exist, sources that are not uploaded, and JSON that is broken."""
    for node, is_uploaded in _files(deployment):
        path = deployment.paths.path(node)
        if node.text().startswith("/") and not path.exists():
            continue  # a path of the workspace
        if not path.exists() and not path.with_suffix(".ipynb").exists():
            _refuse_missing(node, path, problems)
        elif is_uploaded:
            _refuse_not_uploaded(deployment, node, path, problems)
        elif path.suffix == ".json":
            _read_json(node, path, problems)


def _files(deployment: Deployment) -> Iterator[tuple[Node, bool]]:
    """Every path of a resource, and whether a deployment uploads it with the bundle's files."""
    for _, pipeline in deployment.of("pipelines"):
        root = pipeline.at("root_path")
        if root:
            yield root, False
        for library in pipeline.elements("libraries"):
            source = library.at("file", "path") or library.at("notebook", "path")
            include = library.at("glob", "include")
            if include:
                text = include.text().removesuffix("/**")
                source = Node(text, include.place, text)
            if source:
                yield source, True
    for _, job in deployment.of("jobs"):
        for task in job.elements("tasks"):
            files = [task.at(*keys) for keys in _TASK_FILES]
            yield from ((file, True) for file in files if file)
    for kind in _SENT_ALONE:
        for _, resource in deployment.of(kind):
            file = resource.at("file_path")
            if file:
                yield file, False


def _refuse_missing(node: Node, path: Path, problems: Problems) -> None:
    near = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    hint = close_match(path.name, near)
    problems.add(
        "PATH_NOT_FOUND",
        f"'{node.text()}' does not exist.",
        node.place,
        hint if hint.startswith("did") else f"relative paths count from {node.place.folder.name}/",
    )


def _refuse_not_uploaded(
    deployment: Deployment, node: Node, path: Path, problems: Problems
) -> None:
    bundle = deployment.bundle
    sync_paths = bundle.tree.at("sync", "paths")
    if sync_paths is None:
        return
    folders = [(each.place.folder / each.text()).resolve() for each in sync_paths.elements()]
    if not any(path.resolve().is_relative_to(folder) for folder in folders):
        problems.add(
            "PATH_NOT_UPLOADED",
            f"'{node.text()}' lies outside `sync.paths`, so a deployment does not upload it.",
            node.place,
            f"add its folder to `sync.paths` at {sync_paths.place}",
        )


def _read_json(node: Node, path: Path, problems: Problems) -> None:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        problems.add("JSON_BROKEN", f"{path.name} is not JSON: {error}.", node.place)
