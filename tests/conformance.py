"""A pytest plugin: docs/conformance.md from the checklist markers and the outcomes of a run.

`pytest --write-conformance` writes the file, or renews the part that the chosen test files tell of;
test_conformance.py sees to it that the committed one names every marked test and every choice.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
PAGE = HERE / "docs" / "conformance.md"
# Checklist, its size, and what it is about.
CHECKLISTS = (
    ("dlt", 180, "Pipelines, as Databricks runs them"),
    ("dms", 57, "Change files, as AWS DMS writes them"),
)
WORST_FIRST = ("failed", "skipped", "xfailed", "passed", "not run")


@dataclass(frozen=True, order=True)
class Row:
    """A test that stands for an item of a checklist."""

    checklist: str
    item: int
    sentence: str
    path: str  # of the test's file, below the repository


@dataclass(frozen=True)
class Choice:
    """A decision of ours where the original leaves one, as a docstring tells it."""

    text: str
    where: str


# Rows of the tests that were collected, with their worst result; and the rows of each test.
RESULTS = pytest.StashKey[dict[Row, str]]()
ROWS = pytest.StashKey[dict[str, list[Row]]]()


def rows_of(item: pytest.Item) -> Iterator[Row]:
    """What the item's markers say."""
    path = str(item.path.relative_to(HERE))
    own = tuple(getattr(getattr(item, "callspec", None), "marks", ()))
    for checklist, _, _ in CHECKLISTS:
        for mark in item.iter_markers(checklist):
            case = f": {item.callspec.id}" if mark in own else ""  # type: ignore[attr-defined]
            for number in mark.args:
                yield Row(checklist, int(number), _sentence(item) + case, path)


def _sentence(item: pytest.Item) -> str:
    told = getattr(getattr(item, "function", None), "__doc__", None)
    if told:
        sentence = " ".join(told.strip().split("\n\n")[0].split()).rstrip(".")
    else:
        name = getattr(item, "originalname", item.name)
        words = name.removeprefix("test_").replace("_", " ")
        sentence = words[0].upper() + words[1:]
    return re.sub(r"[|\[\]]", "/", sentence)


def choices() -> list[Choice]:
    """What docstrings mark with `[choice]`, up to the end of the paragraph."""
    found = []
    for package in ("local_shim", "dlt_pipelines"):
        for path in sorted((HERE / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                    where = str(path.relative_to(HERE))
                    found += [Choice(text, where) for text in _marked(ast.get_docstring(node))]
    return found


def _marked(docstring: str | None) -> list[str]:
    pattern = r"\[choice\]\s*(.+?)(?=\n\s*\n|\[choice\]|\n\s*(?:Raises|Args|Returns)\b|\Z)"
    found = re.findall(pattern, docstring or "", flags=re.DOTALL)
    return [" ".join(text.split()) for text in found]


def page(results: dict[Row, str]) -> str:
    """The text of docs/conformance.md."""
    lines = [
        "<!-- Made by `.venv/bin/pytest --write-conformance` (tests/conformance.py). -->",
        "# Conformance",
        "",
        "What the real services do is written down as two numbered checklists; a test that stands",
        "for an item carries its number. This page is made by running these tests.",
    ]
    for checklist, size, title in CHECKLISTS:
        own = {row: result for row, result in results.items() if row.checklist == checklist}
        lines += _section(title, size, own)
    lines += ["", "## Choices", "", "Decided by us, where the original leaves it open.", ""]
    lines += [f"- {choice.text} (`{choice.where}`)" for choice in choices()]
    return "\n".join(lines) + "\n"


def _section(title: str, size: int, results: dict[Row, str]) -> Iterator[str]:
    covered = {row.item for row in results}
    missing = [number for number in range(1, size + 1) if number not in covered]
    yield from ("", f"## {title}", "", f"{size - len(missing)} of {size} items have a test.")
    if missing:
        yield f"Without one: {_ranges(missing)}."
    yield from ("", "| item | what a test shows | result |", "|---:|---|---|")
    for row, result in sorted(results.items()):
        yield f"| {row.item} | [{row.sentence}](../{row.path}) | {result} |"


def _ranges(numbers: list[int]) -> str:
    """`1, 2, 3, 7` as `1-3, 7`."""
    groups: list[list[int]] = []
    for number in numbers:
        if groups and groups[-1][-1] == number - 1:
            groups[-1].append(number)
        else:
            groups.append([number])
    return ", ".join(f"{g[0]}-{g[-1]}" if len(g) > 1 else str(g[0]) for g in groups)


def committed() -> dict[Row, str]:
    """What the page tells now."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    found = {}
    for checklist, _, title in CHECKLISTS:
        _, _, section = text.partition(f"## {title}\n")
        rows = re.findall(
            r"^\| (\d+) \| \[(.+)\]\(\.\./(.+)\) \| (.+) \|$", section.split("\n## ")[0], re.M
        )
        for number, sentence, path, result in rows:
            found[Row(checklist, int(number), sentence, path)] = result
    return found


def renewed(old: dict[Row, str], new: dict[Row, str]) -> dict[Row, str]:
    """Rows of files that were looked at are replaced; what was not run keeps its old result."""
    looked_at = {row.path for row in new}
    gone = {row.path for row in old if not (HERE / row.path).is_file()}
    kept = {row: told for row, told in old.items() if row.path not in looked_at | gone}
    return kept | {
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
    for item in items:
        config.stash[ROWS][item.nodeid] = rows = list(rows_of(item))
        config.stash[RESULTS].update(dict.fromkeys(rows, "not run"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call" or report.outcome != "passed":
        result = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        known = item.config.stash[RESULTS]
        for row in item.config.stash[ROWS].get(item.nodeid, ()):
            known[row] = min(result, known[row], key=WORST_FIRST.index)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("write_conformance"):
        PAGE.parent.mkdir(exist_ok=True)
        results = renewed(committed(), session.config.stash[RESULTS])
        PAGE.write_text(page(results), encoding="utf-8")
