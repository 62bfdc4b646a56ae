"""Loads a pipeline's files with `dlt`, `pyspark.pipelines` and `spark` in place.

Loading only declares: the registry gets datasets and flows, in the order of the files.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pyspark
from pyspark.sql import SparkSession

from local_shim import dlt_api
from local_shim.errors import DefinitionError, ShimError, UsageError, raise_all
from local_shim.graph.analysis.query_errors import at
from local_shim.graph.declared_at import raised_at
from local_shim.graph.elements import SourceLocation
from local_shim.graph.registry import Registry, activated, active_registry
from local_shim.pipeline_spec.pipeline import PipelineSpec
from local_shim.pipeline_spec.requirements import editable_project
from local_shim.sql_sources.declare import declare_sql
from local_shim.sql_sources.grammar.source_text import SourceText

_PUBLIC_MODULES = ("dlt", "pyspark.pipelines")
_MAIN = "__main__"


@contextmanager
def importable(spec: PipelineSpec, spark: SparkSession) -> Iterator[None]:
    """Makes `import dlt`, `from pyspark import pipelines` and the pipeline's modules work.

    Modules below the root can be imported in Python workers too, where their functions run.
    """
    modules = {name: sys.modules.get(name) for name in _PUBLIC_MODULES}
    attribute = getattr(pyspark, "pipelines", None)
    path = list(sys.path)
    for name in _PUBLIC_MODULES:
        sys.modules[name] = dlt_api
    pyspark.pipelines = dlt_api  # type: ignore[attr-defined]
    folders = [str(folder) for folder in _import_folders(spec)]
    sys.path[:0] = folders
    environment = spark.sparkContext.environment
    worker_path = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join(folders)
    try:
        yield
    finally:
        sys.path[:] = path
        environment.pop("PYTHONPATH")
        if worker_path is not None:
            environment["PYTHONPATH"] = worker_path
        for name, module in modules.items():
            _put_back(name, module)
        if attribute is not None:
            pyspark.pipelines = attribute  # type: ignore[attr-defined]


def _put_back(name: str, module: ModuleType | None) -> None:
    if module is None:
        sys.modules.pop(name, None)
    else:
        sys.modules[name] = module


def _import_folders(spec: PipelineSpec) -> list[Path]:
    folders = [spec.root] if spec.root else []
    projects = [project for each in spec.dependencies if (project := editable_project(each))]
    folders += [folder for project in projects for folder in (project, project / "src")]
    return list(dict.fromkeys(folder for folder in folders if folder.is_dir()))


def load(spec: PipelineSpec, spark: SparkSession, registry: Registry) -> None:
    """Executes every source file; raises what is wrong in all of them at once."""
    errors: list[ShimError] = []
    with activated(registry):
        for path in spec.sources:
            try:
                _execute(path, spark)
            except ShimError as error:
                errors.append(error)
    raise_all(errors)


def _execute(path: Path, spark: SparkSession) -> None:
    if path.suffix == ".sql":
        declare_sql(SourceText(path.read_text(encoding="utf-8"), str(path)), active_registry())
        return
    if path.suffix != ".py":
        raise UsageError(
            "SOURCE_NOT_SUPPORTED",
            f"'{path}' is neither a Python nor an SQL file; notebooks cannot be run locally yet.",
            where=path,
            hint="declare its datasets in a .py or .sql file",
        )
    try:
        code = compile(path.read_text(encoding="utf-8"), str(path), "exec", dont_inherit=True)
        with _as_main(path) as module:
            module.__dict__["spark"] = spark
            exec(code, module.__dict__)
    except ShimError as error:
        if error.where:
            raise
        raise at(error, raised_at(error.__traceback__)) from error
    except Exception as error:
        raise _failure(path, error) from error


@contextmanager
def _as_main(path: Path) -> Iterator[ModuleType]:
    """A module for one source file, which is `__main__` while its code runs, as on Databricks.

    Dataclasses and pydantic look their module up in `sys.modules`. Spark ships functions and
    classes of `__main__` to its Python workers by value; no worker could import the file.
    """
    module = ModuleType(_MAIN)
    module.__file__ = str(path)
    before = sys.modules[_MAIN]
    sys.modules[_MAIN] = module
    try:
        yield module
    finally:
        sys.modules[_MAIN] = before


def _failure(path: Path, error: Exception) -> DefinitionError:
    """The user's own exception, with the line of the file that raised it."""
    where = raised_at(error.__traceback__) or SourceLocation(str(path), 1)
    if isinstance(error, SyntaxError):
        where = SourceLocation(error.filename or str(path), error.lineno or 1)
    hint = ""
    if isinstance(error, ModuleNotFoundError):
        hint = "put the module below the pipeline's root_path, or install it"
    return DefinitionError(
        "SOURCE_FILE_FAILED", f"{type(error).__name__}: {error}", where=where, hint=hint
    )


def fingerprint(spec: PipelineSpec, configuration: Mapping[str, str]) -> str:
    """A digest of the code and the configuration that results depend on besides their inputs."""
    digest = hashlib.sha256()
    for path in sorted({*spec.sources, *_own_modules(_import_folders(spec))}):
        digest.update(str(path).encode() + path.read_bytes())
    for key in sorted(configuration):
        digest.update(f"{key}={configuration[key]}\n".encode())
    return digest.hexdigest()


def _own_modules(folders: Iterable[Path]) -> Iterator[Path]:
    """Files of the loaded modules that lie below the pipeline's own folders."""
    roots = [folder.resolve() for folder in folders]
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.endswith(".py") and "site-packages" not in file:
            path = Path(file).resolve()
            if any(path.is_relative_to(root) for root in roots):
                yield path
