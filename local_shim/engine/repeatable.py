"""Whether a query must give the same rows when its inputs are the same."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pyspark.sql import DataFrame

_CLOCKS = (
    "expressions.currentdate",
    "expressions.currenttimestamp",
    'expressions.now"',
    "expressions.localtimestamp",
    "expressions.currenttime",
)


def repeatable(frame: DataFrame, known: Collection[str]) -> bool:
    """Whether the same versions of the `known` folders must give the same rows.

    Then nothing need be computed while these versions stay.
    """
    plan = frame._jdf.queryExecution().analyzed()
    if not plan.deterministic() or not _reads_only(plan, known):
        return False
    text = plan.toJSON().lower()
    return not any(clock in text for clock in _CLOCKS)


def _reads_only(plan: Any, known: Collection[str]) -> bool:
    """Only of Delta tables whose version was noted do we know whether they changed."""
    leaves = plan.collectLeaves()
    for index in range(leaves.size()):
        leaf = leaves.apply(index)
        if leaf.nodeName() in ("LocalRelation", "OneRowRelation", "Range", "CTERelationRef"):
            continue
        if "LogicalRelation" not in leaf.getClass().getName() or "parquet" not in str(leaf):
            return False
        location = leaf.relation().location()
        if "Tahoe" not in location.getClass().getName():
            return False
        if location.path().toUri().getPath() not in known:
            return False
    return True
