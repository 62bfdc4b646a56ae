"""Governance files: a tag for every personal column, a comment for every column of silver."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dlt_pipelines.column_comments import COLUMN_COMMENTS, comment_of, comment_statements
from dlt_pipelines.personal_data import PERSONAL_COLUMNS, PROTECTED_COLUMNS, tag_statements
from dlt_pipelines.source_tables import SOURCE_TABLES
from dlt_pipelines.transforms.pricing.factors import LEVELS
from tests.dlt_pipelines.test_declarations import CONTRACT

PROJECT = Path(__file__).parents[2]
NAMES = {"name", "national_id", "email", "phone"}
TABLES = {table.name: table for table in SOURCE_TABLES}


def test_classes_are_of_columns_that_exist_and_direct_ones_are_the_hashed() -> None:
    for name, columns in PERSONAL_COLUMNS.items():
        assert set(columns) <= set(TABLES[name].columns)
    for table in SOURCE_TABLES:
        classes = PERSONAL_COLUMNS.get(table.name, {})
        assert {c for c, kind in classes.items() if kind == "direct"} == table.hashed


def test_what_looks_personal_has_a_class() -> None:
    pattern = re.compile("birth|gender|national|email|phone|postal_code|bank|licence_date|line1")
    personal = {(t.name, c) for t in SOURCE_TABLES for c in t.columns if pattern.search(c)}
    classified = {(t, c) for t, columns in PERSONAL_COLUMNS.items() for c in columns}
    assert personal <= classified
    assert classified >= PROTECTED_COLUMNS


@pytest.mark.parametrize(
    ("file", "statements"),
    [("column_tags.sql", tag_statements()), ("column_comments.sql", comment_statements())],
)
def test_a_governance_file_holds_what_the_package_says(file: str, statements: list[str]) -> None:
    text = (PROJECT / "resources" / "sql" / file).read_text()
    assert [line for line in text.splitlines() if line.startswith("ALTER")] == statements


def test_every_comment_is_of_a_column_that_exists() -> None:
    columns = {(t.name, c) for t in SOURCE_TABLES for c in t.columns}
    names = {c for _, c in columns} | {f"{t}.{c}" for t, c in columns}
    assert set(COLUMN_COMMENTS) <= names
    assert all(comment_of(t.name, c) == "digest" for t in SOURCE_TABLES for c in t.hashed & NAMES)


def test_no_gold_table_has_a_personal_column_and_no_factor_is_protected() -> None:
    personal = {c for columns in PERSONAL_COLUMNS.values() for c in columns}
    assert [t for t, columns in CONTRACT.items() if personal & set(columns.split())] == []
    assert not {column for _, column in PROTECTED_COLUMNS} & set(LEVELS)
