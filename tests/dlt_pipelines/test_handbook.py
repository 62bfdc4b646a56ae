"""The pages of gold tables name the columns that the tables have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.dlt_pipelines.test_declarations import CONTRACT

PAGES = sorted((Path(__file__).parents[2] / "docs" / "handbook" / "gold").glob("gold_*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_lists_the_columns_of_its_table(page: Path) -> None:
    columns = re.findall(r"^\| `(\w+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert columns == CONTRACT[page.stem].split()


def test_there_are_pages() -> None:
    assert PAGES
