"""SQL that only a workspace runs: Spark analyses it on empty tables of the pipeline."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import sqlglot
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType
from sqlglot import exp

from dlt_pipelines.personal_data import PERSONAL_COLUMNS
from local_shim.deploy_check.check import check_bundle
from tests.resources.queries import (
    DASHBOARDS,
    PROJECT,
    SQL,
    analyse,
    datasets,
    empty_tables,
    handbook_queries,
    pipeline_tables,
    statements,
    widget_queries,
)

Tables = Mapping[str, StructType]
_ALTERED = re.compile(
    r"ALTER (?:STREAMING TABLE|MATERIALIZED VIEW|TABLE) (\w+)"
    r"(?: ALTER COLUMN (\w+) SET MASK (\w+)| SET ROW FILTER (\w+) ON \((\w+)\)| SET TAGS)"
)


@pytest.fixture(scope="module")
def tables(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return pipeline_tables(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def session(spark: SparkSession, tables: Tables) -> Iterator[SparkSession]:
    yield empty_tables(spark, tables)
    spark.createDataFrame([], "id INT")  # makes `spark` the active session again


@pytest.mark.parametrize("file", sorted(SQL.glob("*.sql")), ids=lambda file: file.name)
def test_a_sql_file_begins_with_catalog_and_schema(file: Path) -> None:
    parsed = [sqlglot.parse_one(each, dialect="databricks") for each in statements(file.name)]
    assert [each.sql(comments=False) for each in parsed[:2]] == [
        "USE CATALOG IDENTIFIER(:catalog)",
        "USE SCHEMA IDENTIFIER(:schema)",
    ]


def test_a_wrong_column_or_table_is_an_error(session: SparkSession) -> None:
    for query in ("SELECT writen_premium FROM gold_premium_month", "SELECT 1 FROM gold_premium"):
        with pytest.raises(AnalysisException):
            analyse(session, query)


def test_reconciliation_and_cost_read_what_there_is(session: SparkSession) -> None:
    assert analyse(session, statements("reconcile.sql")[-1]).columns == ["result"]
    cost = analyse(session, statements("cost.sql")[-1], pipeline_id="insurance")
    assert cost.columns == ["usage_date", "table_name", "rows_written", "estimated_cost"]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda file: file.name)
def test_a_dashboard_reads_what_there_is(dashboard: Path, session: SparkSession) -> None:
    """Its queries over the tables, and the expressions of its widgets over the queries."""
    frames = {name: analyse(session, query) for name, query in datasets(dashboard).items()}
    for query in widget_queries(dashboard):
        for field in query["fields"]:
            frames[query["datasetName"]].selectExpr(field["expression"])


def test_an_alert_reads_what_there_is(session: SparkSession) -> None:
    pytest.importorskip("databricks.sdk")
    alerts = check_bundle(PROJECT, "prod", environ={})[0].resources.plain()["alerts"]
    for alert in alerts.values():
        columns = analyse(session, alert["query_text"]).columns
        assert alert["evaluation"]["source"]["name"] in columns


def test_a_query_of_the_handbook_reads_what_there_is(session: SparkSession) -> None:
    queries = handbook_queries()
    assert len(queries) >= 5
    for query in queries:
        analyse(session, query)


def test_masks_and_filters_take_the_columns_that_they_are_set_on(
    session: SparkSession, tables: Tables
) -> None:
    session.sql(
        "CREATE TEMPORARY FUNCTION is_account_group_member(name STRING) RETURNS BOOLEAN RETURN true"
    )
    text = (SQL / "governance.sql").read_text()
    for statement in statements("governance.sql"):
        create = statement.find("CREATE OR REPLACE FUNCTION")
        if create >= 0:
            temporary = statement[create:].replace("REPLACE FUNCTION", "REPLACE TEMPORARY FUNCTION")
            session.sql(temporary)
    altered = _ALTERED.findall(text)
    assert len(altered) == text.count("\nALTER ")
    for table, masked, mask, row_filter, filtered in altered:
        frame = session.createDataFrame([], tables[table])
        if masked:
            (changed,) = frame.selectExpr(f"{mask}({masked})").schema
            assert changed.dataType == tables[table][masked].dataType
        if filtered:
            frame.filter(f"{row_filter}({filtered})")


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


def test_every_table_is_granted_and_names_in_clear_to_few(tables: Tables) -> None:
    text = (SQL / "governance.sql").read_text()
    granted = re.findall(r"GRANT SELECT ON TABLE (\w+) TO `(\w+)`", text)
    assert {table for table, _ in granted} == {*tables, "insurance_event_log"}
    readers_by_layer: dict[str, set[str]] = {}
    for table, group in granted:
        readers_by_layer.setdefault(table.split("_")[0], set()).add(group)
    assert readers_by_layer["bronze"] == {"insurance_pii_readers"}
    assert readers_by_layer["quarantine"] == {"insurance_pii_readers"}
    assert readers_by_layer["silver"] == {"insurance_engineers"}


def test_every_column_that_identifies_with_others_is_masked_in_silver() -> None:
    text = (SQL / "governance.sql").read_text()
    masked = re.findall(r"TABLE silver_(\w+) ALTER COLUMN (\w+) SET MASK", text)
    assert set(masked) == {
        (table, column)
        for table, columns in PERSONAL_COLUMNS.items()
        for column, personal_class in columns.items()
        if personal_class == "quasi"
    }


def test_readers_of_a_dashboard_may_read_its_tables() -> None:
    """A dashboard runs its queries with the rights of whoever looks at it."""
    pytest.importorskip("databricks.sdk")
    granted = re.findall(
        r"GRANT SELECT ON TABLE (\w+) TO `(\w+)`", (SQL / "governance.sql").read_text()
    )
    memberships = {"insurance_engineers": {"insurance_engineers", "insurance_readers"}}
    dashboards = check_bundle(PROJECT, "prod", environ={})[0].resources.plain()["dashboards"]
    for dashboard in dashboards.values():
        (group,) = (each["group_name"] for each in dashboard["permissions"])
        groups = memberships.get(group, {group})
        readable = {table for table, reader in granted if reader in groups}
        queries = datasets(PROJECT / "resources" / dashboard["file_path"]).values()
        parsed = [sqlglot.parse_one(query, dialect="databricks") for query in queries]
        tables = {table for query in parsed for table in query.find_all(exp.Table) if not table.db}
        assert {table.name for table in tables} <= readable
