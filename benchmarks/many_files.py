"""What a folder of many files costs Auto Loader, against Spark's own file stream.

    .venv/bin/python -m benchmarks.many_files [--files 100000]

An update of one table reads a folder of one-line JSON files, and a second update finds nothing
new. The peer is Spark's own file stream, which writes no table. Bar: 10 seconds for the second
update.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pyspark.sql import SparkSession

from benchmarks.auto_loader import read_all, report
from benchmarks.pipelines.machine import cost_of
from benchmarks.pipelines.results import Measured, Measurement
from local_shim.jvm.session import open_session
from local_shim.pipeline_spec.load import from_files
from local_shim.run import run
from local_shim.update.request import Request

_FILES = 100_000  # the size that the bar is about
_PIPELINE = """
import dlt

@dlt.table
def files():
    options = {{"cloudFiles.format": "json", "cloudFiles.maxFilesPerTrigger": "{count}"}}
    return spark.readStream.format("cloudFiles").options(**options).load("{landing}")
"""


def compare_files(spark: SparkSession, folder: Path, count: int) -> list[Measurement]:
    """An update that reads all files, and one that finds nothing new."""
    landing, source = folder / "landing", folder / "pipeline.py"
    write_files(landing, count)
    source.write_text(_PIPELINE.format(count=count, landing=landing))
    request = Request(from_files([str(source)], "main", "default", {}), folder / "storage")
    reader = spark.readStream.schema("id STRING").option("maxFilesPerTrigger", count)
    frame = reader.json(str(landing))
    runners: dict[str, Callable[[], object]] = {
        "dlt-local": partial(run, request),
        "Spark's file stream": partial(read_all, frame, folder / "peer"),
    }
    return [
        Measurement(Measured("auto_loader", work, runner), 0, 1, count, cost_of(program))
        for runner, program in runners.items()
        for work in ("many files", "no new file")
    ]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=_FILES)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="many-files-bench-"))
    try:
        files = compare_files(open_session(), folder, options.files)
        report(files, bars_are_about_it=options.files == _FILES)
    finally:
        shutil.rmtree(folder)


def write_files(landing: Path, count: int) -> None:
    """Files of one JSON record each."""
    landing.mkdir(parents=True)
    for number in range(count):
        (landing / f"{number:06d}.json").write_text(f'{{"id": {number}}}\n')


if __name__ == "__main__":
    main()
