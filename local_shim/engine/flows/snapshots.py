"""AUTO CDC flows from snapshots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame

from local_shim.cdc.snapshots.apply import apply_snapshots
from local_shim.engine.flows.auto_cdc import cdc_target
from local_shim.engine.flows.flow_run import FlowRun
from local_shim.engine.update_context import FlowResult
from local_shim.graph.elements import SnapshotFlow
from local_shim.pipeline_spec.pipeline_settings import SKIP_OLD_SNAPSHOTS
from local_shim.reading.source_resolver import resolving_with


def apply(run: FlowRun, flow: SnapshotFlow) -> FlowResult:
    """Takes in the snapshots that are new; their row counts are not reported (behaviour 180).

    [choice] A snapshot older than the last one fails the flow, unless
    `pipelines.cdc.skipOutOfOrderSnapshots` is true.
    """
    source = flow.source

    def read() -> DataFrame:
        return run.source(str(source), streaming=False)

    def resolved(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            with resolving_with(run.reads):
                return function(*arguments)

        return call

    by_name = isinstance(source, str)
    if callable(source):
        flow = replace(flow, source=resolved(source))
    if flow.version_column is not None:
        flow = replace(flow, version_column=resolved(flow.version_column))
    result = apply_snapshots(
        flow,
        cdc_target(run),
        read if by_name else None,
        datetime.now(UTC),
        skip_out_of_order=SKIP_OLD_SNAPSHOTS.read(run.context.configuration),
    )
    run.warn_all(result.warnings)
    return FlowResult()
