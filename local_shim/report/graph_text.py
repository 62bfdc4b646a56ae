"""A plan as text: what runs after what, what is reset, what rests."""

from __future__ import annotations

from collections.abc import Iterator

from local_shim.graph.elements import DatasetKind
from local_shim.graph.graph import ResolvedFlow
from local_shim.graph.plan import Plan

_KINDS = {
    DatasetKind.STREAMING_TABLE: "streaming table",
    DatasetKind.MATERIALIZED_VIEW: "materialized view",
    DatasetKind.SINK: "sink",
}


def render_plan(plan: Plan) -> str:
    """One paragraph a stage; a flow stands one stage after the last of those it needs."""
    lines: list[str] = []
    for number, stage in enumerate(_stages(plan), start=1):
        lines.append(f"stage {number}")
        lines += [f"  {_flow(plan, flow)}" for flow in stage]
    lines += _footer(plan)
    return "\n".join(lines)


def _stages(plan: Plan) -> Iterator[list[ResolvedFlow]]:
    needs = plan.graph.needs()
    level: dict[str, int] = {}
    for flow in plan.graph.ordered():
        level[flow.name] = 1 + max((level[name] for name in needs[flow.name]), default=0)
    numbers = sorted({level[flow.name] for flow in plan.flows})
    for number in numbers:
        yield [flow for flow in plan.flows if level[flow.name] == number]


def _flow(plan: Plan, flow: ResolvedFlow) -> str:
    target = plan.graph.datasets[flow.target]
    reads = sorted({str(each.name) for each in plan.graph.sources(flow)})
    name = str(target.name) if flow.name == str(target.name) else f"{target.name} ({flow.name})"
    how = {"CHANGE": "auto cdc", "SNAPSHOT_CHANGE": "auto cdc from snapshot"}.get(flow.kind, "")
    what = _KINDS[target.kind] + (f", {how}" if how else "")
    source = f"  ← {', '.join(reads)}" if reads else ""
    return f"{name}  [{what}]{source}"


def _footer(plan: Plan) -> list[str]:
    lines = [f"{len(plan.flows)} flows to run" + _excluded(plan)]
    if plan.reset_tables:
        names = ", ".join(str(each.name) for each in plan.reset_tables)
        lines.append(f"emptied and read again from the start: {names}")
    if plan.reset_checkpoints:
        names = ", ".join(flow.name for flow in plan.reset_checkpoints)
        lines.append(f"read again without emptying the target: {names}")
    return lines + [f"warning: {text}" for text in plan.warnings]


def _excluded(plan: Plan) -> str:
    return f", {len(plan.excluded)} excluded" if plan.excluded else ""
