"""Two updates side by side: the rows of each flow, and what its expectations counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_METRICS = ("num_output_rows", "num_upserted_rows", "num_deleted_rows")

Figures = dict[tuple[str, str], int]  # (flow, what was counted) → how many


@dataclass(frozen=True)
class Difference:
    """A figure that two updates do not agree on; None where an update has no such figure."""

    flow: str
    figure: str
    local: int | None
    remote: int | None


def figures(events: Iterable[Mapping[str, Any]]) -> Figures:
    """What the `flow_progress` events of an update counted, added up over its passes.

    Flows go by the last part of their names: a workspace puts catalog and schema before them.
    """
    totals: Figures = {}
    for event in events:
        progress = (event.get("details") or {}).get("flow_progress")
        if progress:
            flow = str(event["origin"].get("flow_name", "")).split(".")[-1]
            for name, count in _counts(progress):
                totals[flow, name] = totals.get((flow, name), 0) + count
    return totals


def differences(local: Figures, remote: Figures) -> list[Difference]:
    """The figures that differ, by flow; a figure that is missing counts as 0 if its flow ran."""
    flows = {flow for flow, _ in local} & {flow for flow, _ in remote}
    result = []
    for flow, figure in sorted({*local, *remote}):
        default = 0 if flow in flows else None
        pair = local.get((flow, figure), default), remote.get((flow, figure), default)
        if pair[0] != pair[1]:
            result.append(Difference(flow, figure, *pair))
    return result


def _counts(progress: Mapping[str, Any]) -> Iterable[tuple[str, int]]:
    metrics = progress.get("metrics") or {}
    yield from ((name, int(metrics[name])) for name in _METRICS if metrics.get(name) is not None)
    quality = progress.get("data_quality") or {}
    if quality.get("dropped_records") is not None:
        yield "dropped_records", int(quality["dropped_records"])
    for rule in quality.get("expectations") or ():
        yield f"{rule['name']}: passed", int(rule.get("passed_records", 0))
        yield f"{rule['name']}: failed", int(rule.get("failed_records", 0))
