"""Databricks' `column:path` on columns of JSON text."""

from __future__ import annotations

import pytest

from local_shim.reading.sql_edits.json_paths import with_json_functions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "SELECT details:flow_progress.status FROM t",
            "SELECT get_json_object(details, '$.flow_progress.status') AS `status` FROM t",
        ),
        (
            "SELECT l.details:user_action:action::string, l.id FROM t l",
            "SELECT get_json_object(l.details, '$.user_action.action')::string AS `action`, "
            "l.id FROM t l",
        ),
        (
            "SELECT details:a[0].first, details:create_update.config['some.key']",
            "SELECT get_json_object(details, '$.a[0].first') AS `first`, "
            "get_json_object(details, '$.create_update.config[\\'some.key\\']')",
        ),
        (
            "SELECT a:b::decimal(9, 2), f(1, a:c) FROM t ORDER BY 1, a:d",
            "SELECT get_json_object(a, '$.b')::decimal(9, 2) AS `b`, "
            "f(1, get_json_object(a, '$.c')) FROM t ORDER BY 1, get_json_object(a, '$.d')",
        ),
        ("SELECT details:`a b` IS NULL", "SELECT get_json_object(details, '$[\\'a b\\']') IS NULL"),
    ],
)
def test_a_path_becomes_a_function(text: str, expected: str) -> None:
    assert with_json_functions(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'details:action', `a:b` FROM t -- details:action",
        "SELECT from_json(a, 'struct<b:int>'), CAST(c AS STRUCT<d:ARRAY<INT>,e:INT>), 1 < 2",
        "SELECT a FROM t WHERE b = :c",
        "SELECT a::int, map(1, 2)[1], b > 0",
        "SELECT 'no end",
    ],
)
def test_other_colons_stay(text: str) -> None:
    assert with_json_functions(text) == text
