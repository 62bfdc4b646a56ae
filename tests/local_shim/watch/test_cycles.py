"""`dlt-local run --watch`: what a save leads to, which files count, and how it ends."""

from __future__ import annotations

import os
import signal
import textwrap
import threading
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import TextIO

import pytest
from pyspark.sql import SparkSession

from local_shim.cli.app import main
from local_shim.events.event import UpdateState
from local_shim.pipeline_spec.load import from_files
from local_shim.run import UpdateResult
from local_shim.update.request import Request
from local_shim.watch import cycles
from local_shim.watch.cycles import watch
from local_shim.watch.saves import stamps_of, watched_folders

TABLE = """
    import dlt
    from rates import RATE

    @dlt.table
    def prices():
        return spark.sql(f"SELECT {RATE} AS rate")
"""


class Saves(threading.Thread):
    """Saves files after each line that the command prints, and presses Ctrl-C after the last."""

    def __init__(self, output: TextIO, folder: Path, saves: list[dict[str, str]]):
        super().__init__(daemon=True)
        self.output = output
        self.folder = folder
        self.saves = saves
        self.lines: list[str] = []

    def run(self) -> None:
        guard = threading.Timer(120, press_ctrl_c)  # a save without an update: the test fails
        guard.start()
        for line in self.output:
            self.lines.append(line)
            if not self.saves:
                press_ctrl_c()
                break
            for name, text in self.saves.pop(0).items():
                (self.folder / name).write_text(textwrap.dedent(text))
        guard.cancel()


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_save_runs_an_update_in_the_same_process(tmp_path: Path, spark: SparkSession) -> None:
    """Modules are taken in, errors are reported and end nothing, Ctrl-C gives the last result."""
    (tmp_path / "prices.py").write_text(textwrap.dedent(TABLE))
    (tmp_path / "rates.py").write_text("RATE = 1\n")
    read_end, write_end = os.pipe()
    saves = Saves(
        os.fdopen(read_end),
        tmp_path,
        [
            {"prices.py": "import dlt\n@dlt.table\ndef prices(:\n"},
            {"prices.py": TABLE, "rates.py": "RATE = 2\n"},
            {"rates.py": "RATE = \"CAST('x' AS INT)\"\n"},
        ],
    )
    saves.start()
    storage = tmp_path / "storage"
    arguments = ["run", str(tmp_path / "prices.py"), "--storage", str(storage), "--watch"]
    errors = StringIO()
    with os.fdopen(write_end, "w") as output, redirect_stdout(output), redirect_stderr(errors):
        code = main(arguments)
    saves.join()
    assert code == 1
    first, broken, mended, failed = saves.lines
    assert first.startswith("Update completed in ") and first.endswith(": 1 completed.\n")
    assert broken == "prices.py saved. Nothing was run.\n"
    assert mended.startswith("prices.py saved. Update completed in ")
    assert failed.startswith("rates.py saved. Update failed in ")
    assert "SyntaxError" in errors.getvalue() and "CAST_INVALID_INPUT" in errors.getvalue()
    table = spark.read.format("delta").load(str(storage / "tables/main/default/prices"))
    assert [row.rate for row in table.collect()] == [2]


def test_wrong_definitions_print_no_line_among_events(tmp_path: Path, spark: SparkSession) -> None:
    """Ctrl-C after the error gives its exit code."""
    (tmp_path / "prices.py").write_text("import nothing\n")
    read_end, write_end = os.pipe()
    saves = Saves(os.fdopen(read_end), tmp_path, [])
    saves.start()
    output = StringIO()
    with (
        os.fdopen(write_end, "w", buffering=1) as errors,
        redirect_stdout(output),
        redirect_stderr(errors),
    ):
        code = main(["run", str(tmp_path / "prices.py"), "--watch", "--json"])
    saves.join()
    assert (code, output.getvalue()) == (2, "")


def request(folder: Path) -> Request:
    """A pipeline whose files lie in `source` and whose description lies above them."""
    (folder / "source").mkdir(exist_ok=True)
    (folder / "source" / "tables.py").touch()
    (folder / "databricks.yml").touch()
    spec = from_files([str(folder / "source" / "*.py")], "main", "default", {})
    return Request(replace(spec, where=f"{folder / 'databricks.yml'}:1"), folder / "storage")


def test_an_update_that_is_stopped_is_the_last(tmp_path: Path) -> None:
    stopped = UpdateResult("1", UpdateState.CANCELED, (), 1)
    all_cycles = list(watch(lambda: request(tmp_path), lambda _: stopped))
    assert [(cycle.saved, cycle.outcome) for cycle in all_cycles] == [("", stopped)]


def test_spark_starts_between_the_updates_if_the_first_needed_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The update after the first save then need not wait for it."""
    steps: list[str] = []
    monkeypatch.setattr(cycles, "open_spark", lambda _: steps.append("Spark"))
    monkeypatch.setattr(cycles, "wait_for_save", lambda *_: steps.append("wait"))
    completed = UpdateResult("1", UpdateState.COMPLETED, (), 0)
    list(islice(watch(lambda: request(tmp_path), lambda _: completed), 2))
    assert steps == ["Spark", "wait"]


def test_sources_modules_and_descriptions_are_watched(tmp_path: Path) -> None:
    update_request = request(tmp_path)
    for name in (
        "source/helpers/rates.py",
        "source/tables.sql",
        "source/notes.txt",
        ".git/hook.py",
        "env/lib/module.py",
        "env/pyvenv.cfg",
        "storage/schema.py",
        "__pycache__/tables.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    watched = stamps_of(watched_folders(update_request), update_request.storage)
    assert {str(path.relative_to(tmp_path)) for path in watched} == {
        "databricks.yml",
        "source/tables.py",
        "source/helpers/rates.py",
        "source/tables.sql",
    }
    (tmp_path / "source" / "new.py").touch()
    assert stamps_of(watched_folders(update_request), update_request.storage) != watched


def test_watch_goes_without_continuous(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tables.py").touch()
    assert main(["run", str(tmp_path / "tables.py"), "--watch", "--continuous"]) == 2
    assert "--watch goes without --continuous" in capsys.readouterr().err
