"""What benchmarks store and show: costs of a command, JSON lines, bars, regressions."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.pipelines.bars import BARS, Bar
from benchmarks.pipelines.machine import Cost, measure
from benchmarks.pipelines.page import tables, write_page
from benchmarks.pipelines.results import Measured, Measurement, ResultFile, Run, read_runs

BAR = BARS[0]
assert BAR.peer is not None
PEER = BAR.peer
VERSIONS = {"pyspark": "4.2.0"}


def measurement(measured: Measured, wall: float, round: int = 0) -> Measurement:
    return Measurement(measured, round, 10, 1000, Cost(wall, 2 * wall, 500, 0.25))


def run(date: str, seconds: float, peer: float) -> Run:
    costs = (measurement(BAR.measured, seconds), measurement(PEER, peer))
    return Run(date, VERSIONS, "2 cores", costs)


def row_of(text: str, bar: Bar, heading: str) -> str:
    part = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return next(line for line in part.splitlines() if line.startswith(f"| {bar.title} |"))


def test_a_command_s_cost_includes_the_processes_it_starts(tmp_path: Path) -> None:
    work = "x = bytearray(60 * 2**20); any(i < 0 for i in range(5 * 10**7)); print('done')"
    child = f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {work!r}]))"
    ended = measure([sys.executable, "-c", child], tmp_path)
    assert (ended.code, ended.output) == (0, "done\n")
    assert 60 < ended.cost.memory < 400
    assert 0 < ended.cost.cpu <= ended.cost.wall * 4
    assert 0 <= ended.cost.others <= 1


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = run("2026-11-27 04:35", 1.5, 10)
    ResultFile(tmp_path, written).add(written.measurements)
    assert read_runs(tmp_path) == [written]


def test_two_runs_of_one_minute_are_read_as_one(tmp_path: Path) -> None:
    both = run("2026-11-27 04:35", 1.5, 10)
    for each in both.measurements:
        ResultFile(tmp_path, both).add([each])
    assert read_runs(tmp_path) == [both]


def test_the_median_of_all_rounds_counts() -> None:
    rounds = tuple(measurement(BAR.measured, wall, n) for n, wall in enumerate((9.0, 1.0, 2.0)))
    assert Run("", VERSIONS, "", rounds).median(BAR.measured) == Cost(2.0, 4.0, 500, 0.25)
    assert Run("", VERSIONS, "", rounds).median(PEER) is None


def test_bars_have_verdicts_and_unmeasured_ones_say_so() -> None:
    assert row_of(tables([run("a", 1.5, 10)]), BAR, "Bars").endswith("| 0.15 | met | 0.15 | a |")
    assert row_of(tables([run("b", 1.6, 10)]), BAR, "Bars").endswith("| 0.16 | missed | 0.16 | b |")
    assert "not measured" in row_of(tables([run("a", 1.5, 10)]), BARS[1], "Bars")


def test_a_ratio_that_grew_by_more_than_a_fifth_is_a_regression() -> None:
    runs = [run("a", 1.0, 10), run("b", 1.2, 10), run("c", 1.5, 10)]
    cells = row_of(tables(runs), BAR, "History").split(" | ")
    assert cells[1:] == ["0.10", "0.12", "**0.15 (regression)** |"]


def test_a_bar_without_a_peer_is_about_seconds() -> None:
    bar = Bar(Measured("auto_loader", "no new file", "dlt-local"), None, 10)
    assert bar in BARS
    alone = Run("a", VERSIONS, "2 cores", (measurement(bar.measured, 2.5),))
    assert row_of(tables([alone]), bar, "Bars").endswith("| ≤ 10 | 2.50 | met | 5.00 | a |")


def test_a_case_shows_the_figures_of_its_newest_run() -> None:
    other = replace(run("b", 1, 1), measurements=(measurement(Measured("x", "w", "r"), 3.0),))
    figures = tables([run("a", 1.0, 10), other]).partition("## Costs")[2]
    assert "| x | 10 | w | r | 1 | 3.0 | 6.0 | 500 | 25% |" in figures
    assert f"| {BAR.measured.case} | 10 | {BAR.measured.work} | dlt-local | 1 | 1.0 |" in figures


def test_the_page_keeps_its_text(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    begin, end = "<!-- tables: written by `make bench` -->", "<!-- end of the tables -->"
    page.write_text(f"# Title\n\n{begin}\nold\n{end}\n\nThe end.\n")
    write_page([run("a", 1.0, 10)], page)
    text = page.read_text()
    assert text.startswith("# Title") and text.endswith(f"{end}\n\nThe end.\n")
    assert "old" not in text and "## Bars" in text
