"""AUTO CDC flows: every micro-batch is folded into the target, once by its transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from local_shim.cdc.apply import (
    Batch,
    CdcResult,
    CdcTarget,
    apply_batch,
    check_drift,
    collect_tombstones,
)
from local_shim.cdc.target_table.target import cdc_options
from local_shim.engine.flows.flow_run import FlowRun
from local_shim.engine.flows.flow_settings import own_settings
from local_shim.engine.update_context import FlowResult, UpdateContext
from local_shim.graph.elements import AutoCdcFlow, Dataset
from local_shim.pipeline_spec.pipeline_settings import TOMBSTONE_SECONDS


def apply(run: FlowRun, flow: AutoCdcFlow) -> FlowResult:
    """Takes in the changes that are new in the flow's source."""
    target = cdc_target(run)
    collect_tombstones(flow, target, datetime.now(UTC))
    frame = run.source(flow.source, streaming=run.flow.streaming)
    run.warn_all(check_drift(flow, target, frame))
    if not frame.isStreaming:
        return _apply_once(run, flow, target, frame)
    if not run.prepare_stream(frame):
        return FlowResult(idle=True)
    return _apply_stream(run, flow, target, frame)


def _apply_once(run: FlowRun, flow: AutoCdcFlow, target: CdcTarget, frame: DataFrame) -> FlowResult:
    rules = run.rules(upserts(flow))
    batch, observation = rules.observed(frame)
    result = apply_batch(batch, Batch(run.application, 0), flow, target)
    run.warn_all(result.warnings)
    return FlowResult(_metrics([result]), rules.observed_quality(observation))


def _apply_stream(
    run: FlowRun, flow: AutoCdcFlow, target: CdcTarget, frame: DataFrame
) -> FlowResult:
    rules = run.rules(upserts(flow))
    results: list[CdcResult] = []

    def fold(batch: DataFrame, version: int) -> None:
        with run.batch_error.capture():
            results.append(apply_batch(batch, Batch(run.application, version), flow, target))
            run.warn_all(results[-1].warnings)

    checked = rules.applied(frame, rules.observed_name)
    query = run.run_to_end(checked.writeStream.foreachBatch(fold))
    return FlowResult(_metrics(results), run.stream_quality(query, rules))


def cdc_target(run: FlowRun) -> CdcTarget:
    """The target of the flow that runs."""
    target = target_of(run.context, run.dataset)
    return replace(target, spark_conf=own_settings(run.context, run.flow))


def target_of(context: UpdateContext, dataset: Dataset) -> CdcTarget:
    """Where the target's rows and state lie, and its options."""
    properties, configuration = dataset.table_properties, context.configuration
    return CdcTarget(
        table=context.storage.table(dataset.name),
        state=context.storage.state(dataset.name),
        name=dataset.name,
        tombstone_seconds=TOMBSTONE_SECONDS.read(properties, configuration),
        options=cdc_options(properties, configuration),
    )


def upserts(flow: AutoCdcFlow) -> Column | None:
    """The rows that expectations apply to: a delete carries little more than its key."""
    conditions = [c for c in (flow.apply_as_deletes, flow.apply_as_truncates) if c is not None]
    if not conditions:
        return None
    applies = F.lit(True)
    for condition in conditions:
        applies = applies & ~F.coalesce(condition.cast("boolean"), F.lit(False))
    return applies


def _metrics(results: Sequence[CdcResult]) -> dict[str, int]:
    return {
        "num_upserted_rows": sum(each.upserted for each in results),
        "num_deleted_rows": sum(each.deleted for each in results),
    }
