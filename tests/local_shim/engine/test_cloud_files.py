"""Auto Loader streams inside a pipeline: mapped paths, and what planning knows was read."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from pyspark.sql import functions as F

from local_shim.run import run
from tests.pipeline_folder import Pipeline

MOVING = """
import dlt

@dlt.table
def t():
    options = {
        "cloudFiles.format": "csv",
        "header": "true",
        "cloudFiles.cleanSource": "MOVE",
        "cloudFiles.cleanSource.moveDestination": "/Volumes/main/archive",
        "cloudFiles.cleanSource.retentionDuration": "1 second",
    }
    return spark.readStream.format("cloudFiles").options(**options).load("/Volumes/main/landing")
"""


@pytest.mark.dlt(137)
def test_read_files_move_to_where_the_path_map_says(pipeline: Pipeline) -> None:
    volumes = pipeline.folder / "volumes"
    (volumes / "landing").mkdir(parents=True)
    (volumes / "landing" / "a.csv").write_text("id\n1\n")
    os.utime(volumes / "landing" / "a.csv", (0, 0))
    pipeline.write(MOVING)
    request = replace(pipeline.request(), paths={"/Volumes/main/": str(volumes)})
    assert run(request).exit_code == 0
    checkpoint = next((pipeline.folder / "storage" / "checkpoints").glob("*/*/*/0"))
    os.utime(checkpoint / "commits" / "0", (1, 1))  # the file was read long ago
    (volumes / "landing" / "b.csv").write_text("id\n2\n")
    assert run(request).exit_code == 0
    assert [path.name for path in (volumes / "archive").iterdir()] == ["a.csv"]
    assert pipeline.rows("t", "id") == [("1",), ("2",)]


RENAMED_FLOW = """
import dlt
dlt.create_streaming_table("t")

@dlt.append_flow(target="t", name="files")
def rows():
    options = {"cloudFiles.format": "parquet", "cloudFiles.schemaHints": "id HINT"}
    files = spark.readStream.format("cloudFiles").options(**options)
    return files.load(spark.conf.get("landing")).selectExpr("CAST(id AS STRING) AS id")
"""


def test_planning_looks_at_the_checkpoint_of_a_flow_that_is_not_called_like_its_table(
    pipeline: Pipeline,
) -> None:
    """A file of another type that was read already must not stop the next update."""
    landing = pipeline.conf["landing"] = str(pipeline.folder / "landing")
    ids = pipeline.spark.range(1).coalesce(1)
    ids.select(F.col("id").cast("int")).write.parquet(landing)
    pipeline.write(RENAMED_FLOW.replace("HINT", "INT"))
    assert pipeline.update() == 0
    ids.select(F.lit("x").alias("id")).write.mode("append").parquet(landing)
    pipeline.write(RENAMED_FLOW.replace("HINT", "STRING"))
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("t") == [("0",), ("x",)]


MISSPELT = """
import dlt

@dlt.view
def lines():
    options = {
        "cloudFiles.format": "json",
        "cloudFiles.schemaLocation": "/dbfs/schemas",
        "cloudFiles.useNotifications": "true",
        "multiline": "false",
        "multLine": "true",
    }
    files = spark.readStream.format("cloudFiles").options(**options)
    return files.load(spark.conf.get("landing"))

@dlt.table
def t():
    return dlt.read_stream("lines")
"""


@pytest.mark.dlt(138)
def test_options_without_effect_are_warned_about_once_in_an_update(pipeline: Pipeline) -> None:
    landing = pipeline.folder / "landing"
    landing.mkdir()
    (landing / "a.json").write_text('{"id": 1}\n')
    pipeline.conf["landing"] = str(landing)
    pipeline.write(MISSPELT)
    expected = [
        "cloudFiles.useNotifications is ignored: a local folder is listed",
        "Auto Loader ignores the option 'multLine', which json files do not have: "
        "did you mean 'multiLine'?",
    ]
    assert pipeline.update() == 0
    assert [text for text in pipeline.warnings() if "ignore" in text] == expected
    (landing / "b.json").write_text('{"id": 2, "late": true}\n')
    assert pipeline.update() == 0  # its first attempt fails with a changed schema
    assert [text for text in pipeline.warnings() if "ignore" in text] == expected


DELETING = """
import os
import dlt
from pyspark.sql import functions as F

@dlt.table
def t():
    files = spark.readStream.format("cloudFiles").option("header", True).options(
        **{"cloudFiles.format": "csv", "cloudFiles.maxFilesPerTrigger": "1", OPTIONS}
    )
    landing = spark.conf.get("landing")
    last = os.path.join(landing, "b.csv")
    delete = F.udf(lambda name: os.remove(last) if os.path.exists(last) else None)
    return files.load(landing).withColumn("gone", delete("id"))
"""


@pytest.mark.parametrize("ignored", [False, True])
def test_a_file_deleted_before_its_batch_is_a_warning(pipeline: Pipeline, ignored: bool) -> None:
    landing = pipeline.folder / "landing"
    landing.mkdir()
    pipeline.conf["landing"] = str(landing)
    for number, name in enumerate("ab"):
        (landing / f"{name}.csv").write_text("id\n1\n")
        os.utime(landing / f"{name}.csv", (number, number))
    option = '"ignoreMissingFiles": "true"' if ignored else ""
    pipeline.write(DELETING.replace("OPTIONS", option))
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("t", "id") == [("1",)]
    assert any("b.csv' was deleted" in text for text in pipeline.warnings()) != ignored


def test_the_plan_in_events_names_no_file(pipeline: Pipeline) -> None:
    """Spark prints a list of files in the square of its length: 100,000 took a quarter hour."""
    landing = pipeline.folder / "landing"
    landing.mkdir()
    for name in ("first", "second"):
        (landing / f"{name}.json").write_text('{"id": 1}\n')
    pipeline.conf["landing"] = str(landing)
    pipeline.write("""
        import dlt

        @dlt.table
        def rows():
            reader = spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
            return reader.load(spark.conf.get("landing"))
    """)
    assert pipeline.update() == 0
    (definition,) = (each for each in pipeline.events if each.event_type == "flow_definition")
    assert "first.json" not in definition.as_json()
    assert len(pipeline.rows("rows")) == 2
