"""How one flow runs, from its query to the commit that holds its rows."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql.streaming.query import StreamingQuery
from pyspark.sql.streaming.readwriter import DataStreamWriter

from local_shim import durable_files
from local_shim.autoloader.files.clean_source import clean_source
from local_shim.cdc.apply import (
    Batch,
    CdcResult,
    CdcTarget,
    apply_batch,
    check_drift,
    collect_tombstones,
)
from local_shim.cdc.snapshots.apply import apply_snapshots
from local_shim.cdc.target.target import cdc_options
from local_shim.delta import kernel, log, tables
from local_shim.engine.expectations import Rules, upserts
from local_shim.engine.flows.determinism import repeatable
from local_shim.engine.reads.execution import FlowReads, observed_name
from local_shim.engine.streaming.new_data import has_new_data
from local_shim.engine.streaming.query import BatchError, drain, input_rows, observations
from local_shim.engine.update_context import FlowResult, UpdateContext
from local_shim.errors import FlowError
from local_shim.graph.elements import (
    AutoCdcFlow,
    Dataset,
    DatasetKind,
    Flow,
    QueryFlow,
    SnapshotFlow,
)
from local_shim.graph.graph import ResolvedFlow
from local_shim.jvm.session import for_small_data
from local_shim.jvm.spark_plan import streaming_sources
from local_shim.reading.source_resolver import evaluating, resolving_with
from local_shim.storage import Storage

TOMBSTONE_KEY = "pipelines.cdc.tombstoneGCThresholdInSeconds"
TWO_DAYS = "172800"
SKIP_OLD_SNAPSHOTS = "pipelines.cdc.skipOutOfOrderSnapshots"


def once_mark(storage: Storage, flow: Flow) -> Path:
    """The file that says that a once flow ran; a full refresh makes it run again."""
    return storage.checkpoint(flow.target, flow.name) / "once"


class FlowRun:
    """One run of one flow, in the thread and session that the executor gave it."""

    def __init__(self, context: UpdateContext, resolved: ResolvedFlow, warn: Callable[[str], None]):
        self.context = context
        self.warn = warn
        self.batch_error = BatchError()
        self.resolved = resolved
        self.flow = resolved.flow
        self.dataset: Dataset = context.graph.datasets[self.flow.target]
        self.folder = context.storage.table(self.flow.target)
        self.reads = FlowReads(
            context.spark,
            context.storage,
            context.paths,
            context.graph,
            context.namespace,
            self.flow.name,
            self.flow.target,
        )

    def run(self) -> FlowResult:
        """Runs the flow to its end; raises what stopped it."""
        result = self._outcome()
        if self.flow.once:
            durable_files.write_atomically(once_mark(self.context.storage, self.flow), "")
        return result

    def _outcome(self) -> FlowResult:
        if isinstance(self.flow, SnapshotFlow):
            return self._snapshots(self.flow)
        if isinstance(self.flow, AutoCdcFlow):
            return self._changes(self.flow)
        if self.dataset.kind is DatasetKind.SINK:
            return self._sink(self.flow)
        if self.resolved.streaming:
            return self._append(self.flow)
        return self._append_once(self.flow) if self.flow.once else self._replace(self.flow)

    # --- the five ways to write

    def _replace(self, flow: QueryFlow) -> FlowResult:
        """A materialized view: computed anew and put in place in one commit."""
        rules, spark = self._rules(), self.context.spark
        self.reads.by_kernel = for_small_data(spark)
        frame, observed = _observed(self._query(flow), rules)
        before = self.context.storage.version(flow.target)
        with kernel.enabled(spark) if self.reads.by_kernel else nullcontext():
            tables.replace(frame, self.folder, self.dataset, observed=observed is not None)
        tables.restore_clustering(spark, self.folder, self.dataset)
        quality = [rules.data_quality(rules.quality(observed.get))] if observed else []
        return FlowResult(
            log.written(self.folder, before),
            tuple(quality),
            inputs=dict(self.reads.versions),
            repeatable=not self.reads.foreign and repeatable(frame, self.reads.versions),
        )

    def _append_once(self, flow: QueryFlow) -> FlowResult:
        rules = self._rules()
        frame, observed = _observed(self._query(flow), rules)
        before = self.context.storage.version(flow.target)
        tables.append(frame, self.folder, (self._application, 0))
        quality = [rules.data_quality(rules.quality(observed.get))] if observed else []
        return FlowResult(log.written(self.folder, before), tuple(quality))

    def _append(self, flow: QueryFlow) -> FlowResult:
        """A streaming table: Delta's own sink, exactly once by batch id."""
        rules = self._rules()
        frame = self._query(flow)
        if not self._has_new_data(frame):
            return FlowResult(idle=True)
        before = self.context.storage.version(flow.target)
        frame = rules.applied(frame, observed_name(rules))
        query = self._drain_into_table(frame)
        for path, files in self.reads.streams:
            if files is not None:
                clean_source(self._checkpoint, path, files, datetime.now(UTC))
        return FlowResult(
            log.written(self.folder, before),
            self._quality(query, [rules, *self.reads.view_rules]),
        )

    def _sink(self, flow: QueryFlow) -> FlowResult:
        """A place outside: nothing there is ever removed, so a full refresh adds all again."""
        writer, function = self._query(flow).writeStream, self.dataset.sink_function

        def write(batch: DataFrame, number: int) -> None:  # in a thread that knows no pipeline
            with self.batch_error.capture(), resolving_with(self.reads):
                function(batch, number)  # type: ignore[misc]

        if function is None:
            writer = writer.format(str(self.dataset.sink_format)).options(**self._sink_options())
        query = self._drain(writer.foreachBatch(write) if function else writer)
        return FlowResult({"num_output_rows": input_rows(query)})

    def _sink_options(self) -> dict[str, str]:
        options = {
            key: self.context.paths.local(value) if key == "path" else value
            for key, value in self.dataset.sink_options.items()
        }
        if "tableName" in options:
            name = self.context.namespace.qualify(options.pop("tableName"))
            options["path"] = str(self.context.storage.table(name))
        return options

    def _changes(self, flow: AutoCdcFlow) -> FlowResult:
        """AUTO CDC: every micro-batch is folded into the target, once by its transaction."""
        target = self._cdc_target()
        collect_tombstones(flow, target, datetime.now(UTC))
        rules = self._rules(upserts(flow))
        frame = self._source(flow.source, streaming=self.resolved.streaming)
        check_drift(flow, target, frame)
        if self.resolved.streaming and not self._has_new_data(frame):
            return FlowResult(idle=True)
        results: list[CdcResult] = []

        def fold(batch: DataFrame, version: int) -> None:
            with self.batch_error.capture():
                done = apply_batch(batch, Batch(self._application, version), flow, target)
                results.append(done)
                self._warn_all(done.warnings)

        if not frame.isStreaming:
            batch, observed = _observed(frame, rules)
            fold(batch, 0)
            quality = [rules.data_quality(rules.quality(observed.get))] if observed else []
            return FlowResult(_changed(results), tuple(quality))
        checked = rules.applied(frame, observed_name(rules))
        query = self._drain(checked.writeStream.foreachBatch(fold))
        return FlowResult(_changed(results), self._quality(query, [rules, *self.reads.view_rules]))

    def _snapshots(self, flow: SnapshotFlow) -> FlowResult:
        """AUTO CDC from snapshots; its row counts are not reported (reference 2.12)."""
        source = flow.source

        def read() -> DataFrame:
            return self._source(str(source), streaming=False)

        with resolving_with(self.reads):
            result = apply_snapshots(
                flow,
                self._cdc_target(),
                read if isinstance(source, str) else None,
                datetime.now(UTC),
                skip_out_of_order=self._skips_out_of_order(),
            )
        self._warn_all(result.warnings)
        return FlowResult()

    def _skips_out_of_order(self) -> bool:
        """[choice] A snapshot older than the last one fails the flow, unless this key is true."""
        return self.context.configuration.get(SKIP_OLD_SNAPSHOTS, "false").lower() == "true"

    # --- what they share

    def _warn_all(self, warnings: Iterable[str]) -> None:
        for warning in warnings:
            self.warn(warning)

    def _query(self, flow: QueryFlow) -> DataFrame:
        with resolving_with(self.reads), evaluating(flow.name):
            frame: DataFrame = flow.function()
        return frame

    def _source(self, name: str, streaming: bool) -> DataFrame:
        with resolving_with(self.reads):
            frame = self.reads.table(name, streaming, {})
        if frame is None:
            raise FlowError("TABLE_OR_VIEW_NOT_FOUND", f"'{name}' is gone.", where=self.flow.where)
        return frame

    def _rules(self, applies: Column | None = None) -> Rules:
        name = str(self.dataset.name)
        return Rules(name, self.flow.name, self.dataset.expectations, applies)

    def _cdc_target(self) -> CdcTarget:
        seconds = self.dataset.table_properties.get(
            TOMBSTONE_KEY, self.context.configuration.get(TOMBSTONE_KEY, TWO_DAYS)
        )
        return CdcTarget(
            table=str(self.folder),
            state=str(self.context.storage.state(self.flow.target)),
            name=self.flow.target,
            tombstone_seconds=float(seconds),
            manner=cdc_options(self.dataset.table_properties, self.context.configuration),
        )

    def _has_new_data(self, frame: DataFrame) -> bool:
        return has_new_data(self._checkpoint, self.reads.streams, streaming_sources(frame))

    def _drain(self, writer: DataStreamWriter, table: str | None = None) -> StreamingQuery:
        return drain(writer, self.flow.name, self._checkpoint, self.batch_error, table)

    def _drain_into_table(self, frame: DataFrame) -> StreamingQuery:
        appendable = kernel.as_appendable(frame, self.folder)
        if appendable is None:
            writer = frame.writeStream.format("delta").option("mergeSchema", "true")
            return self._drain(writer.outputMode("append").option("path", str(self.folder)))
        writer = appendable.writeStream.outputMode("append")
        table = kernel.identifier(self.folder)
        with kernel.enabled(self.context.spark):
            query = self._drain(writer, table)
        kernel.write_checksum_and_checkpoint(self.context.spark, self.folder)
        return query

    def _quality(
        self, query: StreamingQuery, all_rules: list[Rules]
    ) -> tuple[Mapping[str, Any], ...]:
        found = []
        for rules in all_rules:
            if rules.counted:
                rows = observations(query, observed_name(rules))
                total = sum((rules.quality(row) for row in rows), rules.quality(None))
                found.append(rules.data_quality(total))
        return tuple(found)

    @property
    def _checkpoint(self) -> Path:
        return self.context.storage.checkpoint(self.flow.target, self.flow.name)

    @property
    def _application(self) -> str:
        """Transaction id of this generation of the flow, the same after a crash."""
        generation = self.context.storage.generation(self.flow.target, self.flow.name)
        return f"dlt-local/{self.context.pipeline}/{self.flow.name}/{generation}"


def _changed(results: Sequence[CdcResult]) -> dict[str, int]:
    return {
        "num_upserted_rows": sum(each.upserted for each in results),
        "num_deleted_rows": sum(each.deleted for each in results),
    }


def _observed(frame: DataFrame, rules: Rules) -> tuple[DataFrame, Observation | None]:
    observation = Observation(f"{observed_name(rules)} {uuid.uuid4().hex[:8]}")
    return rules.applied(frame, observation), observation if rules.counted else None
