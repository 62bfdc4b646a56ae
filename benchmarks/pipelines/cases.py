"""What is measured: whole commands and warm updates of each shape, plans, errors, many updates."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from benchmarks.pipelines.machine import Cost, Ended, ProcessTree, Stopwatch, looking, measure
from benchmarks.pipelines.projects import SHAPES, Project, Table
from benchmarks.pipelines.results import Measured, Measurement
from benchmarks.pipelines.runners import DLT_LOCAL, Action, Runner
from benchmarks.pipelines.source_table import append_rows
from benchmarks.pipelines.warm import PROGRAMS
from local_shim.dms.server import forget

_WARM_UP = 2  # updates of a process before its updates are measured
_WARM_UPDATES = 3
_MANY = 200
_EDITS = 4


@dataclass(frozen=True)
class Size:
    """How large a case is, and how often it is measured."""

    tables: int
    rows: int = 1000
    rounds: int = 3


Result: TypeAlias = tuple[str, str, Cost]  # the work, the runner, what it cost
Round: TypeAlias = Callable[[Size, Sequence[Runner]], Iterator[Result]]


@dataclass(frozen=True)
class Case:
    """A named benchmark; `round` measures every runner once, so that rounds interleave them."""

    name: str
    title: str
    size: Size
    round: Round

    def measure(self, size: Size, runners: Sequence[Runner]) -> Iterator[Measurement]:
        """All rounds, each measurement as soon as it is there."""
        for number in range(size.rounds):
            for work, runner, cost in self.round(size, runners):
                measured = Measured(self.name, work, runner)
                yield Measurement(measured, number, size.tables, size.rows, cost)


@contextmanager
def _project(tables: list[Table], rows: int) -> Iterator[Project]:
    folder = Path(tempfile.mkdtemp(prefix="pipeline-bench-"))
    try:
        project = Project(folder)
        project.write(tables)
        append_rows(project.source, rows)
        yield project
    finally:
        shutil.rmtree(folder)


class CommandFailed(Exception):
    """A command ended in another way than the case needs; the end of its output says why."""


def _completed(ended: Ended) -> Cost:
    if ended.code:
        raise CommandFailed(ended.output[-3000:])
    return ended.cost


def _shape(name: str, *, only_ours: bool = False) -> Round:
    """Whole commands: the first update, one after new rows, and ours when nothing changed.

    `only_ours` leaves `spark-pipelines` out, which cannot run the shape on Delta.
    """

    def round(size: Size, runners: Sequence[Runner]) -> Iterator[Result]:
        tables = SHAPES[name](size.tables)
        for runner in (DLT_LOCAL,) if only_ours else runners:
            with _project(tables, size.rows) as project:
                yield "first update", runner.name, _completed(runner.run(project, Action.UPDATE))
                append_rows(project.source, size.rows)
                yield "second update", runner.name, _completed(runner.run(project, Action.UPDATE))
                if runner is DLT_LOCAL:
                    unchanged = _completed(runner.run(project, Action.UPDATE))
                    yield "nothing changed", runner.name, unchanged
        for program in PROGRAMS:
            for cost in _warm(program, tables, size.rows):
                yield "warm update", program, cost

    return round


def _warm(program: str, tables: list[Table], rows: int) -> list[Cost]:
    """The updates of one process after its first ones, which load classes and compile."""
    with _project(tables, rows) as project:
        return list(_updates(program, project, _WARM_UP + _WARM_UPDATES, rows))[_WARM_UP:]


def _updates(program: str, project: Project, count: int, rows: int) -> Iterator[Cost]:
    """What each update of one process cost."""
    module = ["-m", "benchmarks.pipelines.warm"]
    words = [sys.executable, *module, program, str(project.folder), str(count), str(rows)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield Cost(**json.loads(line))
    if process.returncode:
        raise CommandFailed(f"{program} ended with {process.returncode}")


def _plan(size: Size, runners: Sequence[Runner]) -> Iterator[Result]:
    """Resolving and validating, without an update."""
    for runner in runners:
        with _project(SHAPES["fan"](size.tables), size.rows) as project:
            yield "plan", runner.name, _completed(runner.run(project, Action.PLAN))


def _bad_cast(size: Size, runners: Sequence[Runner]) -> Iterator[Result]:
    """The time to the error of a text that is no number, in the last table of a chain."""
    *others, last = SHAPES["chain"](size.tables)
    wrong = replace(last, query=last.query + ".withColumn('n', F.col('op').cast('int'))")
    for runner in runners:
        with _project([*others, wrong], size.rows) as project:
            ended = runner.run(project, Action.UPDATE)
            if not ended.code or "CAST_INVALID_INPUT" not in ended.output:
                raise CommandFailed(ended.output[-3000:])
            yield "error", runner.name, ended.cost


def _watch(size: Size, runners: Sequence[Runner]) -> Iterator[Result]:
    """From the save of an edited file to the end of the update that follows."""
    with _project(SHAPES["chain"](size.tables), size.rows) as project:
        command = [str(word) for word in (*DLT_LOCAL.command(project, Action.UPDATE), "--watch")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            tree = ProcessTree(process.pid)
            with looking(tree):
                for number in range(1 + _EDITS):
                    watch = Stopwatch(tree)
                    if number:
                        _edit(project, number)
                    if "completed in" not in process.stdout.readline():
                        raise CommandFailed("an update failed")
                    works = ("first update", "first edit")
                    yield (
                        dict(enumerate(works)).get(number, "later edit"),
                        "dlt-local",
                        watch.stop(),
                    )
            process.send_signal(signal.SIGINT)


def _edit(project: Project, number: int) -> None:
    """Changes the query of the table in the middle."""
    head, *queries = project.declarations.read_text().split("F.col('amount') + ")
    middle = len(queries) // 2
    queries[middle] = f"{number + 1}{queries[middle].lstrip('0123456789')}"
    project.declarations.write_text("F.col('amount') + ".join([head, *queries]))


def _demo(size: Size, runners: Sequence[Runner]) -> Iterator[Result]:
    """The demo in a copy of this checkout: its first run, and one more day."""
    with tempfile.TemporaryDirectory(prefix="demo-bench-") as name:
        copy = Path(name, "project")
        leave_out = shutil.ignore_patterns(".*", "node_modules", "build")
        shutil.copytree(Path(__file__).parents[2], copy, ignore=leave_out)
        try:
            for work in ("first run", "one more day"):
                yield work, "dlt-local", _completed(measure([sys.executable, "-m", "demo"], copy))
        finally:
            forget(copy / ".demo" / "postgresql")


def _commands(size: Size, runners: Sequence[Runner]) -> Iterator[Result]:
    """Commands that nobody wants to wait for."""
    with _project(SHAPES["chain"](size.tables), size.rows) as project:
        _completed(DLT_LOCAL.run(project, Action.UPDATE))
        storage = project.folder / "storage"
        commands: dict[str, list[str | Path]] = {
            "--help": ["--help"],
            "sql": ["sql", "SELECT 1", "--storage", storage],
            "events": ["events", "--storage", storage],
        }
        for work, words in commands.items():
            ended = measure([sys.executable, "-m", "local_shim", *words], project.folder)
            yield work, "dlt-local", _completed(ended)


def _many_updates(size: Size, runners: Sequence[Runner]) -> Iterator[Result]:
    """200 updates of one process: those after the first tenth, and the last tenth."""
    with _project(SHAPES["layered"](size.tables), size.rows) as project:
        costs = list(_updates("dlt-local", project, _MANY, size.rows))
    tenth = _MANY // 10
    for cost in costs[tenth : 2 * tenth]:
        yield "early updates", "dlt-local", cost
    for cost in costs[-tenth:]:
        yield "late updates", "dlt-local", cost


CASES = (
    Case("chain", "Chain of materialized views", Size(10), _shape("chain")),
    Case("fan", "Fan of materialized views", Size(50), _shape("fan")),
    Case("streaming_chain", "Chain of streaming tables", Size(10), _shape("streaming_chain")),
    Case("layered", "Streaming tables, joins, sums", Size(12), _shape("layered")),
    Case("auto_cdc", "AUTO CDC targets of type 1", Size(5), _shape("cdc", only_ours=True)),
    Case("plan", "Plan of a fan", Size(50), _plan),
    Case("bad_cast", "Error of a bad cast", Size(3), _bad_cast),
    Case("watch", "Edits of a chain under --watch", Size(10), _watch),
    Case("commands", "Short commands", Size(2), _commands),
    Case("demo", "The demo", Size(55, rounds=1), _demo),
    Case("many_updates", "200 updates in one process", Size(10, rows=20, rounds=1), _many_updates),
)
