"""Expectations: what is kept, left out, fatal, and counted."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from local_shim.errors import ExpectationViolation
from local_shim.run import run
from tests.pipeline_folder import Pipeline

ROWS = """
import dlt
from pyspark.sql import functions as F

def rows():
    return spark.createDataFrame(
        [(1, "a"), (2, None), (3, "c"), (4, "d"), (5, None)], "id INT, name STRING"
    )
"""


COUNTED = """
@dlt.table
@dlt.expect_or_drop("named", "length(name) > 0")
@dlt.expect("small", F.col("id") < 4)
@dlt.expect_or_drop("no fifth", "id <> 5")
@dlt.expect_or_fail("positive", "id > 0")
def t():
    return rows()

@dlt.table
@dlt.expect_all_or_drop({"no fifth": "id <> 5", "named": "length(name) > 0"})
@dlt.expect_all({"small": "id < 4"})
def same_in_another_order():
    return rows()
"""


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Pipeline:
    """Two tables with the same rules, after one update."""
    pipeline = Pipeline(tmp_path_factory.mktemp("counted"), spark)
    pipeline.write(ROWS + COUNTED)
    assert pipeline.update() == 0
    return pipeline


@pytest.mark.dlt(80)
def test_a_drop_rule_drops_and_a_warn_rule_keeps(counted: Pipeline) -> None:
    assert counted.rows("t") == [(1, "a"), (3, "c"), (4, "d")]


@pytest.mark.dlt(81, 82)
def test_passed_and_failed_rows_add_up_and_null_counts_as_failed(counted: Pipeline) -> None:
    rules = counted.quality("t")["expectations"]
    assert rules["named"] == [3, 2]
    assert rules["small"] == [3, 2]
    assert rules["no fifth"] == [4, 1]


@pytest.mark.dlt(83)
def test_a_row_that_breaks_two_drop_rules_is_dropped_once(counted: Pipeline) -> None:
    assert counted.quality("t")["dropped_records"] == 2


@pytest.mark.dlt(84, 91)
def test_order_of_decorators_and_kind_of_condition_do_not_matter(counted: Pipeline) -> None:
    assert counted.rows("same_in_another_order") == counted.rows("t")
    assert counted.quality("same_in_another_order") == counted.quality("t")


@pytest.mark.dlt(88)
def test_a_fail_rule_has_no_metrics(counted: Pipeline) -> None:
    assert "positive" not in counted.quality("t")["expectations"]


@pytest.mark.dlt(81, 86, 87)
def test_a_fatal_row_leaves_the_table_and_its_siblings_alone(pipeline: Pipeline) -> None:
    pipeline.write(
        ROWS
        + """
@dlt.table
@dlt.expect_or_fail("named", "name is not null or id < 10")
def strict():
    return rows()

@dlt.table
def sibling():
    return rows()
"""
    )
    assert pipeline.update() == 0
    pipeline.write(
        (pipeline.folder / "source" / "pipeline.py").read_text().replace(" or id < 10", "")
    )
    assert pipeline.update() == 1
    assert pipeline.status("strict") == "FAILED"
    assert pipeline.status("sibling") == "COMPLETED"
    assert len(pipeline.rows("strict")) == 5
    text = pipeline.errors()[0]
    for part in ("EXPECTATION_VIOLATION.VERBOSITY_ALL", "main.default.strict", "'named'"):
        assert part in text
    assert '"id":2' in text or '"id":5' in text
    assert "Missing input data: false" in text


@pytest.mark.dlt(80, 89, 90)
def test_rules_hold_for_streams_for_views_and_for_each_flow_into_a_table(
    pipeline: Pipeline,
) -> None:
    pipeline.write(
        """
        import dlt
        @dlt.table
        def numbers():
            return spark.readStream.format("delta").load(
                spark.conf.get("numbers")).withColumnRenamed("id", "n")

        @dlt.view
        @dlt.expect("even", "n % 2 = 0")
        def judged():
            return spark.readStream.table("numbers")

        dlt.create_streaming_table("both", expect_all_or_drop={"small": "n < 4"})

        @dlt.append_flow(target="both")
        def one():
            return spark.readStream.table("judged")

        @dlt.append_flow(target="both")
        def two():
            return spark.readStream.table("judged").selectExpr("n + 1 AS n")
        """
    )
    path = str(pipeline.folder / "numbers")
    pipeline.spark.range(6).coalesce(1).write.format("delta").save(path)
    pipeline.conf["numbers"] = path
    assert pipeline.update() == 0
    assert pipeline.rows("both") == [(0,), (1,), (1,), (2,), (2,), (3,), (3,)]
    for flow, dropped in (("one", 2), ("two", 3)):
        quality = pipeline.quality(flow)
        assert quality["expectations"]["even"] == [3, 3]
        assert quality["dropped_records"] == dropped


def test_a_rule_name_may_hold_a_comma(pipeline: Pipeline) -> None:
    pipeline.write(
        ROWS
        + """
@dlt.table
@dlt.expect_or_fail("one key, one content", "id < 5")
@dlt.expect_or_fail("named", "id > 0")
def t():
    return rows()
"""
    )
    request = pipeline.request()
    (failure,) = run(request).failures
    assert isinstance(failure.error, ExpectationViolation)
    assert failure.error.violated == ("one key, one content",)


BEHIND_A_JOIN = """
@dlt.table
def known():
    return spark.createDataFrame([(1,), (3,)], "id INT")

@dlt.view
@dlt.expect_or_fail("not two", "id <> 2")
def joined_view():
    return rows().join(spark.read.table("known"), "id")

@dlt.table
@dlt.expect_or_fail("not two", "id <> 2")
def joined():
    return rows().join(spark.read.table("known"), "id")

@dlt.table
@dlt.expect_or_fail("not one", "id <> 1")
def anti():
    return rows().join(spark.read.table("known"), "id", "left_anti")

@dlt.table
def from_view():
    return spark.read.table("joined_view")
"""


@pytest.mark.parametrize("small", [True, False])
def test_a_fail_rule_sees_the_rows_that_the_query_returns(pipeline: Pipeline, small: bool) -> None:
    """Spark must not evaluate it below a join, on rows that the join leaves out."""
    if not small:
        pipeline.conf["spark.sql.constraintPropagation.enabled"] = "true"
    pipeline.write(ROWS + BEHIND_A_JOIN)
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("joined") == pipeline.rows("from_view") == [(1, "a"), (3, "c")]
    assert [row[0] for row in pipeline.rows("anti")] == [2, 4, 5]


PARTS = {
    "limit": "judged.limit(1)",
    "sorted_limit": "judged.orderBy('id').limit(1)",
    "filter_and_limit": "judged.where('id = 0').limit(1)",
    "sql": "spark.sql('SELECT id FROM judged LIMIT 1')",
    "exists": "spark.sql('SELECT 1 AS id WHERE EXISTS (SELECT * FROM judged)')",
    "subquery": "spark.sql('SELECT (SELECT id FROM judged LIMIT 1) AS id')",
    "filter": "judged.where('id = 0')",
    "view_over_the_view": "spark.read.table('above').limit(1)",
}


JUDGED = """
import dlt

@dlt.view
@dlt.expect_or_fail("known", "id <> 29")
def judged():
    return spark.read.format("delta").load(spark.conf.get("path"))

@dlt.view
def above():
    return spark.read.table("judged")
"""
PART = """
@dlt.table(name="{name}")
def part():
    judged = spark.read.table("judged")
    return {query}
"""


def test_a_fail_rule_of_a_view_sees_rows_that_its_reader_leaves_out(pipeline: Pipeline) -> None:
    pipeline.conf["path"] = str(pipeline.folder / "numbers")
    for numbers in (range(3), range(3, 30)):
        frame = pipeline.spark.createDataFrame([(n,) for n in numbers], "id INT").coalesce(1)
        frame.write.format("delta").mode("append").save(pipeline.conf["path"])
    parts = [PART.format(name=name, query=query) for name, query in PARTS.items()]
    pipeline.write(JUDGED + "".join(parts))
    assert pipeline.update() == 1
    for name in PARTS:
        assert "'known'" in pipeline.flow(name).error, name


@pytest.mark.slow
@pytest.mark.dlt(80, 82)
@pytest.mark.parametrize(
    "schema",
    [
        "id INT, name STRING, twice INT GENERATED ALWAYS AS (id * 2)",
        "n BIGINT GENERATED ALWAYS AS IDENTITY, id INT, name STRING",
        "ID INT, Name STRING",
        "name STRING, id INT, born DATE",
        "id INT, name VARCHAR(3)",
    ],
)
def test_rows_of_a_stream_that_delta_rewrites_are_counted(pipeline: Pipeline, schema: str) -> None:
    """Delta's sink makes a new query for other columns than those of the table."""
    people = pipeline.conf["people"] = str(pipeline.folder / "people")
    rows = pipeline.spark.sql("SELECT * FROM VALUES (1, 'a'), (2, NULL), (3, 'c') AS p(id, name)")
    pipeline.write(
        f"""
        import dlt

        @dlt.view
        @dlt.expect_or_drop("not three", "id <> 3")
        def known():
            return spark.readStream.format("delta").load(spark.conf.get("people"))

        @dlt.table(schema="{schema}")
        @dlt.expect_or_drop("named", "name IS NOT NULL")
        def t():
            return spark.readStream.table("known")
        """
    )
    for _ in range(2):
        rows.write.format("delta").mode("append").save(people)
        assert pipeline.update() == 0, pipeline.errors()
        quality = pipeline.quality("t")
        assert quality["expectations"] == {"named": [1, 1], "not three": [2, 1]}
        assert quality["dropped_records"] == 2
    assert pipeline.rows("t", "id", "name") == [(1, "a"), (1, "a")]


@pytest.mark.slow
@pytest.mark.dlt(80, 82)
def test_rows_of_a_complete_stream_into_generated_columns_are_counted(pipeline: Pipeline) -> None:
    """Each batch replaces all rows; the clustering of the table stays."""
    people = pipeline.conf["people"] = str(pipeline.folder / "people")
    rows = pipeline.spark.sql("SELECT * FROM VALUES ('Ann'), ('Bob'), ('Ann') AS p(name)")
    pipeline.write(
        """
        import dlt
        from pyspark.sql import functions as F

        schema = "name STRING, n BIGINT, twice BIGINT GENERATED ALWAYS AS (n * 2)"

        @dlt.table(schema=schema, cluster_by=["name"])
        @dlt.expect_or_drop("not Bob", "name <> 'Bob'")
        def names():
            people = spark.readStream.format("delta").load(spark.conf.get("people"))
            return people.groupBy("name").agg(F.count("*").alias("n"))
        """
    )
    for count in (2, 4):
        rows.write.format("delta").mode("append").save(people)
        assert pipeline.update() == 0, pipeline.errors()
        assert pipeline.quality("names")["expectations"] == {"not Bob": [1, 1]}
        assert pipeline.rows("names") == [("Ann", count, 2 * count)]
    detail = pipeline.spark.sql(f"DESCRIBE DETAIL delta.`{pipeline.path('names')}`").first()
    assert detail is not None
    assert detail["clusteringColumns"] == ["name"]


@pytest.mark.dlt(90)
def test_rules_of_a_view_and_rows_are_counted_where_a_sink_reads_it(pipeline: Pipeline) -> None:
    people = pipeline.conf["people"] = str(pipeline.folder / "people")
    rows = pipeline.spark.sql("SELECT * FROM VALUES (1), (2), (3) AS p(id)")
    rows.write.format("delta").save(people)
    pipeline.write(
        """
        import dlt

        @dlt.view
        @dlt.expect_or_drop("not three", "id <> 3")
        def known():
            return spark.readStream.format("delta").load(spark.conf.get("people"))

        dlt.create_sink("out", "delta", {"path": spark.conf.get("people") + "_out"})

        @dlt.append_flow(target="out")
        def to_out():
            return spark.readStream.table("known")
        """
    )
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.quality("to_out")["expectations"] == {"not three": [2, 1]}
    assert pipeline.flow("to_out").metrics == {"num_output_rows": 2}
