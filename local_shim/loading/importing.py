"""Makes `import dlt`, `from pyspark import pipelines` and the pipeline's own modules work."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark
from pyspark.sql import SparkSession

from local_shim import dlt_api
from local_shim.loading.namespace import modules_in_place, runtime_modules
from local_shim.loading.own_modules import shipped_by_value
from local_shim.pipeline_spec.pipeline import PipelineSpec
from local_shim.pipeline_spec.requirements import editable_project

_PUBLIC_MODULES = ("dlt", "pyspark.pipelines")


@contextmanager
def importable(spec: PipelineSpec, spark: SparkSession) -> Iterator[None]:
    """Keeps them importable for the block, in Python workers too, where functions run."""
    attribute, path = getattr(pyspark, "pipelines", None), list(sys.path)
    modules = set(sys.modules)
    pyspark.pipelines = dlt_api  # type: ignore[attr-defined]
    own_folders = import_folders(spec)
    folders = [str(folder) for folder in own_folders]
    sys.path[:0] = folders
    environment = spark.sparkContext.environment
    worker_path = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join(folders)
    try:
        with (
            modules_in_place(dict.fromkeys(_PUBLIC_MODULES, dlt_api)),
            runtime_modules(spark, {**spec.configuration, **spec.parameters}),
            shipped_by_value(own_folders),
        ):
            yield
    finally:
        sys.path[:] = path
        _forget_modules(set(sys.modules) - modules, folders)
        environment.pop("PYTHONPATH")
        if worker_path is not None:
            environment["PYTHONPATH"] = worker_path
        if attribute is not None:
            pyspark.pipelines = attribute  # type: ignore[attr-defined]


def _forget_modules(names: set[str], folders: list[str]) -> None:
    """Another pipeline of this process, or the next update, may have modules of the same names."""
    for name in names:
        module = sys.modules[name]
        file = getattr(module, "__file__", None)
        places = [file] if file else getattr(module, "__path__", [])  # a package without a file
        if any(Path(place).is_relative_to(folder) for place in places for folder in folders):
            del sys.modules[name]
            package, _, last = name.rpartition(".")
            # `from package import module` would take the old one from a package that stays.
            if package in sys.modules and getattr(sys.modules[package], last, None) is module:
                delattr(sys.modules[package], last)


def import_folders(spec: PipelineSpec) -> list[Path]:
    """The folders whose modules the pipeline may import.

    These are its root, its projects, and the folder of each source file, as on Databricks.
    """
    folders = [spec.root] if spec.root else []
    projects = [project for each in spec.dependencies if (project := editable_project(each))]
    folders += [folder for project in projects for folder in (project, project / "src")]
    folders += [path.parent for path in spec.sources]
    return list(dict.fromkeys(folder for folder in folders if folder.is_dir()))
