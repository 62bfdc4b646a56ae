"""The main flow: an update, from the description of a pipeline to its result."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from local_shim.durable_files import delete
from local_shim.engine.effects import effects_of
from local_shim.engine.executor import Executor
from local_shim.engine.flow_errors import Failure
from local_shim.engine.maintenance import compact_tables, maintain, shorten_logs
from local_shim.engine.stop import StopRequest, passes
from local_shim.engine.table_setup import create_tables, reset_tables
from local_shim.errors import FlowError
from local_shim.events.announcement import announce
from local_shim.events.dead_updates import end_dead_journals
from local_shim.events.definitions import describe
from local_shim.events.event import UpdateState
from local_shim.events.hooks import Hooks
from local_shim.events.log import EventLog
from local_shim.events.query_plans import query_plans
from local_shim.events.table import append_journals
from local_shim.events.update_log import open_event_log
from local_shim.graph.names import TableName
from local_shim.graph.plan import Plan, RefreshSelection
from local_shim.jvm.flow_session import own_session
from local_shim.jvm.session import cancel_all_jobs, running_session
from local_shim.pipeline_spec.pipeline_settings import (
    TRIGGER_INTERVAL,
)
from local_shim.pipeline_spec.requirements import check_requirements
from local_shim.update.definition import Definition, repeatable_definition
from local_shim.update.known_analysis import write_known
from local_shim.update.no_op.check import unchanged_dependencies
from local_shim.update.no_op.remember import remember
from local_shim.update.no_op.report import report_no_op
from local_shim.update.prepared import Prepared, prepared
from local_shim.update.request import Request


@dataclass(frozen=True)
class UpdateResult:
    """How an update ended. `exit_code` is 0 if it did what was asked for, else 1."""

    update_id: str
    state: UpdateState
    failures: tuple[Failure, ...]
    exit_code: int


class Update:
    """One update of a pipeline: `run` carries it out, `stop` ends it early from another thread."""

    def __init__(self, request: Request):
        self.request = request
        self.id = request.update_id or str(uuid.uuid4())
        self._stop = StopRequest()

    def run(self) -> UpdateResult:
        """Runs the update to its end, or to a stop (SIGTERM and SIGINT are one, too).

        Raises ShimError, before anything is started or written, if definitions do not resolve.

        [choice] If nothing has changed since the last complete update, this one ends before Spark
        starts. Its events are those that an update with Spark would write, without listings and
        settings of Spark.
        """
        return self._run_without_spark() or self._run()

    def _run_without_spark(self) -> UpdateResult | None:
        """Ends the update at once if no flow has anything to do; None if one may have."""
        request, storage = self.request, self.request.opened_storage()
        partial = request.continuous or request.selection != RefreshSelection()
        if partial or running_session() is not None or not storage.dependencies().exists():
            return None
        check_requirements(request.spec)
        with storage.update_lock():
            known = unchanged_dependencies(request, storage)
            if known is None:
                return None
            end_dead_journals(storage)
            events = open_event_log(storage, request.spec, self.id, request.listeners)
            with closing(events):
                announce(events, request.spec, request.start_parameters())
                report_no_op(events, storage, known)
                return self._end(events, ())

    def _run(self) -> UpdateResult:
        with (
            prepared(self.request) as ready,
            ready.context.storage.update_lock(),
            self._stop.by_signals(),
            self._event_log(ready) as events,
        ):
            parameters = self.request.start_parameters()
            spec, registry = self.request.spec, ready.registry
            warnings = (*spec.warnings, *ready.plan.warnings)
            announce(events, spec, parameters, warnings, registry.deprecations)
            return self._end(events, self._execute(events, ready))

    def stop(self) -> None:
        """Asks the update to end: running Spark jobs are cancelled, no further flow starts."""
        self._stop.request()

    def _execute(self, events: EventLog, ready: Prepared) -> tuple[Failure, ...]:
        context, request = ready.context, self.request
        delete(context.storage.dependencies())
        definition = repeatable_definition(request, ready.registry, ready.started_ns)
        errors = _set_up_tables(events, ready, definition)
        executor = Executor(context, events, ready.plan, ready.fingerprint, self._stop, errors)
        events.update(UpdateState.RUNNING)
        with self._stop.calling(lambda: cancel_all_jobs(context.spark)):
            failures = self._one_pass(executor, events)
            if request.continuous and not failures:
                failures = self._repeat(executor, events)
        if not failures and not self._stop.requested:
            maintain(context, events)
            if not request.continuous and request.selection == RefreshSelection():
                remember(ready, definition, executor.sources, self.id)
        return failures

    def _repeat(self, executor: Executor, events: EventLog) -> tuple[Failure, ...]:
        pause = TRIGGER_INTERVAL.read(executor.context.configuration)
        for _ in passes(self._stop, pause, self.request.seconds):
            if failures := self._one_pass(executor, events):
                return failures
        return ()

    def _one_pass(self, executor: Executor, events: EventLog) -> tuple[Failure, ...]:
        failures = executor.execute()
        if not failures:
            compact_tables(executor.context, events, self._stop)
            shorten_logs(executor.context)
        return failures

    def _end(self, events: EventLog, failures: tuple[Failure, ...]) -> UpdateResult:
        if failures:
            events.update(UpdateState.FAILED, error=failures[0].error)
            return UpdateResult(self.id, UpdateState.FAILED, failures, 1)
        if self.request.continuous or self._stop.requested:
            events.update(UpdateState.STOPPING, "USER_ACTION")
            events.update(UpdateState.CANCELED, "USER_ACTION")
            return UpdateResult(self.id, UpdateState.CANCELED, (), int(not self.request.continuous))
        events.update(UpdateState.COMPLETED)
        return UpdateResult(self.id, UpdateState.COMPLETED, (), 0)

    @contextmanager
    def _event_log(self, ready: Prepared) -> Iterator[EventLog]:
        """The event log of the update, with the hooks; an error of the update is its last event."""
        storage, request = ready.context.storage, self.request
        end_dead_journals(storage)
        append_journals(ready.context.spark, storage, self.id)
        events = open_event_log(storage, request.spec, self.id, request.listeners)
        hooks = Hooks(ready.registry.hooks, events)
        events.listeners.append(hooks)
        try:
            yield events
        except BaseException as error:
            events.update(UpdateState.FAILED, error=error)
            raise
        finally:
            hooks.close()
            events.close()
            append_journals(ready.context.spark, storage, self.id)


def run(request: Request) -> UpdateResult:
    """Runs one update; see `Update.run`."""
    return Update(request).run()


def plan_only(request: Request) -> Plan:
    """The plan of an update that is not run, with its effects; nothing is written."""
    with prepared(request, analyse_all=True) as ready, own_session(ready.context.spark, {}):
        effects = effects_of(ready.context, ready.plan, ready.fingerprint, ready.change_rows)
        return replace(ready.plan, effects=effects)


def _set_up_tables(
    events: EventLog, ready: Prepared, definition: Definition | None
) -> dict[TableName, FlowError]:
    if ready.plan.reset_tables or ready.plan.reset_checkpoints:
        events.update(UpdateState.RESETTING)
    reset_tables(ready.context, ready.plan)
    graph, storage = ready.plan.graph, ready.context.storage
    plans = query_plans(storage, graph, ready.fingerprint)
    describe(graph, storage, plans, events)
    write_known(storage, definition, graph, plans, ready.keys_read)
    events.update(UpdateState.SETTING_UP_TABLES)
    return create_tables(ready.context, ready.plan)
