"""SQL that only a workspace runs: it parses, and names tables and columns that there are."""

from __future__ import annotations

import ast
import json
import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from dlt_pipelines.source_tables import SOURCE_TABLES
from local_shim.deploy_check.check import check_bundle

PROJECT = Path(__file__).parents[2]
SQL_FILES = sorted((PROJECT / "resources" / "sql").glob("*.sql"))
DASHBOARDS = sorted((PROJECT / "resources" / "dashboards").glob("*.lvdash.json"))
# Columns that Databricks gives its own tables; nested fields are not looked at.
SYSTEM_TABLES = {
    "insurance_event_log": {"timestamp", "event_type", "level", "message", "details", "origin"},
    "usage": {
        "cloud", "sku_name", "usage_unit", "usage_end_time", "usage_date", "usage_quantity",
        "usage_metadata", "custom_tags",
    },
    "list_prices": {
        "cloud", "sku_name", "usage_unit", "price_start_time", "price_end_time", "pricing",
    },
}  # fmt: skip


@cache
def tables() -> dict[str, set[str]]:
    """Columns of every gold and bronze table, from the declarations themselves."""
    bronze = {f"bronze_{table.name}": {*table.columns, "_dms_commit_ts"} for table in SOURCE_TABLES}
    gold = {}
    for file in (PROJECT / "dlt_pipelines" / "gold").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("gold_"):
                gold[node.name] = set(columns_of(node))
    return SYSTEM_TABLES | bronze | gold


def columns_of(function: ast.FunctionDef) -> Iterator[str]:
    """The columns of a schema that is written out; none if it is computed."""
    for decorator in function.decorator_list:
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            if keyword.arg == "schema" and isinstance(keyword.value, ast.Constant):
                text = f"CREATE TABLE t ({keyword.value.value!s})"
                created = sqlglot.parse_one(text, dialect="databricks")
                yield from (column.name for column in created.find_all(exp.ColumnDef))


def unknown_names(query: exp.Expr) -> list[str]:
    """Tables and columns of a query that nobody declares."""
    own = {each.alias_or_name for each in query.find_all(exp.CTE, exp.Subquery)}
    read = {table.name for table in query.find_all(exp.Table)} - own
    strangers = sorted(read - set(tables()))
    names = {column for table in read for column in tables().get(table, ())}
    names |= {each.alias for each in query.find_all(exp.Alias)}
    aliases = {table.alias_or_name for table in query.find_all(exp.Table)} | own
    read_columns = (column_of(each, aliases) for each in query.find_all(exp.Column))
    return strangers + [name for name in read_columns if name not in names]


def column_of(column: exp.Column, aliases: set[str]) -> str:
    """The column itself: not its table, and not a field inside it (`origin.dataset_name`)."""
    parts = [part.name for part in column.parts]
    return parts[1] if len(parts) > 1 and parts[0] in aliases else parts[0]


def queries_of(dashboard: Path) -> dict[str, str]:
    datasets = json.loads(dashboard.read_text())["datasets"]
    return {each["name"]: "".join(each["queryLines"]) for each in datasets}


def select_of(text: str) -> exp.Query:
    query = sqlglot.parse_one(text, dialect="databricks")
    assert isinstance(query, exp.Query)
    return query


@pytest.mark.parametrize("file", SQL_FILES, ids=lambda file: file.name)
def test_a_sql_file_parses(file: Path) -> None:
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it has no grammar for SET MASK
    statements = sqlglot.parse(file.read_text(), dialect="databricks")
    assert [each.sql(comments=False) for each in statements[:2] if each] == [
        "USE CATALOG IDENTIFIER(:catalog)",
        "USE SCHEMA IDENTIFIER(:schema)",
    ]


@pytest.mark.parametrize("name", ["reconcile.sql", "cost.sql"])
def test_a_sql_file_reads_what_there_is(name: str) -> None:
    file = PROJECT / "resources" / "sql" / name
    *_, query = (each for each in sqlglot.parse(file.read_text(), dialect="databricks") if each)
    assert unknown_names(query) == []


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda file: file.name)
def test_a_dashboard_reads_what_there_is(dashboard: Path) -> None:
    unknown = {
        name: unknown_names(select_of(query)) for name, query in queries_of(dashboard).items()
    }
    assert {name: names for name, names in unknown.items() if names} == {}


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda file: file.name)
def test_a_widget_shows_columns_of_its_dataset(dashboard: Path) -> None:
    outputs = {
        name: set(select_of(query).named_selects) for name, query in queries_of(dashboard).items()
    }
    wrong = []
    for page in json.loads(dashboard.read_text())["pages"]:
        for item in page["layout"]:
            query = item["widget"]["queries"][0]["query"]
            for field in query["fields"]:
                expression = sqlglot.parse_one(field["expression"], dialect="databricks")
                names = {column.name for column in expression.find_all(exp.Column)}
                wrong += sorted(names - outputs[query["datasetName"]])
    assert wrong == []


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda file: file.name)
def test_widgets_do_not_overlap_and_fit_the_grid(dashboard: Path) -> None:
    for page in json.loads(dashboard.read_text())["pages"]:
        cells = []
        for position in (item["position"] for item in page["layout"]):
            across = range(position["x"], position["x"] + position["width"])
            down = range(position["y"], position["y"] + position["height"])
            cells += [(x, y) for x in across for y in down]
        assert len(cells) == len(set(cells))
        assert max(x for x, _ in cells) < 6


def test_an_alert_reads_what_there_is() -> None:
    pytest.importorskip("databricks.sdk")
    alerts = check_bundle(PROJECT, "prod", environ={})[0].resources.plain()["alerts"]
    for key, alert in alerts.items():
        query = select_of(alert["query_text"])
        assert unknown_names(query) == [], key
        assert alert["evaluation"]["source"]["name"] in query.named_selects


def test_every_gold_table_is_granted_to_somebody() -> None:
    text = (PROJECT / "resources" / "sql" / "governance.sql").read_text()
    gold = {name for name in tables() if name.startswith("gold_")}
    assert {name for name in gold if f"GRANT SELECT ON TABLE {name} TO" not in text} == set()
