"""The page that `make demo` ends with, in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo.pictures.page import html
from demo.pictures.queries import QUERIES
from tests.browser import in_theme, on_screen, serious_violations

SCRIPT = "</script><script>document.title = 'run'</script>"
MOVES = {"new": 40, "reinstated": 1, "cancelled": 5, "lapsed": 6, "surrendered": 0, "claims": 0}
ROWS: dict[str, list[dict[str, Any]]] = {
    "valuation": [{"day": "2026-06-30"}],
    "premium": [
        {"year": year, "line": line, "written": 1000.0 * year}
        for line in ("HOME", "UNIT_LINKED")
        for year in (2025, 2026)
    ],
    "claims": [
        {"year": year, "line": line, "earned": 50_000.0, "incurred": 60_000.0, "reported": 7}
        | {"open": 2, "loss_ratio": 1.2 if line == "HOME" else None}
        for line in ("ALL", "HOME", "UNIT_LINKED")
        for year in (2025, 2026)
    ],
    "triangle": [
        {"year": 2025, "age": 12, "cumulative": 1_000.0},
        {"year": 2025, "age": 24, "cumulative": 1_500.0},
        {"year": 2026, "age": 12, "cumulative": 1_234.0},
    ],
    "factors": [{"age": 12, "factor": 1.5}],
    "ultimates": [
        {"year": 2025, "ultimate": 1_500.0, "ibnr": 0.0},
        {"year": 2026, "ultimate": 1_851.0, "ibnr": 617.0},
    ],
    "movement": [{"year": 2026, "opening": 100, "closing": 130, "premium": 9.0, **MOVES}],
    "retention": [
        {"month": f"2026-0{month}-01", "expiring": 10, "renewed": 8, "renewal_ratio": 0.8}
        | {"premium_retention": None if month == 1 else 0.9}
        for month in (1, 2)
    ],
    "fraud": [{"score": 0, "band": "LOW", "claims": 9}, {"score": 70, "band": "HIGH", "claims": 1}],
    "quality": [
        {"table": "claim", "rule": rule, "action": "warn", "passed": 5, "failed": failed}
        | {"amount": None}
        for rule, failed in ((SCRIPT, 2), ("loss date known", 0))
    ],
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    file: Path = tmp_path_factory.mktemp("pictures") / "pictures.html"
    file.write_text(html(ROWS), encoding="utf-8")
    return file.as_uri()


def test_the_page_shows_what_every_query_gives(browser: Any, page: str) -> None:
    assert ROWS.keys() == QUERIES.keys()
    browser.get(page)
    charts = browser.find_elements("css selector", "figure svg[role='img']")
    text = browser.find_element("tag name", "main").get_attribute("textContent")
    assert len(charts) == 5
    shown = (
        "2026-06-30",
        "2,026k",
        "120 %",
        "1.500",
        "617",
        "+40",
        "−5",
        "9 low",
        "1 high",
        SCRIPT,
    )
    assert [each for each in shown if each not in text] == []
    assert (browser.title, browser.get_log("browser")) == ("The insurer in pictures", [])


def test_a_book_without_rows_has_a_page_too(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "empty.html"
    file.write_text(html({name: [] for name in QUERIES}), encoding="utf-8")
    browser.get(file.as_uri())
    assert "no rules were broken" in browser.find_element("tag name", "main").text
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_pictures(browser: Any, page: str, theme: str) -> None:
    with in_theme(browser, theme), on_screen(browser, 400, 800):
        browser.get(page)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 400
        assert serious_violations(browser) == []
