"""A pytest plugin that writes docs/conformance.md: rule, test and result side by side.

The rules are read from docs/behaviour/. A test that stands for rule 24 of pipelines carries
`@pytest.mark.dlt(24)`. `pytest --write-conformance` writes the page, or renews the rows of the
test files that were run; test_conformance.py checks that the committed page is complete.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
PAGE = HERE / "docs" / "conformance.md"
# The marker of each checklist, the page with its rules, and the title of its section here.
CHECKLISTS = (
    ("dlt", "behaviour/pipelines.md", "Pipelines, as Databricks runs them"),
    ("dms", "behaviour/dms.md", "Change files, as AWS DMS writes them"),
)
WORST_FIRST = ("failed", "skipped", "xfailed", "passed", "not run")


@dataclass(frozen=True, order=True)
class Row:
    """A test function that stands for a rule; `cases` says how many of its cases do."""

    checklist: str
    rule: int
    sentence: str
    path: str  # of the test's file, below the repository
    cases: str = ""


@dataclass(frozen=True)
class Choice:
    """A decision of this project where the original leaves one, as a docstring states it."""

    text: str
    where: str


# The worst result of each row, and the rows of each test item.
RESULTS = pytest.StashKey[dict[Row, str]]()
ROWS = pytest.StashKey[dict[str, list[Row]]]()


# --- rules and choices ------------------------------------------------------------------------


def rules(checklist: str) -> dict[int, str]:
    """The rules of a checklist by number."""
    page = next(page for name, page, _ in CHECKLISTS if name == checklist)
    text = (HERE / "docs" / page).read_text(encoding="utf-8")
    return {
        int(number): rule
        for number, rule in re.findall(r'^- <a id="\d+"></a>\*\*(\d+)\*\* (.+)$', text, re.M)
    }


def choices() -> list[Choice]:
    """What docstrings mark with `[choice]`, each up to the end of its paragraph."""
    result = []
    for package in ("local_shim", "dlt_pipelines"):
        for path in sorted((HERE / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                    where = str(path.relative_to(HERE))
                    result += [Choice(text, where) for text in _marked(ast.get_docstring(node))]
    return result


def _marked(docstring: str | None) -> list[str]:
    pattern = r"\[choice\]\s*(.+?)(?=\n\s*\n|\[choice\]|\n\s*(?:Raises|Args|Returns)\b|\Z)"
    paragraphs = re.findall(pattern, docstring or "", flags=re.DOTALL)
    return [" ".join(text.split()) for text in paragraphs]


# --- rows of tests ----------------------------------------------------------------------------


def rows_of(items: Iterable[pytest.Item]) -> dict[str, list[Row]]:
    """The rows of every test item, by its node id."""
    functions: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        functions[item.nodeid.split("[")[0]].append(item)
    return {
        item.nodeid: [_row(item, checklist, rule, cases) for checklist, rule in _marks(item)]
        for cases in functions.values()
        for item in cases
    }


def _marks(item: pytest.Item) -> list[tuple[str, int]]:
    return [
        (checklist, int(number))
        for checklist, _, _ in CHECKLISTS
        for mark in item.iter_markers(checklist)
        for number in mark.args
    ]


def _row(item: pytest.Item, checklist: str, rule: int, cases: list[pytest.Item]) -> Row:
    marked_cases = [case for case in cases if (checklist, rule) in _marks(case)]
    path = str(item.path.relative_to(HERE))
    return Row(checklist, rule, _sentence(item), path, _share(len(marked_cases), len(cases)))


def _share(count: int, all_cases: int) -> str:
    if all_cases == 1:
        return ""
    return f"{count} cases" if count == all_cases else f"{count} of {all_cases} cases"


def _sentence(item: pytest.Item) -> str:
    docstring = getattr(getattr(item, "function", None), "__doc__", None)
    if docstring:
        sentence = " ".join(docstring.strip().split("\n\n")[0].split()).rstrip(".")
    else:
        name = getattr(item, "originalname", item.name)
        words = name.removeprefix("test_").replace("_", " ")
        sentence = words[0].upper() + words[1:]
    return re.sub(r"[|\[\]]", "/", sentence)


# --- the page ---------------------------------------------------------------------------------


def page(results: dict[Row, str]) -> str:
    """The text of docs/conformance.md."""
    lines = [
        "<!-- Made by `.venv/bin/pytest --write-conformance` (tests/conformance.py). -->",
        "# Conformance",
        "",
        "Each rule of [pipelines](behaviour/pipelines.md) and of [DMS](behaviour/dms.md) with the",
        "tests that stand for it. `2 of 28 cases` is the share of a parametrised test that does.",
        "This page is made by running these tests.",
    ]
    for checklist, rule_page, title in CHECKLISTS:
        rows = {row: result for row, result in results.items() if row.checklist == checklist}
        lines += _section(title, rule_page, rules(checklist), rows)
    lines += ["", "## Choices", "", "What this project decided where the original is silent.", ""]
    lines += [f"- {choice.text} (`{choice.where}`)" for choice in choices()]
    return "\n".join(lines) + "\n"


def _section(
    title: str, rule_page: str, texts: dict[int, str], results: dict[Row, str]
) -> Iterator[str]:
    tested = {row.rule for row in results}
    yield from ("", f"## {title}", "", f"{len(tested)} of {len(texts)} rules have a test.")
    yield from ("", "| rule | test | result |", "|---|---|---|")
    for number, text in texts.items():
        first = f"[{number}]({rule_page}#{number}) {text}"
        rows = sorted(row for row in results if row.rule == number)
        for row in rows:
            cases = f", {row.cases}" if row.cases else ""
            yield f"| {first} | [{row.sentence}](../{row.path}){cases} | {results[row]} |"
            first = f"{number}"
        if not rows:
            yield f"| {first} | | no test |"


def committed() -> dict[Row, str]:
    """The rows of the committed page with their results."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    result = {}
    for checklist, _, title in CHECKLISTS:
        section = text.partition(f"## {title}\n")[2].split("\n## ")[0]
        pattern = (
            r"^\| \[?(\d+)\b.*? \| \[([^\]]+)\]\(\.\./([^)]+)\)(?:, (\d[^|]*cases))? \| (.+) \|$"
        )
        for number, sentence, path, cases, outcome in re.findall(pattern, section, re.M):
            result[Row(checklist, int(number), sentence, path, cases)] = outcome
    return result


def renewed(old: dict[Row, str], new: dict[Row, str]) -> dict[Row, str]:
    """Old rows, with those of the collected files replaced; what did not run keeps its result."""
    collected = {row.path for row in new}
    missing = {row.path for row in old if not (HERE / row.path).is_file()}
    others = {row: result for row, result in old.items() if row.path not in collected | missing}
    return others | {
        row: old.get(row, result) if result == "not run" else result for row, result in new.items()
    }


# --- the plugin -------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-conformance", action="store_true", help=f"write {PAGE.relative_to(HERE)}"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RESULTS], config.stash[ROWS] = {}, {}


@pytest.hookimpl(tryfirst=True)  # before -k and -m take items away
def pytest_collection_modifyitems(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    config.stash[ROWS] = rows_of(items)
    for rows in config.stash[ROWS].values():
        config.stash[RESULTS].update(dict.fromkeys(rows, "not run"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" or report.outcome != "passed":
        result = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        results = item.config.stash[RESULTS]
        for row in item.config.stash[ROWS].get(item.nodeid, ()):
            results[row] = min(result, results[row], key=WORST_FIRST.index)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("write_conformance"):
        PAGE.parent.mkdir(exist_ok=True)
        results = renewed(committed(), session.config.stash[RESULTS])
        PAGE.write_text(page(results), encoding="utf-8")
