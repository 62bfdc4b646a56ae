"""The queries of the deployment, and Spark tables without rows that they are analysed on."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlglot
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType
from sqlglot import exp

from local_shim.jvm.spark_parser import with_parameters
from local_shim.pipeline_spec.load import from_bundle
from local_shim.update.prepared import prepared
from local_shim.update.request import Request

PROJECT = Path(__file__).parents[2]
SQL = PROJECT / "resources" / "sql"
DASHBOARDS = sorted((PROJECT / "resources" / "dashboards").glob("*.lvdash.json"))
# Columns of Databricks' own tables, as far as our queries may read them.
SYSTEM_TABLES = {
    "insurance_event_log": (
        "timestamp TIMESTAMP, event_type STRING, level STRING, message STRING, details STRING,"
        " origin STRUCT<dataset_name: STRING, flow_name: STRING>"
    ),
    "usage": (
        "cloud STRING, sku_name STRING, usage_unit STRING, usage_end_time TIMESTAMP,"
        " usage_date DATE, usage_quantity DECIMAL(38, 18), billing_origin_product STRING,"
        " custom_tags MAP<STRING, STRING>,"
        " usage_metadata STRUCT<dlt_pipeline_id: STRING>"
    ),
    "list_prices": (
        "cloud STRING, sku_name STRING, usage_unit STRING, price_start_time TIMESTAMP,"
        " price_end_time TIMESTAMP,"
        " pricing STRUCT<effective_list: STRUCT<`default`: DECIMAL(38, 18)>>"
    ),
}


def pipeline_tables(folder: Path) -> dict[str, StructType]:
    """The schema of every published table of the pipeline, from its resolved definitions."""
    (folder / "landing" / "public").mkdir(parents=True)
    spec = from_bundle(PROJECT, None, {"landing": str(folder / "landing")}, environ={})
    with prepared(Request(spec, folder / "storage")) as ready:
        graph = ready.plan.graph
        published = {each.name for each in graph.tables() if not each.private}
        return {each.target.table: each.schema for each in graph.flows if each.target in published}


def empty_tables(spark: SparkSession, schemas: Mapping[str, StructType]) -> SparkSession:
    """A session in which these tables, and those of Databricks, have no rows."""
    session = spark.newSession()
    for name, schema in schemas.items():
        session.createDataFrame([], schema).createOrReplaceTempView(name)
    for name, columns in SYSTEM_TABLES.items():
        session.createDataFrame([], columns).createOrReplaceTempView(name)
    return session


def analyse(session: SparkSession, text: str, **parameters: Any) -> DataFrame:
    """The analysed query; Spark raises what is wrong.

    Names lose catalog and schema, and Databricks' `details:a.b` becomes `get_json_object`.
    """
    query = sqlglot.parse_one(text, dialect="databricks")
    for table in query.find_all(exp.Table):
        table.set("db", None)
        table.set("catalog", None)
    values = {name: F.lit(value) for name, value in parameters.items()}
    # Delta's parser, which stands before Spark's, passes no parameters on.
    return session.sql(with_parameters(session, query.sql(dialect="spark"), values))


def statements(name: str) -> list[str]:
    """The statements of a file below resources/sql."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it has no grammar for SET MASK
    return [each.strip() for each in (SQL / name).read_text().split(";\n") if each.strip()]


def handbook_queries() -> list[str]:
    """The queries of the handbook over tables of the pipeline or of billing."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it has no grammar for GRANT USE CATALOG
    queries = []
    for page in sorted((PROJECT / "docs" / "handbook").glob("*.md")):
        for text in re.findall(r"^```sql\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            if text.startswith("-- PostgreSQL"):
                continue
            for query in sqlglot.parse(text, dialect="databricks"):
                if isinstance(query, exp.Select):
                    schemas = {table.db for table in query.find_all(exp.Table)}
                    if schemas <= {"insurance", "billing"}:
                        queries.append(query.sql(dialect="databricks"))
    return queries


def datasets(dashboard: Path) -> dict[str, str]:
    """The queries of a dashboard by the name of their dataset."""
    content = json.loads(dashboard.read_text())["datasets"]
    return {each["name"]: "".join(each["queryLines"]) for each in content}


def widget_queries(dashboard: Path) -> Iterator[Mapping[str, Any]]:
    """What each widget reads: a dataset, and expressions over its columns."""
    for page in json.loads(dashboard.read_text())["pages"]:
        for item in page["layout"]:
            yield item["widget"]["queries"][0]["query"]
