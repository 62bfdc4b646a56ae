"""The Spark settings of a running flow: those that suit the size of its inputs, and its own.

The session of an update has settings for small tables. From some megabytes on, Spark's own
defaults are faster. What the pipeline sets itself is never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_shim.delta import log
from local_shim.delta.properties import needs_statistics
from local_shim.engine.update_context import UpdateContext
from local_shim.graph.graph import ResolvedFlow
from local_shim.jvm.fast_paths import fast_paths_enabled
from local_shim.jvm.session import LARGE_DATA, MANY_FILES, STATISTICS

_SMALL_BYTES = 2 * 2**20  # about 50,000 rows of ten columns
# Generated code is compiled for each table that a query reads: a second or so of a new process for
# each. It pays if one of them is large, or all together are.
_SMALL_SUM = 16 * 2**20
_FEW_FILES = 100  # Spark makes a task of every 32 small files


@dataclass(frozen=True)
class FlowSettings:
    """What the session of a flow gets, and why."""

    input_bytes: int  # the files of the newest versions of the tables that it reads
    tuning: Mapping[str, str]  # by the size of the inputs, but for what the pipeline sets
    own: Mapping[str, str]  # by the pipeline

    @property
    def values(self) -> dict[str, str]:
        """All settings that differ from the session of the update."""
        return {**self.tuning, **self.own}

    def details(self) -> dict[str, Any]:
        """For the event log."""
        return {"input_bytes": self.input_bytes, "tuning": dict(self.tuning)}


def flow_settings(context: UpdateContext, flow: ResolvedFlow) -> FlowSettings:
    """The settings of a flow that is about to start."""
    graph, own = context.graph, own_settings(context, flow)
    sizes = [log.size(context.storage.table(source.name)) for source in graph.sources(flow)]
    is_large = sum(sizes) > _SMALL_SUM or max(sizes, default=0) > _SMALL_BYTES
    tuning: Mapping[str, str] = {}
    if is_large or not fast_paths_enabled():
        tuning = LARGE_DATA
    elif needs_statistics(graph.datasets[flow.target]):
        tuning = STATISTICS
    return FlowSettings(sum(sizes), _without(own, tuning), own)


def tuning_for_files(
    context: UpdateContext, flow: ResolvedFlow, files: int, size: int
) -> dict[str, str]:
    """The settings for a stream of so many new files and bytes, which no input table shows."""
    tuning = LARGE_DATA if size > _SMALL_BYTES else {}
    if files > _FEW_FILES and fast_paths_enabled():
        tuning = {**tuning, **MANY_FILES}
    return _without(own_settings(context, flow), tuning)


def _without(own: Mapping[str, str], tuning: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in tuning.items() if key not in own}


def own_settings(context: UpdateContext, flow: ResolvedFlow) -> dict[str, str]:
    """What the pipeline sets: its configuration, its source files, and the flow itself."""
    of_all = {key: v for key, v in context.configuration.items() if key.startswith("spark.")}
    return {**of_all, **flow.flow.spark_conf}
