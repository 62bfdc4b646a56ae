"""The column lineage of a flow, from the frames of its analysis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyspark.sql import DataFrame

from local_shim.graph.analysis.plan_lineage import plan_lineage
from local_shim.graph.graph import Lineage
from local_shim.graph.names import TableName
from local_shim.jvm.spark_plan import plan_json

Reads = Sequence[tuple[TableName, DataFrame]]  # datasets, and the frames that stand for them


def lineage_of(frame: DataFrame, reads: Reads) -> Lineage:
    """Where the columns of a query come from."""
    plans = [(str(name), plan_json(each)) for name, each in reads]
    lineage = plan_lineage(plan_json(frame), plans)
    return {
        column: [f"{dataset}.{name}" for dataset, name in sources]
        for column, sources in lineage.items()
    }


def lineage_by_name(columns: Iterable[str], reads: Reads) -> Lineage:
    """The lineage of an AUTO CDC flow: each column of the target has its source's values."""
    return {
        column: [f"{name}.{column}" for name, frame in reads if column in frame.columns]
        for column in columns
    }
