"""The committed docs/conformance.md holds every marked test, every rule and every choice."""

import pytest

from tests.conformance import (
    CHECKLISTS,
    HERE,
    PAGE,
    RESULTS,
    Row,
    choices,
    committed,
    renewed,
    rules,
)


@pytest.fixture
def marked(request: pytest.FixtureRequest) -> set[Row]:
    """Rows of all tests that this run collected; in a full run, all rows."""
    results = request.config.stash[RESULTS]
    return set(results)


def test_every_marked_test_is_on_the_page(marked: set[Row]) -> None:
    missing = sorted(marked - set(committed()))
    files = " ".join(sorted({row.path for row in missing}))
    assert missing == [], f"run .venv/bin/pytest --write-conformance {files}"


def test_no_row_is_without_a_test(marked: set[Row]) -> None:
    collected = {row.path for row in marked}
    stale = [row for row in committed() if row.path in collected and row not in marked]
    assert stale + [row for row in committed() if not (HERE / row.path).is_file()] == []


def test_every_choice_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    missing = [each for each in choices() if f"- {each.text} (`{each.where}`)" not in text]
    assert missing == []


def test_every_rule_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    missing = [
        f"{checklist} {number}"
        for checklist, page, _ in CHECKLISTS
        for number, rule in rules(checklist).items()
        if f"| [{number}]({page}#{number}) {rule} |" not in text
    ]
    assert missing == []


def test_the_page_has_no_failure() -> None:
    assert {*committed().values()} <= {"passed", "xfailed", "skipped"}


def test_rules_are_numbered_without_gaps() -> None:
    for checklist, _, _ in CHECKLISTS:
        numbers = list(rules(checklist))
        assert numbers == list(range(1, len(numbers) + 1)), checklist


def test_every_marker_names_a_rule(marked: set[Row]) -> None:
    rule_numbers = {checklist: set(rules(checklist)) for checklist, _, _ in CHECKLISTS}
    assert [row for row in marked if row.rule not in rule_numbers[row.checklist]] == []


def test_one_test_stands_for_at_most_three_rules(marked: set[Row]) -> None:
    """A test for ten rules shows little of each."""
    rules_of: dict[tuple[str, str], set[tuple[str, int]]] = {}
    for row in marked:
        if "of" not in row.cases:  # its cases are the tests
            rules_of.setdefault((row.path, row.sentence), set()).add((row.checklist, row.rule))
    assert {test: numbers for test, numbers in rules_of.items() if len(numbers) > 3} == {}


def test_a_part_of_the_tests_renews_a_part_of_the_page() -> None:
    other_file, here = Row("dlt", 1, "A", "tests/conftest.py"), Row("dlt", 2, "B", "b.py")
    deleted_row, skipped_over = Row("dlt", 3, "C", "b.py"), Row("dlt", 4, "D", "b.py")
    old = {other_file: "passed", deleted_row: "passed", skipped_over: "passed"}
    new = {here: "failed", skipped_over: "not run"}
    assert renewed(old, new) == {other_file: "passed", here: "failed", skipped_over: "passed"}
