"""The committed docs/conformance.md tells of every marked test and every choice."""

import pytest

from tests.conformance import CHECKLISTS, PAGE, choices, committed_outcomes, marked_tests


@pytest.fixture(scope="module")
def committed() -> str:
    return PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""


def test_every_marked_test_is_on_the_page(committed: str) -> None:
    rows = {tuple(line.split(" | ")[:2]) for line in committed.splitlines()}
    missing = [test for test in marked_tests() if (f"| {test.item}", test.link) not in rows]
    assert missing == [], "run .venv/bin/pytest --write-conformance and commit the page"


def test_no_row_is_without_a_test() -> None:
    links = {test.link for test in marked_tests()}
    assert [link for link in committed_outcomes() if link not in links] == []


def test_every_choice_is_on_the_page(committed: str) -> None:
    assert [choice for choice in choices() if f"- {choice.text} (" not in committed] == []


def test_the_page_tells_of_no_failure() -> None:
    assert {told for told in committed_outcomes().values()} <= {"passed", "xfailed", "skipped"}


def test_numbers_are_those_of_the_checklists() -> None:
    sizes = {name: size for name, size, _ in CHECKLISTS}
    wrong = [test for test in marked_tests() if not 1 <= test.item <= sizes[test.checklist]]
    assert wrong == []
