"""The committed docs/conformance.md tells of every marked test and every choice."""

import pytest

from tests.conformance import CHECKLISTS, PAGE, choices, marked_tests


@pytest.fixture(scope="module")
def committed() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_every_marked_test_is_on_the_page(committed: str) -> None:
    rows = {tuple(cell.strip() for cell in line.split("|")[1:4]) for line in committed.splitlines()
            if line.startswith("| ")}  # fmt: skip
    missing = []
    for test in marked_tests():
        path, name = test.node.split("::")
        link = f"[{name.removeprefix('test_')}](../{path})"
        if (str(test.item), test.sentence.replace("|", r"\|"), link) not in rows:
            missing.append(f"{test.checklist}({test.item}) {test.node}")
    assert missing == [], "run .venv/bin/pytest --write-conformance and commit the page"


def test_no_row_is_without_a_test(committed: str) -> None:
    names = {test.node.split("::")[1].removeprefix("test_") for test in marked_tests()}
    shown = [line.split("[")[1].split("]")[0] for line in committed.splitlines() if "](../" in line]
    assert [name for name in shown if name not in names] == []


def test_every_choice_is_on_the_page(committed: str) -> None:
    assert [choice for choice in choices() if f"- {choice.text} (" not in committed] == []


def test_the_page_tells_of_no_failure(committed: str) -> None:
    assert "| failed |" not in committed
    assert "| not run |" not in committed


def test_numbers_are_those_of_the_checklists() -> None:
    sizes = {name: size for name, size, _ in CHECKLISTS}
    wrong = [test for test in marked_tests() if not 1 <= test.item <= sizes[test.checklist]]
    assert wrong == []
