"""Updates one after the other in one process, which keeps its JVM: ours, or a hand-written program.

    python -m benchmarks.pipelines.warm dlt-local|PySpark FOLDER UPDATES ROWS

Before each update ROWS rows are added to the source. Each update is one line of JSON.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from benchmarks.pipelines.machine import ProcessTree, Stopwatch, looking
from benchmarks.pipelines.projects import Project
from benchmarks.pipelines.runners import DELTA, TUNED
from benchmarks.pipelines.source_table import append_rows
from local_shim.delta.kernel import write_checksum_and_checkpoint
from local_shim.jvm.classpath.jars import delta_jars
from local_shim.pipeline_spec.load import from_spark_spec
from local_shim.run import run
from local_shim.update.request import Request


def dlt_local(project: Project) -> Callable[[], None]:
    """One update by the Python API."""
    request = Request(from_spark_spec(project.spec), project.folder / "storage")

    def update() -> None:
        result = run(request)
        assert result.exit_code == 0, result.failures

    return update


def pyspark(project: Project) -> Callable[[], None]:
    """One update by the hand-written program, in a session that is tuned for small tables."""
    jars = os.pathsep.join(str(jar) for jar in delta_jars())
    settings = {
        **DELTA,
        **TUNED,
        "spark.driver.extraClassPath": jars,
        "spark.driver.memory": "4g",
        "spark.ui.enabled": "false",
        "spark.sql.ui.explainMode": "simple",
    }
    builder: Any = SparkSession.builder.master("local[*]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    program = runpy.run_path(str(project.program))
    return lambda: program["update"](spark)


PROGRAMS = {"dlt-local": dlt_local, "PySpark": pyspark}


def heap_megabytes() -> int:
    """What lives on the heap of the JVM, after a collection."""
    java: Any = SparkSession._instantiatedSession._jvm  # type: ignore[union-attr]
    java.System.gc()
    runtime = java.Runtime.getRuntime()
    return int(runtime.totalMemory() - runtime.freeMemory()) // 2**20


def checkpoint(source: Path) -> None:
    """Writes what any writer of Delta writes: a checksum, and a checkpoint every ten commits."""
    spark = SparkSession._instantiatedSession
    if spark is not None:  # the first update starts it
        write_checksum_and_checkpoint(spark, source)


def main(runner: str, folder: str, updates: str, rows: str) -> None:
    """The command."""
    project = Project(Path(folder))
    update = PROGRAMS[runner](project)
    tree = ProcessTree(os.getpid())
    with looking(tree):
        for _ in range(int(updates)):
            append_rows(project.source, int(rows))
            checkpoint(project.source)
            watch = Stopwatch(tree)
            update()
            cost = replace(watch.stop(), heap=heap_megabytes())
            print(json.dumps(asdict(cost)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
