"""A pytest plugin: docs/conformance.md from the checklist markers and the outcomes of a run.

`pytest --write-conformance` writes the file; test_conformance.py sees to it that the committed one
names every marked test and every choice.
"""

import ast
import re
from collections.abc import Iterator
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
WORST_FIRST = ("failed", "skipped", "xfailed", "passed")
OUTCOMES = pytest.StashKey[dict[str, str]]()


@dataclass(frozen=True)
class MarkedTest:
    """A test function that stands for items of a checklist."""

    checklist: str
    item: int
    sentence: str
    node: str  # path::function

    @property
    def link(self) -> str:
        """The sentence, as a link to the test's file."""
        path = self.node.split("::")[0]
        return f"[{self.sentence.replace('|', '/')}](../{path})"


@dataclass(frozen=True)
class Choice:
    """A decision of ours where the original leaves one, as a docstring tells it."""

    text: str
    where: str


def marked_tests() -> list[MarkedTest]:
    """Every marked test of the source tree, whatever part of it is run."""
    found = []
    for path in sorted((HERE / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                name = f"{path.relative_to(HERE)}::{node.name}"
                for checklist, item in _items(node):
                    found.append(MarkedTest(checklist, item, _sentence(node), name))
    return sorted(found, key=lambda test: (test.checklist, test.item, test.node))


def _items(function: ast.FunctionDef) -> Iterator[tuple[str, int]]:
    for decorator in function.decorator_list:
        for call in ast.walk(decorator):  # also marks of single parameters
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                owner, name = ast.unparse(call.func.value), call.func.attr
                if owner == "pytest.mark" and name in dict((c[0], c) for c in CHECKLISTS):
                    for argument in call.args:
                        yield name, int(ast.literal_eval(argument))


def _sentence(function: ast.FunctionDef) -> str:
    told = ast.get_docstring(function)
    if told:
        return " ".join(told.split("\n\n")[0].split()).rstrip(".")
    words = function.name.removeprefix("test_").replace("_", " ")
    return words[0].upper() + words[1:]


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


def page(outcomes: dict[str, str]) -> str:
    """The text of docs/conformance.md; `outcomes` are by the link to the test."""
    lines = [
        "<!-- Made by `.venv/bin/pytest --write-conformance` (tests/conformance.py). -->",
        "# Conformance",
        "",
        "What the real services do is written down as two numbered checklists; a test that stands",
        "for an item carries its number. This page is made by running these tests.",
    ]
    tests = marked_tests()
    for checklist, size, title in CHECKLISTS:
        lines += _section(title, size, [t for t in tests if t.checklist == checklist], outcomes)
    lines += ["", "## Choices", "", "Decided by us, where the original leaves it open.", ""]
    lines += [f"- {choice.text} (`{choice.where}`)" for choice in choices()]
    return "\n".join(lines) + "\n"


def _section(
    title: str, size: int, tests: list[MarkedTest], outcomes: dict[str, str]
) -> Iterator[str]:
    covered = {test.item for test in tests}
    missing = [number for number in range(1, size + 1) if number not in covered]
    yield from ("", f"## {title}", "", f"{size - len(missing)} of {size} items have a test.")
    if missing:
        yield f"Without one: {_ranges(missing)}."
    yield from ("", "| item | what a test shows | result |", "|---:|---|---|")
    for test in tests:
        yield f"| {test.item} | {test.link} | {outcomes.get(test.link, 'not run')} |"


def _ranges(numbers: list[int]) -> str:
    """`1, 2, 3, 7` as `1-3, 7`."""
    groups: list[list[int]] = []
    for number in numbers:
        if groups and groups[-1][-1] == number - 1:
            groups[-1].append(number)
        else:
            groups.append([number])
    return ", ".join(f"{g[0]}-{g[-1]}" if len(g) > 1 else str(g[0]) for g in groups)


def committed_outcomes() -> dict[str, str]:
    """What the page tells now, by the link to the test."""
    lines = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    return {row[1]: row[2] for row in rows if len(row) == 3 and row[0].isdigit()}


# --- the plugin -------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-conformance", action="store_true", help=f"write {PAGE.relative_to(HERE)}"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[OUTCOMES] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call" or report.outcome != "passed":
        outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        node = item.nodeid.split("[")[0]
        known = item.config.stash[OUTCOMES]
        known[node] = min(outcome, known.get(node, "passed"), key=WORST_FIRST.index)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("write_conformance"):
        PAGE.parent.mkdir(exist_ok=True)
        # A part of the tests renews a part of the page.
        outcomes = committed_outcomes()
        for test in marked_tests():
            if test.node in session.config.stash[OUTCOMES]:
                outcomes[test.link] = session.config.stash[OUTCOMES][test.node]
        PAGE.write_text(page(outcomes), encoding="utf-8")
