"""The committed docs/conformance.md tells of every marked test and every choice."""

import pytest

from tests.conformance import CHECKLISTS, HERE, PAGE, RESULTS, Row, choices, committed, renewed


@pytest.fixture
def marked(request: pytest.FixtureRequest) -> set[Row]:
    """Rows of all tests that this run collected; in a full run, of all there are."""
    return set(request.config.stash[RESULTS])


def test_every_marked_test_is_on_the_page(marked: set[Row]) -> None:
    missing = sorted(marked - set(committed()))
    assert missing == [], "run .venv/bin/pytest --write-conformance and commit the page"


def test_no_row_is_without_a_test(marked: set[Row]) -> None:
    looked_at = {row.path for row in marked}
    stale = [row for row in committed() if row.path in looked_at and row not in marked]
    assert stale + [row for row in committed() if not (HERE / row.path).is_file()] == []


def test_every_choice_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    missing = [each for each in choices() if f"- {each.text} (`{each.where}`)" not in text]
    assert missing == []


def test_the_page_tells_of_no_failure() -> None:
    assert {*committed().values()} <= {"passed", "xfailed", "skipped"}


def test_numbers_are_those_of_the_checklists(marked: set[Row]) -> None:
    sizes = {name: size for name, size, _ in CHECKLISTS}
    assert [row for row in marked if not 1 <= row.item <= sizes[row.checklist]] == []


def test_a_part_of_the_tests_renews_a_part_of_the_page() -> None:
    there, here = Row("dlt", 1, "A", "tests/conftest.py"), Row("dlt", 2, "B", "b.py")
    gone, skipped_over = Row("dlt", 3, "C", "b.py"), Row("dlt", 4, "D", "b.py")
    old = {there: "passed", gone: "passed", skipped_over: "passed"}
    new = {here: "failed", skipped_over: "not run"}
    assert renewed(old, new) == {there: "passed", here: "failed", skipped_over: "passed"}
