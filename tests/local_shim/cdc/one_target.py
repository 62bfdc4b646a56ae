"""A target in a folder, and a flow into it, for tests of single rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from local_shim.cdc.apply import (
    Batch,
    CdcResult,
    apply_batch,
    check_drift,
)
from local_shim.declaring.cdc_arguments import auto_cdc_flow
from local_shim.errors import FlowError
from local_shim.graph.elements import AutoCdcFlow
from tests.local_shim.cdc.shapes import HERE, SPACE, target_in, target_rows

COLUMNS = "id int, v string, note string, op string, seq bigint"
Rows = list[tuple[Any, ...]]


def flow(**arguments: Any) -> AutoCdcFlow:
    settings = {
        "target": "t",
        "source": "s",
        "keys": ["id"],
        "sequence_by": "seq",
        "apply_as_deletes": "op = 'D'",
        "except_column_list": ["op", "seq"],
        **arguments,
    }
    return auto_cdc_flow(where=HERE, namespace=SPACE, **settings)


class Target:
    """A target in a folder, to which batches are applied one after the other."""

    def __init__(self, spark: SparkSession, folder: Path):
        self.spark, self.at, self.batches = spark, target_in(folder), 0

    def take(
        self, rows: Rows | DataFrame, declared: AutoCdcFlow | None = None, schema: str = COLUMNS
    ) -> CdcResult:
        frame = rows if isinstance(rows, DataFrame) else self.spark.createDataFrame(rows, schema)
        self.batches += 1
        return apply_batch(frame, Batch("app", self.batches), declared or flow(), self.at)

    def frame(self) -> DataFrame:
        return self.spark.read.format("delta").load(str(self.at.table))

    def rows(self) -> list[tuple[Any, ...]]:
        return sorted((tuple(row) for row in target_rows(self.spark, self.at)), key=repr)

    def refuses(self, declared: AutoCdcFlow, schema: str = COLUMNS) -> str:
        with pytest.raises(FlowError) as caught:
            check_drift(declared, self.at, self.spark.createDataFrame([], schema))
        return str(caught.value)
