"""The pipeline of a bundle that is meant, and its fields."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from local_shim.errors import close_match
from local_shim.pipeline_spec.bundle.local_paths import LocalPaths
from local_shim.pipeline_spec.bundle.references import References
from local_shim.pipeline_spec.bundle.tree import Bundle
from local_shim.pipeline_spec.document.node import Node, is_true
from local_shim.pipeline_spec.document.problems import Problems
from local_shim.pipeline_spec.libraries import matching
from local_shim.pipeline_spec.pipeline import PipelineSpec

# Fields that a local run acts on. Only these must resolve: who runs a pipeline in production, or
# which budget pays, is no reason to refuse a run on a laptop.
_READ_FIELDS = (
    "name",
    "catalog",
    "schema",
    "target",
    "libraries",
    "root_path",
    "configuration",
    "parameters",
    "environment",
    "continuous",
)
_FIELDS_WITHOUT_EFFECT = {
    "allow_duplicate_names",
    "budget_policy_id",
    "cascade_on_destroy",
    "channel",
    "clusters",
    "development",
    "dry_run",
    "edition",
    "event_log",
    "filters",
    "gateway_definition",
    "id",
    "ingestion_definition",
    "lifecycle",
    "notifications",
    "parent_path",
    "permissions",
    "photon",
    "restart_window",
    "run_as",
    "serverless",
    "serverless_compute_id",
    "storage",
    "tags",
    "trigger",
    "usage_policy_id",
}
PIPELINE_FIELDS = _FIELDS_WITHOUT_EFFECT | set(_READ_FIELDS)
_IGNORED_LIBRARIES = ("jar", "maven")


def choose(bundle: Bundle, name: str | None, problems: Problems) -> tuple[str, Node]:
    """Key and node of the pipeline called `name`, or of the only one.

    Raises UsageError, with what was wrong before, if there is none or more than one.
    """
    pipelines = dict(bundle.tree.items("resources", "pipelines"))
    key = name or next(iter(pipelines), "")
    if key not in pipelines or (not name and len(pipelines) > 1):
        _no_choice(bundle, name, sorted(pipelines), problems)
        problems.raise_any()
    return key, pipelines[key]


def _no_choice(bundle: Bundle, name: str | None, keys: list[str], problems: Problems) -> None:
    in_python = bundle.tree.at("python", "resources") is not None
    also = "; pipelines that `python.resources` makes are not read" if in_python else ""
    if not keys:
        problems.add(
            "NO_PIPELINE",
            f"The bundle declares no pipeline for target '{bundle.target}'.",
            bundle.file,
            f"declare one under resources.pipelines, and `include` its file{also}",
        )
    elif name:
        problems.add(
            "UNKNOWN_PIPELINE",
            f"The bundle has no pipeline '{name}'.",
            bundle.file,
            close_match(name, keys) + also,
        )
    else:
        problems.add(
            "PIPELINE_NEEDED",
            f"The bundle has several pipelines: {', '.join(keys)}.",
            bundle.file,
            f"add --pipeline {keys[0]}",
        )


class PipelineReader:
    """Reads one pipeline of a bundle field by field."""

    def __init__(self, bundle: Bundle, references: References, paths: LocalPaths):
        self.bundle = bundle
        self.paths = paths
        self.references = references
        self.problems = references.problems

    def spec(self, key: str, node: Node) -> PipelineSpec:
        """The pipeline as a spec. What is wrong with it goes to the problems."""
        self._warn_unknown(node)
        fields = {
            name: self.references.resolved(child)
            for name, child in node.items()
            if name in _READ_FIELDS
        }
        settings = Node(fields, node.place)
        schema, legacy = settings.at("schema"), settings.at("target")
        # Without a catalog, `target` names a schema of the Hive metastore (legacy publishing).
        default_catalog = "hive_metastore" if legacy and not schema else "main"
        return PipelineSpec(
            key=key,
            name=_text(settings, "name", key),
            catalog=_text(settings, "catalog", default_catalog),
            schema=_text(settings, "schema", legacy.text() if legacy else "default"),
            sources=self._sources(settings, node),
            root=self._root(settings),
            configuration=self._pairs(settings, "configuration"),
            parameters=self._pairs(settings, "parameters"),
            dependencies=self._dependencies(settings),
            continuous=self._continuous(settings),
            where=str(node.place),
            warnings=tuple(self.problems.warnings),
        )

    def _warn_unknown(self, node: Node) -> None:
        """The other fields say how Databricks runs the pipeline, not what it gives."""
        for name, child in node.items():
            if name not in PIPELINE_FIELDS:
                hint = close_match(name, PIPELINE_FIELDS)
                self.problems.warn(
                    f"unknown field '{name}' of a pipeline is ignored",
                    child.place,
                    hint if hint.startswith("did you mean") else "",
                )

    def _sources(self, settings: Node, node: Node) -> tuple[Path, ...]:
        sources: dict[Path, None] = {}
        before = len(self.problems.errors)
        for library in settings.elements("libraries"):
            for path in self._library(library):
                sources[path] = None
        if not sources and len(self.problems.errors) == before:
            hint = "name files under `libraries`: - glob: {include: ../src/**}"
            if settings.elements("libraries"):
                hint = "what `libraries` names holds no .py, .sql or .ipynb file"
            elif node.at("ingestion_definition") or node.at("gateway_definition"):
                hint = "managed ingestion runs inside Databricks only; choose another --pipeline"
            self.problems.add("NO_SOURCES", "The pipeline has no source files.", node.place, hint)
        return tuple(sources)

    def _library(self, library: Node) -> list[Path]:
        named = library.at("glob", "include") or library.at("file", "path")
        named = named or library.at("notebook", "path")
        if named:
            folder = self.bundle.folder
            pattern = os.path.relpath(self.paths.text(named), folder)
            return matching(pattern, folder, named.place, self.problems)
        kinds = [key for key, _ in library.items()]
        if kinds and kinds[0] in _IGNORED_LIBRARIES:
            self.problems.warn(f"library '{kinds[0]}' is not loaded here", library.place)
        elif kinds != ["whl"]:
            self.problems.add(
                "UNKNOWN_LIBRARY",
                f"This library names no source: {', '.join(kinds) or library.text()}.",
                library.place,
                "allowed: glob: {include: …}, file: {path: …}, notebook: {path: …}",
            )
        return []

    def _root(self, settings: Node) -> Path | None:
        named = settings.at("root_path")
        if named is None:
            return None
        path = self.paths.path(named)
        if not path.is_dir():
            self.problems.add(
                "ROOT_NOT_FOUND",
                f"The folder {path} of root_path does not exist.",
                named.place,
                f"relative paths count from {named.place.folder}",
            )
        return path

    def _pairs(self, settings: Node, field: str) -> Mapping[str, str]:
        """The texts of `configuration` or `parameters`, by key."""
        values = {}
        for key, node in settings.items(field):
            if isinstance(node.value, Mapping | tuple):
                self.problems.add(
                    "CONFIGURATION_NOT_TEXT",
                    f"{field.capitalize()} '{key}' is a mapping or a list.",
                    node.place,
                    "its value must be text; write dotted keys flat, as in `insurance.landing: …`",
                )
            elif node.value is not None:
                values[key] = self.paths.uploaded(node.text())
        return values

    def _dependencies(self, settings: Node) -> tuple[str, ...]:
        wheels = [library.at("whl") for library in settings.elements("libraries")]
        listed = settings.elements("environment", "dependencies")
        nodes = [*listed, *(node for node in wheels if node)]
        return tuple(self.paths.dependency(node) for node in nodes if node.text().strip())

    def _continuous(self, settings: Node) -> bool:
        # Development mode switches it off, as a deployment would.
        return self.bundle.mode != "development" and is_true(settings.at("continuous"))


def _text(settings: Node, field: str, default: str) -> str:
    value = settings.at(field)
    return (value.text() if value else "") or default
