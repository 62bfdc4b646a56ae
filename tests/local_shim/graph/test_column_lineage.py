"""Each column of a dataset names the columns that it comes from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from local_shim.events.query_plans import query_plans
from local_shim.graph.analysis.plan_lineage import plan_lineage
from local_shim.graph.graph import Graph, Lineage
from local_shim.graph.names import Namespace
from local_shim.storage import Storage
from tests.pipeline_folder import Pipeline

SOURCE = """
import dlt
from pyspark.sql import functions as F, Window

@dlt.table
def orders():
    return spark.sql("SELECT 1 AS id, 'a' AS customer, 2.0 AS amount, array(1) AS tags, "
                     "named_struct('city', 'x') AS place")

@dlt.table
def customers():
    return spark.sql("SELECT 'a' AS customer, 'n' AS name")

@dlt.view
def star():
    return dlt.read("orders").select("*", (F.col("amount") * F.col("id")).alias("value"))

@dlt.table
def joined():
    return (dlt.read("orders").alias("o").join(dlt.read("customers").alias("c"), "customer")
            .where("c.name <> ''").select("o.id", "customer", F.col("c.name").alias("called")))

@dlt.table
def outer():
    return dlt.read("orders").join(dlt.read("customers"), "customer", "full").select("customer")

@dlt.table
def itself():
    return spark.sql("SELECT a.id, b.amount FROM orders a JOIN orders b ON a.id = b.id + 1")

@dlt.table
def united():
    other = dlt.read("customers").select(F.lit(0).alias("id"), F.col("name").alias("customer"))
    return dlt.read("orders").select("id", "customer").unionByName(other)

@dlt.table
def totals():
    orders = dlt.read("orders").groupBy(F.upper("customer").alias("who"))
    return orders.agg(F.sum("amount").alias("total"), F.count("*").alias("n"))

@dlt.table
def renamed():
    return dlt.read("orders").withColumnRenamed("amount", "money").drop("tags", "place")

@dlt.table
def ranked():
    by_customer = Window.partitionBy("customer").orderBy("amount")
    return dlt.read("orders").select("id", F.row_number().over(by_customer).alias("place"))

@dlt.table
def exploded():
    return dlt.read("orders").select("id", F.explode("tags").alias("tag"), "place.city")

@dlt.table
def nested():
    return spark.sql('''
        WITH a AS (SELECT id AS number, amount FROM orders)
        SELECT number, (SELECT max(name) FROM customers) AS most, t.double FROM a,
        LATERAL (SELECT a.amount * 2 AS double) t WHERE number IN (SELECT id FROM orders)
    ''')

@dlt.table
def rolled_up():
    return spark.sql("SELECT customer, sum(amount) AS total FROM orders GROUP BY ROLLUP(customer)")

@dlt.table
def without():
    return spark.sql("SELECT DISTINCT customer FROM orders EXCEPT SELECT name FROM customers")

@dlt.table
def half():
    return dlt.read("orders").join(dlt.read("customers"), "customer", "left_semi").select("id")

@dlt.table
def in_pandas():
    def same(frames):
        yield from frames
    return dlt.read("orders").select("id", "amount").mapInPandas(same, "id INT, other DOUBLE")

@dlt.table
def arrived():
    return spark.readStream.table("landed").select("value", F.lit(1).alias("one"))

@dlt.table
def landed():
    return spark.readStream.format("rate").load().select("value")

dlt.create_streaming_table("current")
dlt.apply_changes(target="current", source="arrived", keys=["value"], sequence_by="one")
"""

ORDERS, CUSTOMERS = "main.default.orders.", "main.default.customers."
EXPECTED = {
    "orders": {"id": "", "customer": "", "amount": "", "tags": "", "place": ""},
    "star": {"id": "id", "customer": "customer", "amount": "amount", "tags": "tags",
             "place": "place", "value": "amount id"},
    "joined": {"id": "id", "customer": "customer", "called": "c.name"},
    "outer": {"customer": "c.customer customer"},
    "itself": {"id": "id", "amount": "amount"},
    "united": {"id": "id", "customer": "c.name customer"},
    "totals": {"who": "customer", "total": "amount", "n": ""},
    "renamed": {"id": "id", "customer": "customer", "money": "amount"},
    "ranked": {"id": "id", "place": "amount customer"},
    "exploded": {"id": "id", "tag": "tags", "city": "place"},
    "nested": {"number": "id", "most": "c.name", "double": "amount"},
    "rolled_up": {"customer": "customer", "total": "amount"},
    "without": {"customer": "customer"},
    "half": {"id": "id"},
    "in_pandas": {"id": "id", "other": "amount id"},
}  # fmt: skip


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Graph:
    pipeline = Pipeline(tmp_path_factory.mktemp("lineage"), spark)
    pipeline.write(SOURCE)
    return pipeline.plan().graph


def lineage(graph: Graph, dataset: str) -> Lineage:
    (flow,) = graph.writers(Namespace("main", "default").qualify(dataset))
    return flow.lineage()


@pytest.mark.parametrize("dataset", EXPECTED)
def test_the_columns_of_a_query_name_their_sources(graph: Graph, dataset: str) -> None:
    expected = {
        column: [
            CUSTOMERS + source[2:] if source.startswith("c.") else ORDERS + source
            for source in sources.split()
        ]
        for column, sources in EXPECTED[dataset].items()
    }
    assert lineage(graph, dataset) == expected


def test_the_columns_of_a_stream_and_of_an_auto_cdc_target_name_their_sources(
    graph: Graph,
) -> None:
    assert lineage(graph, "arrived") == {"value": ["main.default.landed.value"], "one": []}
    assert lineage(graph, "current") == {
        column: [f"main.default.arrived.{column}"] for column in ("value", "one")
    }


def test_a_plan_of_an_unknown_form_has_no_lineage() -> None:
    expression = [{"class": "org.example.Odd", "num-children": 0}]
    plan = [{"class": "x.Project", "num-children": 0, "projectList": [expression]}]
    assert plan_lineage(json.dumps(plan), ()) == {}


def test_lineage_is_computed_again_only_for_other_code(graph: Graph, tmp_path: Path) -> None:
    storage, calls = Storage(tmp_path, "shop"), []

    def count() -> Lineage:
        calls.append(1)
        return {"a": ["b.a"]}

    for digest, fingerprint, total in (
        ("one", "", 2),
        ("one", "", 2),
        ("two", "", 4),
        ("", "a", 6),
    ):
        flows = [replace(flow, lineage=count, digest=digest) for flow in graph.flows[:2]]
        plans = query_plans(storage, Graph(flows=tuple(flows)), fingerprint).values()
        assert [plan.column_lineage for plan in plans] == [{"a": ["b.a"]}] * 2
        assert len(calls) == total
