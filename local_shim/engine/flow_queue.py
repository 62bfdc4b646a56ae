"""Which flows may start now, and which of them first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from graphlib import TopologicalSorter

from local_shim.graph.graph import ResolvedFlow


class FlowQueue:
    """The flows of a plan: each may start when those that it needs have ended.

    [choice] Flows of one table run one after the other, where Databricks may let them overlap:
    AUTO CDC reads what the flow before wrote, and a commit to a local folder first looks for its
    version and then writes it, so that of two commits at once one would be lost.

    Of the flows that may start, the one with the longest line of flows behind it is the first:
    else that line, in which one flow waits for the other, would be left to the end.
    """

    def __init__(self, flows: Sequence[ResolvedFlow], needs: Mapping[str, Set[str]]):
        self._flows = {flow.name: flow for flow in flows}
        self._needs = {
            name: {each for each in needs[name] if each in self._flows} for name in self._flows
        }
        self._order = _by_lines_behind(self._needs)
        self._sorter = TopologicalSorter(self._needs)
        self._sorter.prepare()
        self._ready: list[str] = []
        self._running: set[str] = set()
        self._failed: set[str] = set()  # failed flows and those skipped because of them

    def __bool__(self) -> bool:
        return self._sorter.is_active()

    def startable(self, most: int) -> Iterator[ResolvedFlow]:
        """Takes out the flows that may start now, `most` at most."""
        self._ready += self._sorter.get_ready()
        for name in sorted(self._ready, key=self._order.index):
            busy = {self._flows[each].target for each in self._running}
            if most and self._flows[name].target not in busy:
                self._ready.remove(name)
                self._running.add(name)
                most -= 1
                yield self._flows[name]

    def failed_needs(self, flow: ResolvedFlow) -> list[str]:
        """The flows that this one needs and that failed or were skipped."""
        return sorted(self._needs[flow.name] & self._failed)

    def end(self, flow: ResolvedFlow, *, well: bool) -> None:
        """Notes the end of a flow; those that need it may be next."""
        self._running.discard(flow.name)
        if not well:
            self._failed.add(flow.name)
        self._sorter.done(flow.name)


def _by_lines_behind(needs: Mapping[str, Set[str]]) -> list[str]:
    """The flows in falling length of the lines behind them; ties in the order of the plan."""
    behind = dict.fromkeys(needs, 0)
    for name in reversed(list(TopologicalSorter(needs).static_order())):
        for needed in needs[name]:
            behind[needed] = max(behind[needed], behind[name] + 1)
    return sorted(needs, key=lambda name: -behind[name])
