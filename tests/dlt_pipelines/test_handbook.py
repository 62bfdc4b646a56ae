"""The pages of tables name the columns and rules that the tables have; every key has its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.dlt_pipelines import layer_pages
from tests.dlt_pipelines.test_declarations import CONTRACT

PROJECT = Path(__file__).parents[2]
HANDBOOK = PROJECT / "docs" / "handbook"
PAGES = sorted((HANDBOOK / "gold").glob("gold_*.md"))
KEY = re.compile(r"insurance\.[a-z_]+[a-z]")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_lists_the_columns_of_its_table(page: Path) -> None:
    columns = re.findall(r"^\| `(\w+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert columns == CONTRACT[page.stem].split()


def test_the_pages_of_bronze_and_silver_say_what_is_declared() -> None:
    for page, text in layer_pages.pages().items():
        assert page.read_text(encoding="utf-8") == text, "run tests.dlt_pipelines.layer_pages"


def test_there_are_pages() -> None:
    assert {page.stem for page in PAGES} == set(CONTRACT)


def test_every_configuration_key_has_a_line() -> None:
    settings = (PROJECT / "dlt_pipelines" / "settings.py").read_text(encoding="utf-8")
    page = (HANDBOOK / "configuration.md").read_text(encoding="utf-8")
    described = tuple(KEY.findall(page))
    missing = {
        key for key in KEY.findall(settings) if not any(name.startswith(key) for name in described)
    }
    assert missing == set()
