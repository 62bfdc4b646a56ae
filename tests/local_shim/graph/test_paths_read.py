"""The files and folders that flows read are part of the graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.pipeline_folder import Pipeline

READERS = """
import dlt

@dlt.table
def arriving():
    files = spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
    return files.schema("n INT").load("/Volumes/landing")

@dlt.table
def lookup():
    open("/Volumes/landing/a.json").close()  # Python's own files are no input
    return spark.read.json(["/Volumes/landing/a.json"]).join(dlt.read("arriving"), "n")

@dlt.table
def optional():
    return spark.read.format("json").option("path", "/Volumes/landing/a.json").load()
"""


def test_a_flow_knows_the_paths_that_its_query_reads(
    pipeline: Pipeline, write_rows: Callable[[str, str], Path]
) -> None:
    """They are named as the query names them, whatever folder `--path` gives them."""
    pipeline.paths["/Volumes/"] = str(write_rows("landing/a.json", '{"n": 1}').parents[1])
    pipeline.write(READERS)
    paths = {flow.target.table: flow.paths for flow in pipeline.plan().graph.flows}
    assert paths == {
        "arriving": ("/Volumes/landing",),
        "lookup": ("/Volumes/landing/a.json",),
        "optional": ("/Volumes/landing/a.json",),
    }
