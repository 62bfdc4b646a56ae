"""Two queries have the same digest if, and only if, they are the same query."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, StructField, StructType

from local_shim.jvm.session import empty_frame
from local_shim.jvm.spark_plan import plan_digest

ROWS = "(VALUES (1, 'a', DATE'2026-01-01'), (2, 'b', NULL) AS t(id, name, day))"
WIDE = ", ".join(f"{n} AS c{n}" for n in range(40))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT 1 AS a", "SELECT 2 AS a"),
        ("SELECT 1 AS a", "SELECT 1 AS b"),
        ("SELECT 1 AS a", "SELECT '1' AS a"),
        ("SELECT 1.0 AS a", "SELECT 1.00 AS a"),
        ("SELECT 'claim #1' AS a", "SELECT 'claim #2' AS a"),
        ("SELECT coalesce(name, 'null') FROM {rows}", "SELECT coalesce(name, NULL) FROM {rows}"),
        ("SELECT * FROM VALUES (1)", "SELECT * FROM VALUES (2)"),
        ("SELECT * FROM VALUES (1)", "SELECT * FROM VALUES (1), (1)"),
        (
            "SELECT (SELECT max(x) FROM VALUES (1) t(x))",
            "SELECT (SELECT max(x) FROM VALUES (2) t(x))",
        ),
        (
            "SELECT 1 WHERE 1 IN (SELECT x FROM VALUES (1) t(x))",
            "SELECT 1 WHERE 1 IN (SELECT x FROM VALUES (2) t(x))",
        ),
        ("SELECT * FROM {rows} WHERE id > 1", "SELECT * FROM {rows} WHERE id >= 1"),
        ("SELECT * FROM {rows} WHERE id IN (1, 2)", "SELECT * FROM {rows} WHERE id IN (1, 3)"),
        (
            "SELECT * FROM {rows} WHERE name LIKE 'a!%'",
            "SELECT * FROM {rows} WHERE name LIKE 'a!%' ESCAPE '!'",
        ),
        ("SELECT * FROM {rows} ORDER BY id", "SELECT * FROM {rows} ORDER BY id DESC"),
        ("SELECT * FROM {rows} ORDER BY day", "SELECT * FROM {rows} ORDER BY day NULLS LAST"),
        ("SELECT * FROM {rows} LIMIT 1", "SELECT * FROM {rows} LIMIT 2"),
        ("SELECT id FROM {rows}", "SELECT DISTINCT id FROM {rows}"),
        ("SELECT count(id) AS n FROM {rows}", "SELECT count(DISTINCT id) AS n FROM {rows}"),
        (
            "SELECT sum(id) AS n FROM {rows}",
            "SELECT sum(id) FILTER (WHERE id > 1) AS n FROM {rows}",
        ),
        ("SELECT first(day) FROM {rows}", "SELECT first(day, true) AS `first(day)` FROM {rows}"),
        (
            "SELECT a.id FROM {rows} a JOIN {rows} b USING (id)",
            "SELECT a.id FROM {rows} a LEFT JOIN {rows} b USING (id)",
        ),
        (
            "SELECT a.id FROM {rows} a JOIN {rows} b ON a.id = b.id",
            "SELECT b.id FROM {rows} a JOIN {rows} b ON a.id = b.id + 0",
        ),
        ("SELECT id FROM {rows} UNION ALL SELECT 1", "SELECT id FROM {rows} UNION SELECT 1"),
        (
            "SELECT cast(name AS INT) AS a FROM {rows}",
            "SELECT try_cast(name AS INT) AS a FROM {rows}",
        ),
        ("SELECT id + 1 AS a FROM {rows}", "SELECT try_add(id, 1) AS a FROM {rows}"),
        (
            "SELECT from_json(name, 'x INT') AS a FROM {rows}",
            "SELECT from_json(name, 'x INT', map('mode', 'FAILFAST')) AS a FROM {rows}",
        ),
        (
            "SELECT from_json(name, 'x DATE', map('dateFormat', 'y')) AS a FROM {rows}",
            "SELECT from_json(name, 'x DATE', map('dateFormat', 'yyyy')) AS a FROM {rows}",
        ),
        ("SELECT struct(id AS x) AS a FROM {rows}", "SELECT struct(id AS y) AS a FROM {rows}"),
        (
            "SELECT transform(array(id), x -> x + 1) AS a FROM {rows}",
            "SELECT transform(array(id), x -> x + 2) AS a FROM {rows}",
        ),
        (
            "SELECT sum(id) OVER (ORDER BY id ROWS 1 PRECEDING) AS a FROM {rows}",
            "SELECT sum(id) OVER (ORDER BY id ROWS 2 PRECEDING) AS a FROM {rows}",
        ),
        (
            "SELECT to_timestamp(name, 'yyyy') AS a FROM {rows}",
            "SELECT to_timestamp(name, 'y') AS a FROM {rows}",
        ),
        (
            "SELECT * FROM {rows} TABLESAMPLE (10 PERCENT) REPEATABLE (1)",
            "SELECT * FROM {rows} TABLESAMPLE (10 PERCENT) REPEATABLE (2)",
        ),
        (f"SELECT {WIDE}", f"SELECT {WIDE.replace('39 AS', '40 AS')}"),
        (f"SELECT struct({WIDE}) AS a", f"SELECT struct({WIDE.replace('39 AS', '40 AS')}) AS a"),
    ],
)
def test_queries_that_differ(spark: SparkSession, one: str, other: str) -> None:
    assert plan_digest(_query(spark, one)) != plan_digest(_query(spark, other))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM {rows} WHERE id > 1",
        "WITH w AS (SELECT * FROM {rows}) SELECT a.id FROM w a JOIN w b USING (id)",
        "SELECT transform(array(id), x -> x + 1) AS a, (SELECT max(id) FROM {rows}) FROM {rows}",
        "SELECT explode(array(id)) AS a FROM {rows}",
    ],
)
def test_a_query_that_is_read_again(spark: SparkSession, query: str) -> None:
    first = plan_digest(_query(spark, query))
    _query(spark, "WITH other AS (SELECT 1) SELECT * FROM other")  # moves Spark's counters on
    assert plan_digest(_query(spark, query)) == first


def test_python_functions_differ_by_their_code(spark: SparkSession) -> None:
    def scalar(rate: int) -> DataFrame:
        return spark.range(3).select(F.udf(lambda x: x * rate, "long")("id").alias("a"))

    def in_subquery(rate: int) -> DataFrame:
        spark.udf.register("rated", lambda x: x * rate, "long")
        return spark.sql("SELECT 1 AS a WHERE 0 IN (SELECT rated(id) FROM range(3))")

    def of_partitions(rate: int) -> DataFrame:
        return spark.range(3).mapInPandas(lambda frames: (f * rate for f in frames), "id long")

    def of_rows(rate: int) -> DataFrame:
        class Repeated:
            def eval(self) -> Iterator[tuple[int]]:
                yield (rate,)

        repeated = F.udtf(Repeated, returnType="a int")
        spark.udtf.register("repeated", repeated)  # type: ignore[arg-type]
        return spark.sql("SELECT * FROM repeated()")

    for query in (scalar, in_subquery, of_partitions, of_rows):
        assert plan_digest(query(2)) == plan_digest(query(2)), query.__name__
        assert plan_digest(query(2)) != plan_digest(query(3)), query.__name__


def test_types_of_the_columns_that_are_read_count(spark: SparkSession) -> None:
    def rounded(decimals: str) -> DataFrame:
        return empty_frame(
            spark, spark.sql(f"SELECT CAST(1 AS {decimals}) AS amount").schema
        ).selectExpr("CAST(amount * 2 AS DECIMAL(9, 2)) AS a")

    assert plan_digest(rounded("DECIMAL(4, 2)")) != plan_digest(rounded("DECIMAL(6, 2)"))
    nullable = StructType([StructField("a", IntegerType())])
    assert plan_digest(empty_frame(spark, nullable)) == plan_digest(empty_frame(spark, nullable))


def _query(spark: SparkSession, text: str) -> DataFrame:
    return spark.sql(text.replace("{rows}", ROWS))
