"""A plan for people: every dataset once, in the order in which flows run, with what it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from local_shim.graph.elements import AutoCdcFlow, DatasetKind, SnapshotFlow
from local_shim.graph.graph import Input, ResolvedFlow
from local_shim.graph.names import TableName
from local_shim.graph.plan import EffectKind, Plan

_KINDS = {
    DatasetKind.STREAMING_TABLE: ("streaming table", "cyan"),
    DatasetKind.MANAGED_TABLE: ("managed table", "cyan"),
    DatasetKind.MATERIALIZED_VIEW: ("materialized view", "magenta"),
    DatasetKind.SINK: ("sink", "yellow"),
    DatasetKind.VIEW: ("view", "dim"),
}
_EFFECTS = {EffectKind.EMPTIED: "bold red", EffectKind.FULL_REFRESH_NEEDED: "bold red"}
_CDC = {AutoCdcFlow: "auto cdc", SnapshotFlow: "auto cdc snapshot"}


def render_plan(plan: Plan) -> RenderableType:
    """One block a stage; a flow runs one stage after the last of those it needs."""
    picture = PlanPicture(plan)
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(*(Text(heading, style="dim") for heading in ("dataset", "kind", "reads")))
    for stage, names in picture.stages():
        table.add_row(Text(f"stage {stage}", style="bold"))
        for name in names:
            table.add_row(*picture.row(name))
    return Group(table, *picture.footer())


class PlanPicture:
    """The rows of a plan's picture: the stage of each dataset, and its name in the picture."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.writers: dict[TableName, list[ResolvedFlow]] = {}
        for flow in plan.flows:
            self.writers.setdefault(flow.target, []).append(flow)
        for flow in plan.flows:
            self._add_views(flow)
        every = {*plan.graph.datasets, *(each.name for each in self._inputs(plan.flows))}
        self._tables = Counter(name.table for name in every)
        self._schemas = Counter((name.schema, name.table) for name in every)
        self._levels: dict[TableName, int] = {}
        self._resets = {dataset.name for dataset in plan.reset_tables}
        self._checkpoints = {flow.target for flow in plan.reset_checkpoints}

    def stages(self) -> Iterator[tuple[int, list[TableName]]]:
        """The datasets of each stage, in order of definition; a view follows what it reads."""
        level = {name: self._level(name) for name in self.writers}
        for stage in sorted({max(1, number) for number in level.values()}):
            names = [name for name in self.writers if max(1, level[name]) == stage]
            yield stage, sorted(names, key=lambda name: (level[name] > 0, self._is_view(name)))

    def row(self, name: TableName) -> tuple[Text, Text, Text]:
        """A dataset's name, what it is, and what it reads."""
        flows = self.writers[name]
        label, style = _KINDS[self.plan.graph.datasets[name].kind]
        for flow in flows:
            label = _CDC.get(type(flow.flow), label)
        heading = Text(f"  {self.short(name)}")
        if name in self._resets:
            heading.append(" (reset)", style="bold red")
        elif name in self._checkpoints:
            heading.append(" (checkpoint reset)", style="bold red")
        flows_text = f", {len(flows)} flows" if len(flows) > 1 else ""
        sources = sorted({self._source(each) for each in self._inputs(flows)})
        return heading, Text(label + flows_text, style=style), Text(", ".join(sources))

    def footer(self) -> Iterator[Text]:
        """How many flows run, what is reset, and the warnings."""
        plan = self.plan
        excluded = f", {len(plan.excluded)} excluded" if plan.excluded else ""
        yield Text(f"{_count(len(plan.flows), 'flow')} to run{excluded}", style="bold")
        if plan.reset_tables:
            tables = _count(len(plan.reset_tables), "dataset")
            yield Text(f"reset: {tables} emptied and read again from the start", style="bold red")
        if plan.reset_checkpoints:
            flows = ", ".join(flow.name for flow in plan.reset_checkpoints)
            yield Text(f"checkpoint reset: {flows} read again, targets are not emptied", "bold red")
        yield from self._effects()
        for warning in plan.warnings:
            yield Text(f"warning: {warning}", style="yellow")

    def _effects(self) -> Iterator[Text]:
        """What happens to stored tables; new tables are counted only."""
        created = [each for each in self.plan.effects if each.kind is EffectKind.CREATED]
        if created and len(created) < len(self.plan.effects):
            yield Text(f"{_count(len(created), 'table')} created", style="dim")
        for effect in self.plan.effects:
            if effect.kind is not EffectKind.CREATED:
                line = Text(f"{effect.kind.value}: ", style=_EFFECTS.get(effect.kind, "bold"))
                line.append(f"{self.short(effect.table)}: {effect.reason}", style="not bold")
                yield line

    def short(self, name: TableName) -> str:
        """The shortest name that means no other dataset of the plan."""
        if self._tables[name.table] == 1:
            return name.table
        if self._schemas[name.schema, name.table] == 1:
            return f"{name.schema}.{name.table}"
        return str(name)

    def _level(self, name: TableName) -> int:
        """The stage of the flows into a dataset; a view needs no stage of its own."""
        if name not in self._levels:
            inputs = self._inputs(self.writers.get(name, ()))
            below = [self._level(each.name) for each in inputs if each.name != name]
            runs = name in self.writers and not self._is_view(name)
            self._levels[name] = max(below, default=0) + runs
        return self._levels[name]

    def _add_views(self, flow: ResolvedFlow) -> None:
        for each in flow.inputs:
            if self._is_view(each.name) and each.name not in self.writers:
                self.writers[each.name] = list(self.plan.graph.writers(each.name))
                for view in self.writers[each.name]:
                    self._add_views(view)

    def _is_view(self, name: TableName) -> bool:
        dataset = self.plan.graph.datasets.get(name)
        return dataset is not None and dataset.kind is DatasetKind.VIEW

    def _source(self, each: Input) -> str:
        return f"{self.short(each.name)} (external)" if each.external else self.short(each.name)

    @staticmethod
    def _inputs(flows: Iterable[ResolvedFlow]) -> set[Input]:
        return {each for flow in flows for each in flow.inputs}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
