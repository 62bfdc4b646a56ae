"""Whether a query must give the same rows when its inputs are the same."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame

_CLOCKS = (
    "expressions.currentdate",
    "expressions.currenttimestamp",
    'expressions.now"',
    "expressions.localtimestamp",
    "expressions.currenttime",
)


def repeatable(frame: DataFrame) -> bool:
    """Whether the same input versions must give the same rows, so that nothing need be computed."""
    plan = frame._jdf.queryExecution().analyzed()
    if not plan.deterministic() or not _reads_delta_only(plan):
        return False
    text = plan.toJSON().lower()
    return not any(clock in text for clock in _CLOCKS)


def _reads_delta_only(plan: Any) -> bool:
    """Only of Delta tables do we know whether they changed."""
    leaves = plan.collectLeaves()
    for index in range(leaves.size()):
        leaf = leaves.apply(index)
        if leaf.nodeName() in ("LocalRelation", "OneRowRelation", "Range", "CTERelationRef"):
            continue
        if "LogicalRelation" not in leaf.getClass().getName() or "parquet" not in str(leaf):
            return False
        if "Tahoe" not in leaf.relation().location().getClass().getName():
            return False
    return True
