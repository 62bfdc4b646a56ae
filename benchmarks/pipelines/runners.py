"""The commands that are measured: `dlt-local`, and `spark-pipelines` as it is and tuned."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from benchmarks.pipelines.machine import Ended, measure
from benchmarks.pipelines.projects import Project
from local_shim.jvm.classpath.jars import delta_jars


class Action(StrEnum):
    """What a command does with a pipeline."""

    UPDATE = "run"
    PLAN = "plan"


@dataclass(frozen=True)
class Runner:
    """A program that runs the declarations of a project, by its name in the results."""

    name: str

    def run(self, project: Project, action: Action) -> Ended:
        """Carries out the action to its end."""
        raise NotImplementedError


@dataclass(frozen=True)
class DltLocal(Runner):
    """This shim."""

    name: str = "dlt-local"

    def run(self, project: Project, action: Action) -> Ended:
        """The command with a storage in the project's folder."""
        return measure(self.command(project, action), project.folder)

    @staticmethod
    def command(project: Project, action: Action) -> list[str | Path]:
        """The command's words."""
        storage = project.folder / "storage"
        options: list[str | Path] = ["--spec", project.spec, "--storage", storage]
        return [sys.executable, "-m", "local_shim", action, *options]


# One partition for shuffles and for Delta's state is the best for small tables that we know of.
TUNED = {"spark.sql.shuffle.partitions": "1", "spark.databricks.delta.snapshotPartitions": "1"}
# Without a Hive catalog, spark-pipelines forgets its tables when it ends and cannot run twice. Nor
# can it with `format="delta"` in the declarations (DELTA_CANNOT_CHANGE_PROVIDER).
DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.catalogImplementation": "hive",
    "spark.sql.sources.default": "delta",
}


@dataclass(frozen=True)
class SparkPipelines(Runner):
    """`spark-pipelines` with Delta; its jars are on the class path, so Ivy does not run."""

    name: str = "spark-pipelines"
    configuration: Mapping[str, str] = field(default_factory=dict)

    def run(self, project: Project, action: Action) -> Ended:
        """The command in the project's folder, which holds its catalog and its tables."""
        home = _spark_home()
        verb = "dry-run" if action is Action.PLAN else "run"
        words: list[str | Path] = [home / "bin" / "spark-pipelines", verb]
        words += ["--spec", project.spec]
        environment = {
            "SPARK_HOME": str(home),
            "SPARK_CONF_DIR": str(self._settings_folder(project)),
            "SPARK_DIST_CLASSPATH": os.pathsep.join(str(jar) for jar in delta_jars()),
            "PYSPARK_PYTHON": sys.executable,
        }
        return measure(words, project.folder, environment)

    def _settings_folder(self, project: Project) -> Path:
        """A folder with the settings as Spark's defaults.

        Of more than ten settings, `--conf` of spark-pipelines 4.2.0 loses some on the way to its
        second JVM: `_start_connect_server` of PySpark keeps the last group of ten only.
        """
        folder = project.folder / "conf"
        folder.mkdir(exist_ok=True)
        settings = {**DELTA, **self.configuration}
        lines = (f"{key} {value}\n" for key, value in settings.items())
        (folder / "spark-defaults.conf").write_text("".join(lines))
        return folder


def _spark_home() -> Path:
    spec = importlib.util.find_spec("pyspark")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent


DLT_LOCAL = DltLocal()
SPARK_PIPELINES = SparkPipelines()
SPARK_PIPELINES_TUNED = SparkPipelines("spark-pipelines tuned", TUNED)
RUNNERS = (DLT_LOCAL, SPARK_PIPELINES_TUNED, SPARK_PIPELINES)
