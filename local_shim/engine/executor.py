"""Runs the flows of a plan, some at a time, and reports each of them as events."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from local_shim.engine.flow_errors import Failure, as_failure
from local_shim.engine.flow_events import FlowEvents
from local_shim.engine.flow_queue import FlowQueue
from local_shim.engine.flows.flow_run import FlowRun, once_marker
from local_shim.engine.flows.flow_settings import flow_settings
from local_shim.engine.flows.materialized_view import view_digest
from local_shim.engine.flows.run_flow import run_flow
from local_shim.engine.reads.sources import StreamSource
from local_shim.engine.refresh_plan import plan_refresh
from local_shim.engine.stop import StopRequest
from local_shim.engine.table_setup import record_table
from local_shim.engine.update_context import FlowResult, UpdateContext
from local_shim.errors import FlowError, SchemaChanged
from local_shim.events.event import FlowStatus
from local_shim.events.log import EventLog
from local_shim.graph.elements import DatasetKind
from local_shim.graph.graph import ResolvedFlow
from local_shim.graph.names import TableName
from local_shim.graph.plan import Plan
from local_shim.jvm.flow_session import own_session
from local_shim.pipeline_spec.pipeline_settings import MAX_RETRIES

# A flow mostly waits for the driver to plan, so a few more threads than cores keep them busy.
_THREADS = 3
_MOST_SCHEMAS = 20  # a source that changes its schema at every restart is broken
_FIRST_PAUSE = 0.1  # seconds before the first retry, doubled each time


class Executor:
    """One or more passes over the flows of a plan."""

    def __init__(
        self,
        context: UpdateContext,
        events: EventLog,
        plan: Plan,
        fingerprint: str,
        stop: StopRequest,
        creation_errors: Mapping[TableName, FlowError],
    ):
        """`creation_errors` say why a table does not exist; its flows fail with them."""
        self.context = context
        self.events = events
        self.plan = plan
        self.fingerprint = fingerprint
        self.stop = stop
        self.creation_errors = creation_errors
        self.failures: list[Failure] = []
        self.sources: dict[str, StreamSource] = {}  # of streams that read one source, by flow
        self._flow_events = {
            flow.name: FlowEvents(events, context.storage, flow.name, flow.target)
            for flow in (*plan.flows, *plan.excluded)
        }

    def execute(self) -> tuple[Failure, ...]:
        """Runs every selected flow as soon as what it needs has ended; gives the failures."""
        for flow in self.plan.flows:
            self._report(flow, FlowStatus.QUEUED)
        for flow in self.plan.excluded:
            self._report(flow, FlowStatus.EXCLUDED)
        queue = FlowQueue(self.plan.flows, self.plan.graph.needs())
        running: dict[Future[bool], ResolvedFlow] = {}
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="flow") as pool:
            while queue:
                self._start(queue, pool, running)
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    queue.end(running.pop(future), well=future.result())
        return tuple(self.failures)

    def _start(
        self, queue: FlowQueue, pool: ThreadPoolExecutor, running: dict[Future[bool], ResolvedFlow]
    ) -> None:
        for flow in queue.startable(_THREADS - len(running)):
            if failed := queue.failed_needs(flow):
                running[pool.submit(self._skip, flow, failed)] = flow
            else:
                running[pool.submit(self._run, flow)] = flow

    def _skip(self, flow: ResolvedFlow, failed: list[str]) -> bool:
        names = ", ".join(failed)
        self._report(flow, FlowStatus.SKIPPED, f"Flow '{flow.name}' is skipped: {names} failed.")
        return False

    # --- one flow

    def _run(self, flow: ResolvedFlow) -> bool:
        """True if the flow ended well; an error becomes an event and a Failure."""
        if self.stop.requested:
            self._report(flow, FlowStatus.STOPPED)
            return False
        if flow.once and once_marker(self.context.storage, flow.flow).exists():
            self._flow_events[flow.name].ran_before()
            return True
        refresh = plan_refresh(self.context, flow, self._digest(flow))
        if refresh is not None:
            self._flow_events[flow.name].plan(refresh)
        if refresh is not None and not refresh.issue:
            self._flow_events[flow.name].up_to_date()
            return True
        return self._attempt_until_done(flow)

    def _attempt_until_done(self, flow: ResolvedFlow) -> bool:
        schemas = retries = 0
        settings = flow_settings(self.context, flow)
        self._report(flow, FlowStatus.STARTING, **settings.details())
        while True:
            self._report(flow, FlowStatus.RUNNING)
            try:
                self._complete(flow, self._attempt(flow, settings.values))
                return True
            except Exception as error:
                if self.stop.requested:
                    self._report(flow, FlowStatus.STOPPED)
                    return False
                failure = as_failure(error, flow, attempt=1 + retries)
                self._report(flow, FlowStatus.FAILED, failure.message, error=failure.error)
                if isinstance(failure.error, SchemaChanged) and schemas < _MOST_SCHEMAS:
                    schemas += 1
                elif failure.retryable and retries < self._retries(flow):
                    time.sleep(_FIRST_PAUSE * 2**retries)
                    retries += 1
                else:
                    self.failures.append(failure)
                    return False

    def _attempt(self, flow: ResolvedFlow, settings: Mapping[str, str]) -> FlowResult:
        if flow.target in self.creation_errors:
            raise self.creation_errors[flow.target]
        with own_session(self.context.spark, settings):
            run = FlowRun(self.context, flow, self._flow_events[flow.name])
            result = run_flow(run)
        if run.only_source is not None:
            self.sources[flow.name] = run.only_source
        return result

    def _digest(self, flow: ResolvedFlow) -> str:
        return view_digest(self.fingerprint, self.context, flow)

    def _retries(self, flow: ResolvedFlow) -> int:
        return MAX_RETRIES.read(flow.flow.spark_conf, self.context.configuration)

    def _complete(self, flow: ResolvedFlow, result: FlowResult) -> None:
        if result.idle:
            self._flow_events[flow.name].idle()
        for quality in result.data_quality:
            self._report(flow, FlowStatus.RUNNING, data_quality=quality)
        dataset = self.plan.graph.datasets[flow.target]
        if dataset.kind is DatasetKind.MATERIALIZED_VIEW:
            record_table(self.context, dataset, result, self._digest(flow))
            self.context.storage.end_reset(flow.target)
        details: dict[str, Any] = {"metrics": dict(result.metrics)} if result.metrics else {}
        self._report(flow, FlowStatus.COMPLETED, **details)

    def _report(
        self,
        flow: ResolvedFlow,
        status: FlowStatus,
        message: str = "",
        error: BaseException | None = None,
        **details: Any,
    ) -> None:
        self._flow_events[flow.name].status(status, message, error, **details)
