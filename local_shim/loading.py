"""Loads a pipeline's files with `dlt`, `pyspark.pipelines` and `spark` in place.

Loading only declares: what lands in the registry is datasets and flows, in order of files.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pyspark
from pyspark.sql import SparkSession

from local_shim import dlt_api
from local_shim.errors import DefinitionError, DefinitionErrors, ShimError, UsageError
from local_shim.graph.elements import SourceLocation
from local_shim.graph.registry import Registry, activated
from local_shim.pipeline_spec.pipeline import PipelineSpec

_DOORS = ("dlt", "pyspark.pipelines")


@contextmanager
def front_doors(spec: PipelineSpec, spark: SparkSession) -> Iterator[None]:
    """`import dlt` and `from pyspark import pipelines` lead here; the root is importable.

    It is importable in Python workers too, where functions of helper modules run.
    """
    modules = {name: sys.modules.get(name) for name in _DOORS}
    attribute = getattr(pyspark, "pipelines", None)
    path = list(sys.path)
    for name in _DOORS:
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
    projects = [Path(each.split(None, 1)[1]) for each in spec.dependencies if _editable(each)]
    folders += [folder for project in projects for folder in (project, project / "src")]
    return list(dict.fromkeys(folder for folder in folders if folder.is_dir()))


def _editable(dependency: str) -> bool:
    return bool(re.match(r"(--editable|-e)\s+\S", dependency))


def check_dependencies(spec: PipelineSpec) -> None:
    """Raises UsageError naming each requirement that is not installed; installs nothing."""
    missing = [each for each in spec.dependencies if not _editable(each) and not _importable(each)]
    if missing:
        raise UsageError(
            "DEPENDENCY_MISSING",
            f"the pipeline's environment needs {', '.join(missing)}.",
            where=spec.where,
            hint=f"pip install {' '.join(repr(each) for each in missing)}",
        )


def _importable(requirement: str) -> bool:
    from importlib import metadata

    found = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
    if not found or "/" in requirement or requirement.startswith("-"):
        return Path(requirement).exists() or requirement.startswith("-")
    name = found.group()
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return importlib.util.find_spec(name.replace("-", "_")) is not None
    return True


def load(spec: PipelineSpec, spark: SparkSession, registry: Registry) -> None:
    """Executes every source file; raises what is wrong in all of them at once."""
    errors: list[ShimError] = []
    with activated(registry):
        for path in spec.sources:
            try:
                _execute(path, spark)
            except ShimError as error:
                errors.append(error)
    if errors:
        raise errors[0] if len(errors) == 1 else DefinitionErrors(errors)


def _execute(path: Path, spark: SparkSession) -> None:
    if path.suffix != ".py":
        raise UsageError(
            "SOURCE_NOT_SUPPORTED",
            f"'{path}' is no Python file; SQL files and notebooks cannot be run locally yet.",
            where=path,
            hint="declare its datasets in a .py file",
        )
    # The name is not registered in sys.modules, so that Spark ships functions of the file to
    # its Python workers by value: no worker could import it.
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    module.__dict__["spark"] = spark
    try:
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module.__dict__)
    except ShimError:
        raise
    except Exception as error:
        raise _located(path, error) from error


def _located(path: Path, error: Exception) -> DefinitionError:
    """The user's own exception, with the line of the file in which it passed."""
    line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(path):
            line = step.tb_lineno
        step = step.tb_next
    hint = ""
    if isinstance(error, ModuleNotFoundError):
        hint = "put the module below the pipeline's root_path, or install it"
    return DefinitionError(
        "SOURCE_FILE_FAILED",
        f"{type(error).__name__}: {error}",
        where=SourceLocation(str(path), line or 1),
        hint=hint,
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
