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
        if _delta_folder(leaf) not in known:
            return False
    return True


def _delta_folder(leaf: Any) -> str | None:
    """The table's folder, whichever of Delta's connectors reads it."""
    kind = leaf.getClass().getSimpleName()
    if kind == "DataSourceV2Relation" and "DeltaV2" in leaf.table().getClass().getName():
        return str(leaf.identifier().get().name())
    if kind == "LogicalRelation" and "parquet" in str(leaf):
        location = leaf.relation().location()
        if "Tahoe" in location.getClass().getName():
            return str(location.path().toUri().getPath())
    return None
