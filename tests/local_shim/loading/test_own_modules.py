"""Modules of the pipeline reach Spark's Python workers, which cannot import all of them."""

from __future__ import annotations

import sys

from pyspark import cloudpickle

from tests.pipeline_folder import Pipeline

HELPERS = """
import dlt
import enum
import pandas as pd
from dataclasses import dataclass
from lib import plain
from pyspark.sql import SparkSession
from pyspark.sql.functions import pandas_udf

spark = SparkSession.builder.getOrCreate()

class Kind(enum.Enum):
    EVEN, ODD = "even", "odd"

@dataclass(frozen=True)
class Step:
    by: int

@pandas_udf("bigint")
def plus_one(numbers: pd.Series) -> pd.Series:
    return numbers + Step(1).by

def kind_of(number):
    return Kind.ODD.value if number in {1, 3, 5} else Kind.EVEN.value

def totals(rows):
    return rows.groupby("kind", as_index=False).agg(n=("id", "size")).assign(by=plain.ten())
"""
PIPELINE = """
import dlt
from lib import plain
from lib.helpers import kind_of, plus_one, totals

spark.udf.register("kind_of", kind_of)

@dlt.table
def kinds():
    return spark.range(4).select(plus_one("id").alias("id")).selectExpr("id", "kind_of(id) AS kind")

@dlt.table
def sums():
    return spark.read.table("kinds").groupBy("kind").applyInPandas(
        totals, "kind STRING, n INT, by INT"
    )

@dlt.table
def tens():
    ten = udf(lambda: plain.ten(), "int")
    return spark.range(1).select(ten().alias("ten"))
"""


def test_functions_of_helper_modules_run_in_python_workers(pipeline: Pipeline) -> None:
    """A worker could not import `helpers`: it has no `dlt`, and no parser for "bigint"."""
    lib = pipeline.folder / "source" / "lib"
    lib.mkdir(parents=True)
    (lib / "helpers.py").write_text(HELPERS)
    (lib / "plain.py").write_text("def ten():\n    return 10\n")
    pipeline.write(PIPELINE)
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("kinds") == [(1, "odd"), (2, "even"), (3, "odd"), (4, "even")]
    assert pipeline.rows("sums") == [("even", 2, 10), ("odd", 2, 10)]
    assert pipeline.rows("tens") == [(10,)]
    registered = cloudpickle.list_registry_pickle_by_value()  # type: ignore[no-untyped-call]
    assert not {"lib", "lib.helpers"} & {*sys.modules, *registered}
    (lib / "plain.py").write_text("def ten():\n    return 100\n")
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("tens") == [(100,)]
    assert pipeline.rows("sums") == [("even", 2, 100), ("odd", 2, 100)]
