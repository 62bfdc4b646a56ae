"""The page that `make demo` ends with, in a browser."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from demo.pictures.figures import figures
from demo.pictures.page import html
from tests.browser import in_theme, on_screen, serious_violations

SCRIPT = "</script><script>document.title = 'run'</script>"
ALL = {"segment": "ALL", "measure": "incurred"}
MOVES = {"new_business": 40, "reinstated": 1, "cancelled": 5, "lapsed": 6, "surrendered": 0}
GOLD: dict[str, list[dict[str, Any]]] = {
    "ref_valuation": [
        {"valuation_date": date(2025, 12, 31)},
        {"valuation_date": date(2026, 6, 30)},
    ],
    "gold_premium_month": [
        {"month": date(2026, month, 1), "policy_type": "HOME", "written_premium": 1013_000.0}
        for month in (1, 2)
    ],
    "gold_claim_kpi": [
        {"accident_year": year, "segment": line, "earned_premium": 50_000.0, "incurred": 60_000.0}
        | {"reported": 7, "open": 2, "loss_ratio": 1.2 if line == "HOME" else None}
        for line in ("HOME", "ALL", "UNIT_LINKED")
        for year in (2026, 2025)
    ],
    "gold_triangle": [
        {**ALL, "origin_year": 2026, "dev_lag_months": 12, "cumulative": 1_234.0},
        {**ALL, "origin_year": 2025, "dev_lag_months": 24, "cumulative": 1_500.0},
        {**ALL, "origin_year": 2025, "dev_lag_months": 12, "cumulative": 1_000.0},
        {**ALL, "origin_year": 2025, "dev_lag_months": 12, "cumulative": 9.0, "measure": "paid"},
        {**ALL, "origin_year": 2025, "dev_lag_months": 12, "cumulative": 9.0, "segment": "HOME"},
    ],
    "gold_ldf": [
        {**ALL, "from_lag_months": 12, "ldf": factor, "selected": factor == 1.5}
        for factor in (1.5, 1.6)
    ],
    "gold_ultimate": [
        {**ALL, "origin_year": 2026, "ultimate": 1_851.0, "ibnr": 617.0},
        {**ALL, "origin_year": 2025, "ultimate": 1_500.0, "ibnr": 0.0},
    ],
    "gold_inforce_movement": [
        {"calendar_year": 2026, "policy_type": line, "opening_in_force": 100, **MOVES}
        | {"claims": 0, "closing_in_force": 130, "closing_premium": 9.0}
        for line in ("HOME", "LIFE")
    ],
    "gold_retention_cohort": [
        {"factor": "(all)", "expiry_month": date(2026, month, 1), "expiring": expiring}
        | {"renewed": 8, "renewal_ratio": 0.8, "mature": True}
        | {"premium_retention": None if month == 1 else 0.9}
        for month, expiring in ((2, 10), (1, 10), (3, 9))
    ],
    "gold_fraud_score": [
        {"score": score, "band": "HIGH" if score else "LOW"} for score in (0, 0, 70)
    ],
    "gold_dq_metric": [
        {"table_name": "claim", "rule": rule, "action": "warn", "passed": 5, "failed": failed}
        | {"amount_at_stake": None if rule == "known" else 2.5}
        for rule, failed in (("known", 0), (SCRIPT, 2), (SCRIPT, 1))
    ],
}


def frames() -> dict[str, pd.DataFrame]:
    return {name: pd.DataFrame(rows) for name, rows in GOLD.items()}


def test_the_figures_are_sums_and_selections_of_gold() -> None:
    result = figures(frames())
    assert result["valuation"] == [{"day": "2026-06-30"}]
    assert result["premium"] == [{"line": "HOME", "year": 2026, "written": 2_026_000.0}]
    assert [each["cumulative"] for each in result["triangle"]] == [1_000, 1_500, 1_234]
    assert result["factors"] == [{"age": 12, "factor": 1.5}]
    assert [each["year"] for each in result["ultimates"]] == [2025, 2026]
    (moves,) = result["movement"]
    assert (moves["opening"], moves["new"], moves["closing"], moves["premium"]) == (
        200,
        80,
        260,
        18,
    )
    ratios = [(each["month"], each["premium_retention"]) for each in result["retention"]]
    assert ratios == [("2026-01-01", None), ("2026-02-01", 0.9)]
    assert [each["claims"] for each in result["fraud"]] == [2, 1]
    quality = [(each["rule"], each["failed"], each["amount"]) for each in result["quality"]]
    assert quality == [(SCRIPT, 3, 5.0), ("known", 0, None)]


def test_gold_tables_without_rows_give_no_figures() -> None:
    result = figures({name: rows.head(0) for name, rows in frames().items()})
    assert {name for name, rows in result.items() if rows} <= {"valuation"}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    file: Path = tmp_path_factory.mktemp("pictures") / "pictures.html"
    file.write_text(html(figures(frames())), encoding="utf-8")
    return file.as_uri()


def test_the_page_shows_every_figure(browser: Any, page: str) -> None:
    browser.get(page)
    charts = browser.find_elements("css selector", "figure svg[role='img']")
    text = browser.find_element("tag name", "main").get_attribute("textContent")
    assert len(charts) == 5
    headline = ("2026-06-30", "120 %", "617", SCRIPT)
    charts_and_tables = ("2,026k", "1.500", "+80", "−10", "2 low", "1 high")
    expected = (*headline, *charts_and_tables)
    assert [each for each in expected if each not in text] == []
    assert (browser.title, browser.get_log("browser")) == ("The insurer in pictures", [])


def test_a_book_without_rows_has_a_page_too(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "empty.html"
    file.write_text(
        html(figures({name: rows.head(0) for name, rows in frames().items()})), encoding="utf-8"
    )
    browser.get(file.as_uri())
    assert "no row broke a rule" in browser.find_element("tag name", "main").text
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_pictures(browser: Any, page: str, theme: str) -> None:
    with in_theme(browser, theme), on_screen(browser, 400, 800):
        browser.get(page)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 400
        assert serious_violations(browser) == []
