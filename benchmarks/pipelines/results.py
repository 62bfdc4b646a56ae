"""Measurements as JSON lines, one file for each run of the benchmarks."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.pipelines.machine import Cost

RESULTS = Path(__file__).parents[1] / "results"


@dataclass(frozen=True)
class Measured:
    """What was measured: a case of the benchmarks, the work in it, and the program that did it."""

    case: str
    work: str
    runner: str


@dataclass(frozen=True)
class Measurement:
    """One measurement, with the number of its round and how many tables and rows there were."""

    measured: Measured
    round: int
    tables: int
    rows: int
    cost: Cost


@dataclass(frozen=True)
class Run:
    """One run of the benchmarks: when, with which versions, on which machine, what was measured."""

    date: str
    versions: dict[str, str]
    machine: str
    measurements: tuple[Measurement, ...] = ()

    def of(self, measured: Measured) -> list[Cost]:
        """The costs of all rounds."""
        return [each.cost for each in self.measurements if each.measured == measured]

    def median(self, measured: Measured) -> Cost | None:
        """The medians of all rounds; None if there was none."""
        costs = self.of(measured)
        if not costs:
            return None
        middle = {
            field.name: statistics.median(getattr(cost, field.name) for cost in costs)
            for field in fields(Cost)
        }
        return Cost(**{**middle, "memory": int(middle["memory"])})


def this_run() -> Run:
    """A run that begins now."""
    versions = {name: metadata.version(name) for name in ("pyspark", "delta-spark")}
    versions["python"] = platform.python_version()
    versions["java"] = _output("java", "-version").splitlines()[0].split('"')[1]
    versions["commit"] = _output("git", "rev-parse", "--short", "HEAD").strip()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    machine = f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"
    return Run(f"{datetime.now(UTC):%Y-%m-%d %H:%M}", versions, machine)


def _output(*command: str) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return ended.stdout + ended.stderr


class ResultFile:
    """The file of one run; each measurement is written as soon as it is there."""

    def __init__(self, folder: Path, run: Run):
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{run.date.replace(' ', 'T').replace(':', '')}.jsonl"
        if not self.path.exists():  # two runs of one minute are one
            head = {"date": run.date, "machine": run.machine, "versions": run.versions}
            self._append(head)

    def add(self, measurements: Iterable[Measurement]) -> None:
        """Appends a line for each."""
        for each in measurements:
            cost = {name: round(value, 2) for name, value in asdict(each.cost).items()}
            sizes = {"round": each.round, "tables": each.tables, "rows": each.rows}
            self._append({**asdict(each.measured), **sizes, **cost})

    def _append(self, values: dict[str, Any]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(values) + "\n")


def read_runs(folder: Path) -> list[Run]:
    """All runs of a folder, the oldest first."""
    return [_read(path) for path in sorted(folder.glob("*.jsonl"))]


def _read(path: Path) -> Run:
    head, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    return Run(head["date"], head["versions"], head["machine"], tuple(map(_measurement, lines)))


def _measurement(values: dict[str, Any]) -> Measurement:
    measured = Measured(values["case"], values["work"], values["runner"])
    cost = Cost(**{field.name: values[field.name] for field in fields(Cost)})
    return Measurement(measured, values["round"], values["tables"], values["rows"], cost)
