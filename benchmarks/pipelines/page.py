"""The tables of docs/performance.md, out of the stored results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.pipelines.bars import BARS, REGRESSION, Bar
from benchmarks.pipelines.results import (
    RESULTS,
    Measured,
    Measurement,
    ResultFile,
    Run,
    read_runs,
    this_run,
)

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
_BEGIN, _END = "<!-- tables: written by `make bench` -->", "<!-- end of the tables -->"
_LATEST = 6  # runs in the history


def write_page(runs: Sequence[Run], page: Path = PAGE) -> None:
    """Replaces the tables of the page; the text around them stays."""
    before, _, rest = page.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    page.write_text(f"{before}{_BEGIN}\n\n{tables(runs)}\n{_END}{after}")


def publish(measurements: Iterable[Measurement]) -> None:
    """Stores measurements as a run of now, and writes the page."""
    ResultFile(RESULTS, this_run()).add(measurements)
    write_page(read_runs(RESULTS))


def tables(runs: Sequence[Run]) -> str:
    """Bars with verdicts, the history of their figures, and the costs in the newest runs."""
    parts = ["## Bars", _bars(runs), "## History", _history(runs)]
    return "\n\n".join([*parts, "## Costs", _costs(runs)]) + "\n"


def _newest(runs: Sequence[Run], bar: Bar) -> tuple[Run, float] | None:
    """The newest run that measured the bar, and its figure."""
    figures = ((run, bar.figure(run)) for run in reversed(runs))
    return next(((run, figure) for run, figure in figures if figure is not None), None)


def _bars(runs: Sequence[Run]) -> str:
    head = ["Work", "Bar", "Figure", "Verdict", "By CPU seconds", "Run (UTC)"]
    return markdown_table(head, [_row(runs, bar) for bar in BARS])


def _row(runs: Sequence[Run], bar: Bar) -> list[str]:
    """A bar with its newest figure, and the same by CPU seconds, which other work disturbs less."""
    newest = _newest(runs, bar)
    if newest is None:
        return [bar.title, f"≤ {bar.limit}", "", "not measured", "", ""]
    run, figure = newest
    by_cpu = replace(bar, field="cpu").figure(run) if bar.field == "wall" else None
    texts = ["" if each is None else f"{each:.2f}" for each in (figure, by_cpu)]
    return [bar.title, f"≤ {bar.limit}", texts[0], bar.verdict(figure), texts[1], run.date]


def _history(runs: Sequence[Run]) -> str:
    """The figures of each run; one that is more than a fifth above the one before is bold."""
    latest_runs = runs[-_LATEST:]
    rows = []
    for bar in BARS:
        cells, before = [], None
        for run in latest_runs:
            figure = bar.figure(run)
            worse = figure is not None and before is not None and figure > REGRESSION * before
            text = "" if figure is None else f"{figure:.2f}"
            cells.append(f"**{text} (regression)**" if worse else text)
            before = before if figure is None else figure
        if any(cells):
            rows.append([bar.title, *cells])
    return markdown_table(["Work", *(run.date for run in latest_runs)], rows)


def _costs(runs: Sequence[Run]) -> str:
    """The medians of the newest run of each case, by the run."""
    newest = {each.measured.case: run for run in runs for each in run.measurements}
    parts = []
    for run in reversed(runs):
        cases = [case for case, its_run in newest.items() if its_run is run]
        if cases:
            parts.append(_costs_of(run, cases))
    return "\n\n".join(parts)


def _costs_of(run: Run, cases: Sequence[str]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    rows = []
    measured = dict.fromkeys(each.measured for each in run.measurements)
    for key in sorted(measured, key=lambda each: (each.case, each.work)):
        if key.case in cases:
            rows.append(_cost(run, key))
    head = ["Case", "Tables", "Work", "Program", "Rounds", "Seconds", "CPU s", "MB", "Others"]
    return f"{run.date} UTC, {run.machine}; {versions}.\n\n{markdown_table(head, rows)}"


def _cost(run: Run, key: Measured) -> list[str]:
    cost, first = run.median(key), next(x for x in run.measurements if x.measured == key)
    assert cost is not None
    numbers = [f"{cost.wall:.1f}", f"{cost.cpu:.1f}", f"{cost.memory:,}", f"{cost.others:.0%}"]
    rounds = str(len(run.of(key)))
    return [key.case, str(first.tables), key.work, key.runner, rounds, *numbers]


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
