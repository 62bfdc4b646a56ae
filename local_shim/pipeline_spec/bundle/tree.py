"""A Databricks bundle on disk: its root file, what that includes, and one target of it.

Rules: Databricks CLI 1.13, bundle configuration. Only what a local run needs is looked at; every
other resource type and root key passes through untouched.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local_shim.errors import UsageError, close_match
from local_shim.pipeline_spec.bundle.merge import merged
from local_shim.pipeline_spec.document.node import Node, Place, is_true
from local_shim.pipeline_spec.document.problems import Problems
from local_shim.pipeline_spec.document.text import read_yaml

ROOT_FILES = ("databricks.yml", "databricks.yaml", "bundle.yml", "bundle.yaml")


@dataclass(frozen=True)
class Bundle:
    """A bundle with one target laid over it; `${…}` is still as written."""

    folder: Path
    file: Path
    target: str
    tree: Node
    override: Node  # what the target itself says

    @property
    def mode(self) -> str:
        """The deployment mode of the target, such as `development`; empty if it has none."""
        node = self.tree.at("mode")
        return node.text() if node else ""

    @property
    def sync_root(self) -> Path:
        """What `${workspace.file_path}` stands for: the bundle folder, or a folder above it.

        `sync.paths` may name folders beside the bundle; then their common parent is uploaded.
        """
        synced = self.tree.elements("sync", "paths")
        shared = [node.place.folder / node.text() for node in synced]
        return Path(os.path.commonpath([self.folder, *map(_normal, shared)]))


def read_bundle(
    folder: Path, target: str | None, environ: Mapping[str, str], problems: Problems
) -> Bundle:
    """The bundle in `folder` under a target.

    Raises UsageError if there is no bundle or no such target; the rest goes to `problems`.
    """
    file = _root_file(folder)
    tree = _with_includes(read_yaml(file, problems), file, problems)
    if any(error.condition == "YAML_BROKEN" for error in problems.errors):
        problems.raise_any()  # what else seems missing may stand in the broken file
    targets = tree.at("targets") or tree.at("environments") or Node({}, Place(file, 1))
    name = _target_name(targets, target or environ.get("DATABRICKS_BUNDLE_TARGET"), file)
    override = dict(targets.items()).get(name, Node({}, targets.place))
    if override.value is None:  # `prod:` with nothing below it is a target like any other
        override = Node({}, override.place)
    root = Node({key: node for key, node in tree.items() if key != "targets"}, tree.place)
    parts = {key: node for key, node in override.items() if key not in ("variables", "default")}
    return Bundle(file.parent, file, name, merged(root, Node(parts, override.place)), override)


def target_names(folder: Path, problems: Problems) -> list[str]:
    """The targets of the bundle in `folder`, in their order; none if it declares none."""
    file = _root_file(folder)
    tree = _with_includes(read_yaml(file, problems), file, problems)
    targets = tree.at("targets") or tree.at("environments")
    return [name for name, _ in targets.items()] if targets else []


def _root_file(folder: Path) -> Path:
    folder = _normal(folder.parent if folder.is_file() else folder)
    root_files = [folder / name for name in ROOT_FILES if (folder / name).is_file()]
    if not root_files:
        raise UsageError(
            "BUNDLE_NOT_FOUND",
            f"There is no bundle in {folder}.",
            hint="--bundle wants a folder with a databricks.yml; see also --spec, or give FILES",
        )
    if len(root_files) > 1:
        names = ", ".join(file.name for file in root_files)
        raise UsageError(
            "BUNDLE_AMBIGUOUS", f"{folder} has several root files: {names}.", hint="keep one"
        )
    return root_files[0]


def _with_includes(root: Node, file: Path, problems: Problems) -> Node:
    tree = root
    files = {file}
    for pattern in root.elements("include"):
        for path in _included(pattern, file, problems):
            if path not in files:
                files.add(path)
                part = read_yaml(path, problems)
                _refuse_second_definitions(tree, part, problems)
                tree = merged(tree, part)
    return tree


def _included(pattern: Node, file: Path, problems: Problems) -> list[Path]:
    # The CLI matches with Go's filepath.Glob, to which `**` is `*` (cli#4831).
    text = pattern.text().replace("**", "*")
    paths = [_normal(Path(path)) for path in sorted(glob.glob(str(file.parent / text)))]
    if not paths and not glob.has_magic(text):
        near = [str(path.relative_to(file.parent)) for path in file.parent.rglob("*.y*ml")]
        problems.add(
            "INCLUDE_NOT_FOUND",
            f"'{pattern.text()}' is included, but there is no such file.",
            pattern.place,
            close_match(pattern.text(), near),
        )
    return [path for path in paths if path.is_file() and path.suffix in (".yml", ".yaml", ".json")]


def _refuse_second_definitions(tree: Node, part: Node, problems: Problems) -> None:
    existing = dict(_resources(tree))
    for key, node in _resources(part):
        if key in existing:
            problems.add(
                "RESOURCE_DEFINED_TWICE",
                f"Resource '{key}' is defined here and at {existing[key].place}.",
                node.place,
                "a key is unique in a bundle, also across resource types; rename one of them",
            )


def _resources(tree: Node) -> list[tuple[str, Node]]:
    return [pair for _, resources in tree.items("resources") for pair in resources.items()]


def _target_name(targets: Node, target: str | None, file: Path) -> str:
    names = [name for name, _ in targets.items()]
    if target:
        if target not in names:
            raise UsageError(
                "UNKNOWN_TARGET",
                f"The bundle has no target '{target}'.",
                where=targets.place,
                hint=close_match(target, names) or f"{file.name} declares no targets; leave it out",
            )
        return target
    if not names:
        return "default"
    marked = [name for name, node in targets.items() if is_true(node.at("default"))]
    if len(marked or names) > 1:
        raise UsageError(
            "TARGET_NEEDED",
            f"The bundle has several targets and no single default: {', '.join(marked or names)}.",
            where=targets.place,
            hint=f"add --target {names[0]}, or `default: true` to one of them",
        )
    return (marked or names)[0]


def _normal(path: Path) -> Path:
    return Path(os.path.abspath(path))
