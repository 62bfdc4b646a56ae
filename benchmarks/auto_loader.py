"""What Auto Loader costs on a large CSV file, against Spark's own reader.

    .venv/bin/python -m benchmarks.auto_loader [--megabytes 1024] [--rounds 3]

One CSV file of ten columns, most of them typed, is read by the stream with inferred types and
rescued data, and by `spark.read.schema(…).csv(…)`, one after the other in one JVM. Neither writes:
a write would cost both the same. The JVM is that of an update whose landing folder is as large.
Bar: 0.6 of the peer's throughput.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from functools import partial
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from benchmarks.pipelines.machine import cost_of
from benchmarks.pipelines.page import publish
from benchmarks.pipelines.results import Measured, Measurement
from local_shim.autoloader.options.parse import parse_options
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.autoloader.stream import open_stream
from local_shim.engine.reads.input_size import reads_much
from local_shim.jvm.configuration import settings
from local_shim.jvm.session import LARGE_DATA, open_session
from local_shim.storage import Storage

_MEGABYTES = 1024  # the size that the bars are about
_COLUMNS = (
    "id INT, name STRING, city STRING, amount DOUBLE, tax DOUBLE, day DATE, at TIMESTAMP, "
    "open BOOLEAN, parts INT, note STRING"
)


def auto_loader(spark: SparkSession, landing: Path, state: Path) -> None:
    """Reads all CSV files with the types that they have."""
    typed = {"cloudFiles.format": "csv", "cloudFiles.inferColumnTypes": "true", "header": "true"}
    store, checkpoint = SchemaStore(state / "schemas"), state / "checkpoint"
    frame = open_stream(
        spark, str(landing), parse_options(typed), None, store, remember=True, checkpoint=checkpoint
    )
    read_all(frame, state)


def read_all(frame: DataFrame, state: Path) -> None:
    """Runs a stream until it has read all files; writes nothing."""
    writer = frame.writeStream.format("noop").trigger(availableNow=True)
    writer.option("checkpointLocation", str(state / "checkpoint")).start().awaitTermination()


def write_csv(file: Path, megabytes: int) -> None:
    """A CSV file of about that size."""
    file.parent.mkdir(parents=True)
    number = 0
    with file.open("w", encoding="utf-8") as out:
        out.write(",".join(column.split()[0] for column in _COLUMNS.split(", ")) + "\n")
        while out.tell() < megabytes * 2**20:
            lines = (_line(i) for i in range(number, number + 10_000))
            out.write("".join(lines))
            number += 10_000


def _line(i: int) -> str:
    day = f"2026-{i % 12 + 1:02d}-{i % 28 + 1:02d}"
    return (
        f"{i},name {i},city {i % 97},{i}.25,{i % 89}.5,{day},{day} 10:20:{i % 60:02d},"
        f'true,{i % 83},"a note, with a comma"\n'
    )


def compare_rows(
    spark: SparkSession, folder: Path, megabytes: int, rounds: int
) -> list[Measurement]:
    """Both readers over the landing folder, round by round; the first only warms the JVM."""
    landing = folder / "landing"
    reader = spark.read.schema(_COLUMNS).option("header", "true")
    measurements = []
    for number in range(rounds + 1):
        cost = cost_of(partial(auto_loader, spark, landing, folder / f"state{number}"))
        frame = reader.csv(str(landing))
        costs = {
            "dlt-local": cost,
            "spark.read.csv": cost_of(frame.write.format("noop").mode("append").save),
        }
        for runner, each in costs.items() if number else ():
            measured = Measured("auto_loader", "typed CSV", runner)
            measurements.append(Measurement(measured, number - 1, 1, megabytes, each))
    return measurements


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=_MEGABYTES)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="auto-loader-bench-"))
    try:
        write_csv(folder / "landing" / "rows.csv", options.megabytes)
        is_large = reads_much(
            Storage(folder, "bench"), {"landing": str(folder / "landing")}, configuration={}
        )
        spark = open_session(large_data=is_large)
        with settings(spark, LARGE_DATA):
            rows = compare_rows(spark, folder, options.megabytes, options.rounds)
        report(rows, bars_are_about_it=options.megabytes == _MEGABYTES)
    finally:
        shutil.rmtree(folder)


def report(measurements: list[Measurement], *, bars_are_about_it: bool) -> None:
    """Prints the measurements, and stores those of the size that the bars are about."""
    for each in measurements:
        print(f"{each.measured.work}, {each.measured.runner}: {each.cost.wall:.1f} s, "
              f"cpu {each.cost.cpu:.1f} s, {each.cost.memory:,} MB", flush=True)  # fmt: skip
    if bars_are_about_it:
        publish(measurements)


if __name__ == "__main__":
    main()
