"""The three ways to say what to run: a bundle, a Spark pipeline spec, or files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from local_shim.errors import UsageError, close_match
from local_shim.pipeline_spec.bundle.local_paths import LocalPaths
from local_shim.pipeline_spec.bundle.pipeline import PipelineReader, choose
from local_shim.pipeline_spec.bundle.references import References
from local_shim.pipeline_spec.bundle.scope import scope
from local_shim.pipeline_spec.bundle.tree import read_bundle
from local_shim.pipeline_spec.bundle.variables import read_variables
from local_shim.pipeline_spec.document.node import Node
from local_shim.pipeline_spec.document.problems import Problems
from local_shim.pipeline_spec.document.text import read_yaml
from local_shim.pipeline_spec.libraries import matching
from local_shim.pipeline_spec.pipeline import PipelineSpec

_SPARK_FIELDS = (
    "name",
    "storage",
    "catalog",
    "database",
    "schema",
    "configuration",
    "libraries",
)


def from_bundle(
    folder: Path,
    target: str | None = None,
    variables: Mapping[str, str] | None = None,
    pipeline: str | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
) -> PipelineSpec:
    """The pipeline `pipeline` (or the only one) of the bundle in `folder`.

    [choice] A variable needs a value only if the pipeline uses it.
    [choice] Without `catalog`, tables go to catalog `main`, or to `hive_metastore` if the pipeline
    has a legacy `target`; without `schema` and `target`, to schema `default`.
    Raises UsageError with everything that is wrong, each with file, line and remedy.
    """
    problems = Problems()
    bundle = read_bundle(Path(folder), target, environ, problems)
    values = read_variables(bundle, variables or {}, environ, problems)
    key, node = choose(bundle, pipeline, problems)
    references = References(scope(bundle), values, problems)
    paths = LocalPaths(bundle, References(references.scope, values, Problems()))
    spec = PipelineReader(bundle, references, paths).spec(key, node)
    problems.raise_any()
    return spec


def from_spark_spec(path: Path) -> PipelineSpec:
    """The pipeline of a `spark-pipeline.yml`, as `spark-pipelines run --spec` reads it.

    Its folder goes on the import path. Without catalog and database, names are Spark's own
    defaults, `spark_catalog` and `default`. An unknown field is an error, as it is in Spark.
    """
    file = _spec_file(Path(path))
    problems = Problems()
    tree = read_yaml(file, problems)
    problems.raise_any()
    _refuse_unknown_fields(tree, problems)
    name = _field(tree, "name", file.parent.name)
    sources = _spark_sources(tree, file.parent, problems)
    problems.raise_any()
    _warn_of_storage(tree, problems)
    return PipelineSpec(
        key=_key(name),
        name=name,
        catalog=_field(tree, "catalog", "spark_catalog"),
        schema=_field(tree, "database", _field(tree, "schema", "default")),
        sources=sources,
        root=file.parent,
        configuration={key: node.text() for key, node in tree.items("configuration")},
        where=str(tree.place),
        warnings=tuple(problems.warnings),
    )


def from_files(
    patterns: Sequence[str],
    catalog: str = "main",
    schema: str = "default",
    configuration: Mapping[str, str] | None = None,
) -> PipelineSpec:
    """A pipeline of files, folders and globs; it is called like its file or common folder.

    On the import path goes the folder that holds them all, or, if that is part of a Python
    package, the folder that holds the package. [choice] Files below a folder `transformations` have
    the folder above it on their import path, as in the projects that Databricks' editor makes.
    """
    problems = Problems()
    sources = _matching_sources(patterns, problems)
    problems.raise_any()
    folder = Path(os.path.commonpath([path.parent for path in sources]))
    name = sources[0].stem if len(sources) == 1 else folder.name
    return PipelineSpec(
        key=_key(name),
        name=name,
        catalog=catalog,
        schema=schema,
        sources=sources,
        root=_project(_above_packages(folder)),
        configuration=dict(configuration or {}),
        where="the command line",
        warnings=tuple(problems.warnings),
    )


def _matching_sources(patterns: Sequence[str], problems: Problems) -> tuple[Path, ...]:
    """The files that the patterns of the command line match, in their order, each once."""
    sources: dict[Path, None] = {}
    for pattern in patterns:
        files = matching(str(pattern), Path.cwd(), "the command line", problems)
        sources.update(dict.fromkeys(files))
    if not sources and not problems.errors:
        named = ", ".join(map(str, patterns)) or "nothing"
        problems.add(
            "NO_SOURCES", f"No source files in {named}.", None, "give .py, .sql or .ipynb files"
        )
    return tuple(sources)


def _spec_file(path: Path) -> Path:
    path = Path(os.path.abspath(path))
    names = ("spark-pipeline.yml", "spark-pipeline.yaml")
    candidates = [path / name for name in names] if path.is_dir() else [path]
    spec_files = [file for file in candidates if file.is_file()]
    if len(spec_files) != 1:
        what = "several specs" if spec_files else "no spec"
        raise UsageError(
            "SPEC_NOT_FOUND",
            f"There is {what} at {path}.",
            hint="--spec wants a spark-pipeline.yml; see also --bundle, or give FILES",
        )
    return spec_files[0]


def _spark_sources(tree: Node, folder: Path, problems: Problems) -> tuple[Path, ...]:
    """The files that the globs under `libraries` name, in their order, each once."""
    sources: dict[Path, None] = {}
    for library in tree.elements("libraries"):
        include = library.at("glob", "include")
        if include:
            files = matching(include.text(), folder, include.place, problems)
            sources.update(dict.fromkeys(files))
        else:
            problems.add(
                "UNKNOWN_LIBRARY",
                "A library of a Spark pipeline is a glob.",
                library.place,
                "write it as - glob: {include: transformations/**}",
            )
    if not sources and not problems.errors:
        hint = "name files under `libraries`: - glob: {include: transformations/**}"
        problems.add("NO_SOURCES", "The spec names no source files.", tree.place, hint)
    return tuple(sources)


def _refuse_unknown_fields(tree: Node, problems: Problems) -> None:
    for name, node in tree.items():
        if name not in _SPARK_FIELDS:
            hint = close_match(name, _SPARK_FIELDS)
            problems.add("UNKNOWN_FIELD", f"A Spark spec has no '{name}'.", node.place, hint)


def _warn_of_storage(tree: Node, problems: Problems) -> None:
    """[choice] `storage`, which Spark requires, is where checkpoints go; here it has no effect.

    A local run keeps tables, checkpoints and event log together in the folder of `--storage`.
    """
    storage = tree.at("storage")
    if storage:
        text = f"storage '{storage.text()}' is not used: tables and checkpoints go to --storage"
        problems.warn(text, storage.place)


def _field(tree: Node, name: str, default: str) -> str:
    value = tree.at(name)
    return (value.text() if value else "") or default


def _key(name: str) -> str:
    """A name as part of a path."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "pipeline"


def _project(folder: Path) -> Path:
    places = (folder, *folder.parents)
    return next((each.parent for each in places if each.name == "transformations"), folder)


def _above_packages(folder: Path) -> Path:
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        folder = folder.parent
    return folder
