"""Flows into streaming tables: they append rows, or replace all of them in complete mode."""

from __future__ import annotations

from datetime import UTC, datetime

from pyspark.sql import DataFrame
from pyspark.sql.streaming.query import StreamingQuery

from local_shim.autoloader.files.clean_source import clean_source
from local_shim.delta import kernel, log, tables
from local_shim.delta.snapshot import newest_snapshot
from local_shim.engine.flows.after_commit import after_commit
from local_shim.engine.flows.flow_run import FlowRun
from local_shim.engine.update_context import FlowResult
from local_shim.graph.elements import QueryFlow
from local_shim.graph.table_columns import is_written_as_it_is
from local_shim.jvm.spark_plan import output_mode


def write(run: FlowRun, flow: QueryFlow) -> FlowResult:
    """Writes what is new through Delta's own sink, exactly once by batch id.

    An aggregation without a watermark runs in complete mode, as on Databricks: each batch
    replaces the table's rows by the result over everything read so far, in one commit.
    """
    rules = run.rules()
    frame = run.query(flow)
    if not run.prepare_stream(frame):
        return FlowResult(idle=True)
    before = run.context.storage.version(flow.target)
    checked, mode = rules.applied(frame, rules.observed_name), output_mode(frame)
    query = _append(run, checked) if mode == "append" else _write_by_path(run, checked, mode)
    with after_commit():
        _clean_sources(run)
        return FlowResult(log.written(run.folder, before), run.stream_quality(query, rules))


def append_once(run: FlowRun, flow: QueryFlow) -> FlowResult:
    """Appends the rows of a batch query, once by its transaction id."""
    rules = run.rules()
    frame, observation = rules.observed(run.query(flow))
    before = run.context.storage.version(flow.target)
    tables.append(frame, run.folder, (run.application, 0))
    return FlowResult(log.written(run.folder, before), rules.observed_quality(observation))


def _append(run: FlowRun, frame: DataFrame) -> StreamingQuery:
    appendable = kernel.as_appendable(frame, run.folder)
    if appendable is None:
        return _write_by_path(run, frame, "append")
    with kernel.enabled(run.context.spark):
        writer = appendable.writeStream.outputMode("append")
        query = run.run_to_end(writer, kernel.identifier(run.folder))
    with after_commit():
        kernel.write_checksum_and_checkpoint(run.context.spark, run.folder)
    return query


def _write_by_path(run: FlowRun, frame: DataFrame, mode: str) -> StreamingQuery:
    table = newest_snapshot(run.context.spark, str(run.folder))
    if table is None or not is_written_as_it_is(frame.schema, table.schema):
        return _write_each_batch(run, frame, mode)
    writer = frame.writeStream.format("delta").option("mergeSchema", "true")
    return run.run_to_end(writer.outputMode(mode).option("path", str(run.folder)))


def _write_each_batch(run: FlowRun, frame: DataFrame, mode: str) -> StreamingQuery:
    """Writes each batch as a batch query: of a stream that Delta rewrites, it loses the counts."""
    write = tables.append if mode == "append" else tables.overwrite

    def write_batch(batch: DataFrame, version: int) -> None:
        with run.batch_error.capture():
            write(batch, run.folder, (run.application, version))

    return run.run_to_end(frame.writeStream.outputMode(mode).foreachBatch(write_batch))


def _clean_sources(run: FlowRun) -> None:
    for source in run.reads.streams:
        if source.files is not None:
            clean_source(run.checkpoint, source.path, source.files, datetime.now(UTC))
