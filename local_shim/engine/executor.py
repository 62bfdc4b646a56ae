"""Carries out a plan: what is ready runs, what needs a failed flow is skipped, all is told."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from pyspark.errors import PySparkException

from local_shim.delta import log, tables
from local_shim.engine.flow_errors import Failure, cause, understood
from local_shim.engine.flows.flow_run import FlowRun, once_mark
from local_shim.engine.update_context import FlowResult, UpdateContext
from local_shim.errors import FlowError, SchemaChanged
from local_shim.events.event import FlowStatus
from local_shim.events.log import EventLog
from local_shim.graph.elements import Dataset, DatasetKind, QueryFlow
from local_shim.graph.graph import ResolvedFlow
from local_shim.graph.plan import Plan
from local_shim.jvm.fast_paths import fast_paths_enabled
from local_shim.jvm.flow_session import own_session
from local_shim.jvm.session import LARGE_DATA
from local_shim.storage import TableRecord, delta_version

# A flow is mostly waiting for the driver to plan; a few more than the cores keep them busy.
WORKERS = 3
_SMALL_BYTES = 8 * 2**20  # about 200,000 rows of ten columns
MOST_SCHEMAS = 20  # a source that changes its shape at every restart is broken
ATTEMPTS_KEY = "pipelines.maxFlowRetryAttempts"
_FIRST_PAUSE = 0.1  # seconds before a retry, doubled each time: who lost a race lets others end


class Executor:
    """One pass over the flows of a plan."""

    def __init__(self, context: UpdateContext, events: EventLog, plan: Plan, fingerprint: str):
        self.context = context
        self.events = events
        self.plan = plan
        self.fingerprint = fingerprint
        self.failures: list[Failure] = []

    # --- before the flows

    def reset(self) -> None:
        """Empties what is to be refreshed from nothing, and finishes resets that were cut off."""
        storage = self.context.storage
        all_there_is = self.plan.graph.datasets.values()
        cut_off = [each for each in all_there_is if storage.reset_underway(each.name)]
        for dataset in {each.name: each for each in (*self.plan.reset_tables, *cut_off)}.values():
            storage.begin_reset(dataset.name)
            for flow in self.plan.graph.writers(dataset.name):
                storage.forget_flow(dataset.name, flow.name)
            storage.forget_state(dataset.name)
            if storage.has_table(dataset.name):
                schema = self.plan.graph.schemas[dataset.name]
                tables.empty(self.context.spark, storage.table(dataset.name), schema, dataset)
            storage.end_reset(dataset.name)
        for flow in self.plan.reset_checkpoints:
            storage.forget_flow(flow.flow.target, flow.name)

    def set_up_tables(self) -> None:
        """Creates the streaming tables that do not exist yet.

        Every table is noted as ours before it is made: after a crash in between, the next update
        must not take it for somebody else's.
        """
        for dataset in self.plan.tables():
            if self.context.storage.record(dataset.name) is None:
                self._remember(dataset)
        streaming = [
            each for each in self.plan.tables() if each.kind is DatasetKind.STREAMING_TABLE
        ]
        missing = [
            each
            for each in streaming
            if self.plan.graph.schemas[each.name] and not self.context.storage.has_table(each.name)
        ]
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(self._create, missing))

    def _create(self, dataset: Dataset) -> None:
        folder = self.context.storage.table(dataset.name)
        schema = self.plan.graph.schemas[dataset.name]
        try:
            tables.create(self.context.spark, folder, schema, dataset)
        except PySparkException as error:  # a property or a clustering key that Delta refuses
            condition, message = cause(error)
            raise FlowError(
                condition, f"'{dataset.name}' cannot be created: {message}", where=dataset.where
            ) from error

    def _remember(self, dataset: Dataset, result: FlowResult | None = None) -> None:
        repeatable = result is not None and result.repeatable
        self.context.storage.remember(
            TableRecord(
                str(dataset.name),
                dataset.kind.value,
                self.context.pipeline,
                dataset.private,
                self.fingerprint if repeatable else "",
                dict(result.inputs) if result and repeatable else {},
            )
        )

    # --- the flows

    def execute(self) -> tuple[Failure, ...]:
        """Runs every selected flow as soon as what it needs has ended; gives what failed."""
        for flow in self.plan.flows:
            self._tell(flow, FlowStatus.QUEUED)
        for flow in self.plan.excluded:
            self._tell(flow, FlowStatus.EXCLUDED)
        by_name = {flow.name: flow for flow in self.plan.flows}
        needs = {
            name: {each for each in needed if each in by_name}
            for name, needed in self.plan.graph.needs().items()
            if name in by_name
        }
        self._run_all(by_name, needs)
        return tuple(self.failures)

    def _run_all(self, flows: Mapping[str, ResolvedFlow], needs: Mapping[str, set[str]]) -> None:
        """Runs what is ready, some at a time, until nothing is left.

        [choice] Flows of one table come one after the other, where Databricks may let them overlap:
        AUTO CDC reads what the flow before wrote, and a commit to a local folder looks whether its
        version is there and then puts it there, so that of two at once one would be lost.
        """
        sorter = TopologicalSorter(needs)
        sorter.prepare()
        bad: set[str] = set()  # failed flows and those skipped because of them
        ready: list[str] = []
        running: dict[Future[bool], ResolvedFlow] = {}
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="flow") as pool:
            while sorter.is_active():
                ready += sorted(sorter.get_ready(), key=list(flows).index)
                for name in tuple(ready):
                    failed = needs[name] & bad
                    busy = {each.flow.target for each in running.values()}
                    if failed:
                        self._skip(flows[name], failed)
                        bad.add(name)
                        sorter.done(name)
                    elif flows[name].flow.target not in busy:
                        running[pool.submit(self._run, flows[name])] = flows[name]
                    else:
                        continue
                    ready.remove(name)
                if not running:
                    continue
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    flow = running.pop(future)
                    if not future.result():
                        bad.add(flow.name)
                    sorter.done(flow.name)

    def _skip(self, flow: ResolvedFlow, failed: set[str]) -> None:
        names = ", ".join(sorted(failed))
        self._tell(flow, FlowStatus.SKIPPED, f"Flow '{flow.name}' is skipped: {names} failed.")

    def _run(self, flow: ResolvedFlow) -> bool:
        """True if the flow ended well; whatever stopped it is told and kept, never raised."""
        if flow.flow.once and once_mark(self.context.storage, flow.flow).exists():
            self._tell(flow, FlowStatus.SKIPPED, f"Flow '{flow.name}' ran once already.")
            return True
        if self._unchanged(flow):
            self._tell_no_op(flow)
            return True
        self._tell(flow, FlowStatus.STARTING)
        schemas = retries = 0
        while True:
            self._tell(flow, FlowStatus.RUNNING)
            try:
                self._complete(flow, self._attempt(flow))
                return True
            except Exception as error:
                failure = understood(error, flow, attempt=1 + retries)
                self._tell(flow, FlowStatus.FAILED, failure.message, error=failure.error)
                if isinstance(failure.error, SchemaChanged) and schemas < MOST_SCHEMAS:
                    schemas += 1
                elif failure.retryable and retries < self._attempts():
                    time.sleep(_FIRST_PAUSE * 2**retries)
                    retries += 1
                else:
                    self.failures.append(failure)
                    return False

    def _attempt(self, flow: ResolvedFlow) -> FlowResult:
        own = flow.flow.spark_conf if isinstance(flow.flow, QueryFlow) else {}
        with own_session(self.context.spark, {**self._profile(flow), **own}):
            return FlowRun(self.context, flow, self._warner(flow)).run()

    def _profile(self, flow: ResolvedFlow) -> Mapping[str, str]:
        """Interpreting one task suits small tables; from some megabytes on, Spark as usual."""
        storage = self.context.storage
        sources = self.plan.graph.sources(flow)
        size = sum(log.size(storage.table(source.name)) for source in sources)
        return LARGE_DATA if size > _SMALL_BYTES or not fast_paths_enabled() else {}

    def _warner(self, flow: ResolvedFlow) -> Callable[[str], None]:
        def warn(message: str) -> None:
            dataset = str(flow.flow.target)
            self.events.warn(message, flow_name=flow.name, dataset_name=dataset)

        return warn

    def _attempts(self) -> int:
        return int(self.context.configuration.get(ATTEMPTS_KEY, "2"))

    def _complete(self, flow: ResolvedFlow, result: FlowResult) -> None:
        dataset = self.plan.graph.datasets[flow.flow.target]
        details: dict[str, Any] = {"metrics": dict(result.metrics)} if result.metrics else {}
        for quality in result.data_quality:
            self._tell(flow, FlowStatus.RUNNING, data_quality=quality)
        if dataset.kind is DatasetKind.MATERIALIZED_VIEW:
            self._remember(dataset, result)
            self._tell_technique(flow, "MAINTENANCE_TYPE_COMPLETE_RECOMPUTE")
        self._tell(flow, FlowStatus.COMPLETED, **details)

    # --- materialized views that need no work

    def _unchanged(self, flow: ResolvedFlow) -> bool:
        """Whether code, configuration and every input are what the view was computed from."""
        storage = self.context.storage
        record = storage.record(flow.flow.target)
        return (
            self.plan.graph.datasets[flow.flow.target].kind is DatasetKind.MATERIALIZED_VIEW
            and record is not None
            and record.fingerprint == self.fingerprint != ""
            and storage.has_table(flow.flow.target)
            and all(delta_version(Path(path)) == seen for path, seen in record.inputs.items())
        )

    def _tell_no_op(self, flow: ResolvedFlow) -> None:
        self._tell_technique(flow, "MAINTENANCE_TYPE_NO_OP")
        self._tell(flow, FlowStatus.COMPLETED, f"Flow '{flow.name}' is up to date.")

    def _tell_technique(self, flow: ResolvedFlow, technique: str) -> None:
        chosen = {"maintenance_type": technique, "is_chosen": True, "is_applicable": True}
        self.events.tell(
            "planning_information",
            f"Flow '{flow.name}': {technique}.",
            {"technique_information": [chosen]},
            flow_name=flow.name,
            dataset_name=str(flow.flow.target),
        )

    def _tell(
        self,
        flow: ResolvedFlow,
        status: FlowStatus,
        message: str = "",
        error: BaseException | None = None,
        **details: Any,
    ) -> None:
        generation = self.context.storage.generation(flow.flow.target, flow.name)
        identity = f"{self.context.pipeline}/{flow.name}/{generation}"
        self.events.flow(
            flow.name,
            status,
            message,
            error,
            flow_id=hashlib.sha256(identity.encode()).hexdigest()[:32],
            dataset_name=str(flow.flow.target),
            **details,
        )
