"""Materialized views: what readers see, and when they are computed."""

from __future__ import annotations

import importlib
import os
import select
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from local_shim.storage import delta_version
from tests.pipeline_folder import Pipeline

COMPUTING = """
from pathlib import Path
import dlt
from pyspark.sql import functions as F

gate = Path(spark.conf.get("gate"))

@F.udf("string")
def computed(number):
    (gate / "computing").write_text("now")
    return (gate / "looked").read_text()  # goes on when the test has looked

@dlt.table
def mv():
    return spark.range(1).select(computed("id").alias("found"))
"""


@pytest.mark.dlt(97)
def test_a_reader_during_an_update_of_a_materialized_view_sees_the_old_rows(
    pipeline: Pipeline,
) -> None:
    for name in ("computing", "looked"):
        os.mkfifo(pipeline.folder / name)
    pipeline.conf["gate"] = str(pipeline.folder)
    pipeline.write(
        "import dlt\n@dlt.table\ndef mv():\n    return spark.sql(\"SELECT 'old' AS found\")"
    )
    assert pipeline.update() == 0
    pipeline.write(COMPUTING)
    computing = os.open(pipeline.folder / "computing", os.O_RDONLY | os.O_NONBLOCK)
    with ThreadPoolExecutor(1) as aside:
        update = aside.submit(pipeline.update)
        assert select.select([computing], [], [], 60)[0], update.result()
        rows = pipeline.rows("mv")
        (pipeline.folder / "looked").write_text("new")
        assert update.result() == 0
    os.close(computing)
    assert rows == [("old",)]
    assert pipeline.rows("mv") == [("new",)]


@pytest.mark.dlt(96)
def test_a_materialized_view_follows_a_table_that_it_names_by_its_path(pipeline: Pipeline) -> None:
    path = pipeline.conf["numbers"] = str(pipeline.folder / "numbers")
    pipeline.write(
        """
        import dlt
        @dlt.table
        def mv():
            return spark.read.format("delta").load(spark.conf.get("numbers"))
        """
    )
    for rows in (1, 2):
        pipeline.spark.range(rows).write.format("delta").mode("overwrite").save(path)
        assert pipeline.update() == 0
        assert len(pipeline.rows("mv")) == rows


LAYOUTS = """
import dlt
layouts = {"clustered": {"cluster_by": ["id"]}, "partitioned": {"partition_cols": ["even"]}}
for name, layout in (("plain", {}), *layouts.items()):
    @dlt.table(name=name, **layout)
    @dlt.expect("few", "id < 2")
    def t():
        last = int(spark.conf.get("last"))
        return spark.range(last).selectExpr("id", "id % 2 = 0 AS even", "rand() AS never_same")
"""


def test_a_materialized_view_is_replaced_in_one_commit(pipeline: Pipeline) -> None:
    """Readers never meet it empty or without its clustering, and rules are counted."""
    pipeline.write(LAYOUTS)
    versions: dict[str, list[int]] = {"plain": [], "clustered": [], "partitioned": []}
    for last in (1, 3, 2, 5):
        pipeline.conf["last"] = str(last)
        assert pipeline.update() == 0
        for name in versions:
            versions[name].append(delta_version(pipeline.path(name)))
            assert [row[0] for row in pipeline.rows(name)] == list(range(last))
            assert pipeline.flow(name).metrics["num_output_rows"] == last
            few = pipeline.quality(name)["expectations"]["few"]
            assert few == [min(last, 2), max(last - 2, 0)]
    for each in versions.values():
        assert [later - one for one, later in pairwise(each)] == [1, 1, 1]


QUERY_IN_A_FILE = """
import json
from pathlib import Path
import dlt
from pyspark.sql import functions as F

folder = Path(spark.conf.get("queries"))

@dlt.table
def numbers():
    return spark.range(3)

@dlt.view
def doubled():
    return spark.sql((folder / "query.sql").read_text())

@dlt.table
def from_view():
    return spark.read.table("doubled")

@dlt.table
def named():
    ((number, name),) = json.loads((folder / "names.json").read_text())
    return spark.sql(f"SELECT * FROM VALUES ({number}, '{name}') AS t(id, name)")

@dlt.table
def constant():
    return spark.read.table("numbers").select(F.lit((folder / "constant").read_text()).alias("c"))
"""


def test_a_view_is_computed_again_when_what_its_query_reads_in_python_changes(
    pipeline: Pipeline,
) -> None:
    """A query kept in a file, rows from JSON, a literal: none of them is part of the sources."""
    folder = pipeline.folder / "queries"
    folder.mkdir()
    pipeline.conf["queries"] = str(folder)
    pipeline.write(QUERY_IN_A_FILE)

    def update(query: str, name: str, constant: str) -> set[str]:
        (folder / "query.sql").write_text(query)
        (folder / "names.json").write_text(f'[[1, "{name}"]]')
        (folder / "constant").write_text(constant)
        assert pipeline.update() == 0, pipeline.errors()
        return {
            event.origin["flow_name"].split(".")[-1]
            for event in pipeline.events
            if event.event_type == "planning_information" and "NO_OP" not in event.message
        }

    query = "SELECT id * 2 AS n FROM numbers"
    assert update(query, "a", "x") == {"numbers", "named", "from_view", "constant"}
    assert update(query, "a", "x") == set()
    assert update("SELECT id * 3 AS n FROM numbers", "a", "x") == {"from_view"}
    assert pipeline.rows("from_view") == [(0,), (3,), (6,)]
    assert update("SELECT id * 3 AS n FROM numbers", "b", "x") == {"named"}
    assert pipeline.rows("named") == [(1, "b")]
    assert update("SELECT id * 3 AS n FROM numbers", "b", "y") == {"constant"}


STREAMING_VIEW_IN_BATCH = """
import dlt

spark.conf.set("pipelines.incompatibleViewCheck.enabled", "false")

dlt.create_streaming_table("source")

@dlt.append_flow(target="source", once=True)
def rows():
    return spark.range(4)

@dlt.view
def even():
    return spark.readStream.table("source").where("id % 2 = 0")

@dlt.table
def counted():
    return spark.read.table("even").groupBy().count()

@dlt.table
def streamed():
    return spark.readStream.table("even")
"""


@pytest.mark.dlt(101)
def test_a_streaming_view_can_be_read_whole_when_the_check_is_off(pipeline: Pipeline) -> None:
    pipeline.write(STREAMING_VIEW_IN_BATCH)
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("counted") == [(2,)]
    assert pipeline.rows("streamed") == [(0,), (2,)]


@pytest.mark.parametrize("call", ["cache()", "persist()", "hint('broadcast')"])
def test_a_frame_may_be_cached_in_a_dataset_function(pipeline: Pipeline, call: str) -> None:
    pipeline.write(
        f"""
        import dlt

        @dlt.table
        def numbers():
            return spark.range(4)

        @dlt.table
        def halves():
            large = spark.read.table("numbers").where("id > 1").{call}
            return large.where("id = 2").union(large.where("id = 3"))
        """
    )
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("halves") == [(2,), (3,)]


FUNCTION_OF_A_HELPER = """
import sys
from pyspark.sql import functions as F
import dlt

sys.path.append(spark.conf.get("helpers"))
import rates_of_a_test

@dlt.table
def priced():
    times = F.udf(lambda x, rate=rates_of_a_test.RATE: x * rate, "long")
    return spark.range(3).select(times("id").alias("price"))
"""


def test_a_view_is_computed_again_when_the_code_of_a_python_function_changes(
    pipeline: Pipeline,
) -> None:
    """The function takes its value from a helper outside of the pipeline's folder."""
    helpers = pipeline.folder / "helpers"
    helpers.mkdir()
    pipeline.conf["helpers"] = str(helpers)
    pipeline.write(FUNCTION_OF_A_HELPER)

    def update(rate: int) -> list[str]:
        (helpers / "rates_of_a_test.py").write_text(f"RATE = {rate}")
        sys.modules.pop("rates_of_a_test", None)
        importlib.invalidate_caches()
        assert pipeline.update() == 0, pipeline.errors()
        return _planned(pipeline)

    assert "COMPLETE_RECOMPUTE" in update(2)[0]
    assert "NO_OP" in update(2)[0]
    assert "COMPLETE_RECOMPUTE" in update(300)[0]
    assert pipeline.rows("priced") == [(0,), (300,), (600,)]


def test_a_view_of_a_delta_folder_is_computed_again_after_a_commit_only(
    pipeline: Pipeline,
) -> None:
    pipeline.conf["numbers"] = str(pipeline.folder / "numbers")
    numbers = pipeline.spark.range(3).write.format("delta").mode("append")
    numbers.save(pipeline.conf["numbers"])
    pipeline.write("""
        import dlt

        @dlt.table
        def doubled():
            frame = spark.read.format("delta").load(spark.conf.get("numbers"))
            return frame.selectExpr("2 * id AS id")
        """)
    versions: list[int] = []
    for is_new in (True, False, True):
        if is_new and versions:
            numbers.save(pipeline.conf["numbers"])
        assert pipeline.update() == 0
        versions.append(delta_version(pipeline.path("doubled")))
    assert versions == [0, 0, 1]
    assert pipeline.table("doubled").count() == 6


def test_tables_that_track_rows_are_filled(pipeline: Pipeline) -> None:
    """Delta gives rows their ids by the number of rows of each file."""
    pipeline.conf["numbers"] = str(pipeline.folder / "numbers")
    pipeline.spark.range(3).write.format("delta").save(pipeline.conf["numbers"])
    pipeline.write("""
        import dlt
        TRACKED = {"delta.enableRowTracking": "true"}

        @dlt.table(table_properties=TRACKED)
        def computed():
            return spark.range(3)

        @dlt.table(table_properties=TRACKED)
        def streamed():
            return spark.readStream.format("delta").load(spark.conf.get("numbers"))

        dlt.create_streaming_table("newest", table_properties=TRACKED)
        dlt.apply_changes("newest", "streamed", ["id"], "id")
        """)
    assert pipeline.update() == 0
    for name in ("computed", "streamed", "newest"):
        table = pipeline.table(name).select("id", "_metadata.row_id")
        assert table.distinct().count() == 3


ROWS_OF_PYTHON = """
import datetime, decimal
import dlt
import pandas
from pyspark.sql import Row, types

ROWS = {rows}

@dlt.table
def limits():
    return spark.createDataFrame(ROWS)

@dlt.table
def joined():
    return spark.range(3).join(spark.createDataFrame(data=ROWS), "id")
"""


@pytest.mark.parametrize(
    ("rows", "others"),
    [
        ("[Row(id=1, x='a')]", "[Row(id=1, x='b')]"),
        ("[{'id': 1, 'x': [1.5, None]}]", "[{'id': 1, 'x': [1.5, 2.5]}]"),
        (
            "[Row(id=1, x=decimal.Decimal('1.50'), y=datetime.date(2024, 2, 29))]",
            "[Row(id=1, x=decimal.Decimal('1.5'), y=datetime.date(2024, 2, 28))]",
        ),
        ("pandas.DataFrame({'id': [1], 'x': ['a']})", "pandas.DataFrame({'id': [1], 'x': ['b']})"),
    ],
)
def test_a_view_is_computed_again_when_the_rows_that_its_code_gives_change(
    pipeline: Pipeline, rows: str, others: str
) -> None:
    pipeline.write(ROWS_OF_PYTHON.format(rows=rows))
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.update() == 0, pipeline.errors()
    assert all("NO_OP" in message for message in _planned(pipeline))
    assert pipeline.plan().effects == ()
    before = pipeline.table("joined").collect()
    pipeline.write(ROWS_OF_PYTHON.format(rows=others))
    assert pipeline.update() == 0, pipeline.errors()
    assert all("COMPLETE_RECOMPUTE" in message for message in _planned(pipeline))
    assert pipeline.table("joined").collect() != before


OBJECT = """[Row(id=1, x=pyspark.testing.objects.ExamplePoint(1.0, 2.0))]"""


def test_a_view_of_rows_that_hold_objects_is_computed_each_time(pipeline: Pipeline) -> None:
    """What tells one object from another is not known."""
    source = ROWS_OF_PYTHON.replace("import pandas", "import pyspark.testing.objects")
    pipeline.write(source.format(rows=OBJECT))
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.update() == 0, pipeline.errors()
    assert all("COMPLETE_RECOMPUTE" in message for message in _planned(pipeline))


def _planned(pipeline: Pipeline) -> list[str]:
    return [e.message for e in pipeline.events if e.event_type == "planning_information"]
