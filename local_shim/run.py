"""The main flow: an update, from the description of a pipeline to its result."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from os.path import abspath
from pathlib import Path

from pyspark.sql import DataFrame

from local_shim.engine.effects import effects_of
from local_shim.engine.executor import Executor
from local_shim.engine.flow_errors import Failure
from local_shim.engine.maintenance import maintain
from local_shim.engine.preflight import check_targets
from local_shim.engine.reads.analysis import AnalysisSources
from local_shim.engine.reads.flow_reads import FlowReads
from local_shim.engine.reads.input_size import reads_much
from local_shim.engine.stop import StopRequest, passes
from local_shim.engine.table_setup import create_tables, reset_tables
from local_shim.engine.update_context import UpdateContext
from local_shim.errors import FlowError, close_match
from local_shim.events.announcement import announce
from local_shim.events.dead_updates import end_dead_journals
from local_shim.events.definitions import describe
from local_shim.events.event import UpdateState
from local_shim.events.hooks import Hooks
from local_shim.events.log import EventLog, Listener
from local_shim.events.table import append_journals
from local_shim.events.update_log import open_event_log
from local_shim.graph.analysis.resolve import resolve
from local_shim.graph.graph import Graph
from local_shim.graph.names import Namespace, TableName
from local_shim.graph.plan import Plan, RefreshSelection, make_plan
from local_shim.graph.registry import Registry
from local_shim.graph.validate import validate
from local_shim.jvm.configuration import (
    changed_settings,
    configuration_of,
    settings,
    settings_restored,
)
from local_shim.jvm.flow_session import own_session, pipeline_session
from local_shim.jvm.session import cancel_all_jobs, open_session, running_session
from local_shim.loading.fingerprint import fingerprint
from local_shim.loading.importing import importable
from local_shim.loading.load import load
from local_shim.pipeline_spec.pipeline import PipelineSpec
from local_shim.pipeline_spec.pipeline_settings import PREFIX, TRIGGER_INTERVAL, unknown_settings
from local_shim.pipeline_spec.requirements import check_requirements
from local_shim.reading.interception import spark_reads_intercepted
from local_shim.reading.path_map import PathMap
from local_shim.reading.python_files import python_files_mapped
from local_shim.reading.source_resolver import resolving_with
from local_shim.storage import Storage


@dataclass(frozen=True)
class Request:
    """What the user asked for, on the command line or in Python."""

    spec: PipelineSpec
    storage: Path
    selection: RefreshSelection = field(default_factory=RefreshSelection)
    paths: Mapping[str, str] = field(default_factory=dict)
    listeners: Sequence[Listener] = ()
    continuous: bool = False
    seconds: float | None = None  # how long a continuous update goes on; None: until stopped
    cause: str = "USER_ACTION"  # as Databricks' `UpdateInfoCause` spells it
    update_id: str = ""  # a new one, if it is empty


@dataclass(frozen=True)
class UpdateResult:
    """How an update ended. `exit_code` is 0 if it did what was asked for, else 1."""

    update_id: str
    state: UpdateState
    failures: tuple[Failure, ...]
    exit_code: int


@dataclass(frozen=True)
class Prepared:
    """A pipeline whose definitions are loaded, resolved, validated and planned."""

    request: Request
    context: UpdateContext
    registry: Registry
    plan: Plan
    change_rows: Mapping[str, DataFrame]  # what AUTO CDC flows read, by flow

    @property
    def fingerprint(self) -> str:
        """The digest of the code and the configuration."""
        registry = self.registry
        return fingerprint(self.request.spec, registry.configuration, registry.notebooks)


class Update:
    """One update of a pipeline: `run` carries it out, `stop` ends it early from another thread."""

    def __init__(self, request: Request):
        self.request = request
        self.id = request.update_id or str(uuid.uuid4())
        self._stop = StopRequest()

    def run(self) -> UpdateResult:
        """Runs the update to its end, or to a stop (SIGTERM and SIGINT are one, too).

        Raises ShimError, before anything is started or written, if definitions do not resolve.
        """
        with (
            prepared(self.request) as ready,
            ready.context.storage.update_lock(),
            self._stop.by_signals(),
            self._event_log(ready) as events,
        ):
            parameters = start_parameters(self.request)
            announce(events, self.request.spec, ready.registry, ready.plan, parameters)
            return self._end(events, self._execute(events, ready))

    def stop(self) -> None:
        """Asks the update to end: running Spark jobs are cancelled, no further flow starts."""
        self._stop.request()

    def _execute(self, events: EventLog, ready: Prepared) -> tuple[Failure, ...]:
        context = ready.context
        errors = _set_up_tables(events, ready)
        executor = Executor(context, events, ready.plan, ready.fingerprint, self._stop, errors)
        events.update(UpdateState.RUNNING)
        with self._stop.calling(lambda: cancel_all_jobs(context.spark)):
            failures = executor.execute()
            if self.request.continuous and not failures:
                failures = self._repeat(executor, context.configuration)
        if not failures and not self._stop.requested:
            maintain(context, events)
        return failures

    def _repeat(self, executor: Executor, configuration: Mapping[str, str]) -> tuple[Failure, ...]:
        pause = TRIGGER_INTERVAL.read(configuration)
        for _ in passes(self._stop, pause, self.request.seconds):
            if failures := executor.execute():
                return failures
        return ()

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
    with prepared(request) as ready, own_session(ready.context.spark, {}):
        effects = effects_of(ready.context, ready.plan, ready.fingerprint, ready.change_rows)
        return replace(ready.plan, effects=effects)


@contextmanager
def prepared(request: Request) -> Iterator[Prepared]:
    """Loads, resolves, validates and plans; sessions and interception stay open for the block."""
    spec = request.spec
    check_requirements(spec)
    storage = Storage(request.storage, spec.key)
    is_new = running_session() is None  # a running JVM stays as it is
    large = is_new and reads_much(storage, request.paths, spec.configuration)
    spark = open_session(large_data=large)
    with (
        spark_reads_intercepted(spec.key) as keys_read,
        python_files_mapped() if request.paths else nullcontext(),
        pipeline_session(spark) as session,
        settings(session, spec.configuration),
        settings_restored(session),
        importable(spec, spark),
    ):
        context = UpdateContext(
            session,
            storage,
            Namespace(spec.catalog, spec.schema),
            PathMap({k: abspath(v.removeprefix("file:")) for k, v in request.paths.items()}),
            spec.configuration,
        )
        registry = _load(spec, context)
        context = replace(context, configuration=registry.configuration)
        sources = AnalysisSources(context, {flow.name: flow.target for flow in registry.flows})
        graph = _resolve(registry, context, sources)
        plan = make_plan(graph, request.selection, context.namespace)
        context = replace(context, graph=plan.graph)
        plan = replace(plan, warnings=tuple(_warnings(request, registry, plan, keys_read)))
        check_targets(plan, context.storage, continuous=request.continuous)
        yield Prepared(request, context, registry, plan, sources.change_rows)


def _load(spec: PipelineSpec, context: UpdateContext) -> Registry:
    """Runs the source files; the settings that they make join the configuration."""
    before = configuration_of(context.spark)
    registry = Registry(context.namespace, spec.configuration, spec.parameters)
    with resolving_with(FlowReads(context)):
        load(spec, context.spark, registry)
    registry.configuration = {**spec.configuration, **changed_settings(context.spark, before)}
    return registry


def _resolve(registry: Registry, context: UpdateContext, sources: AnalysisSources) -> Graph:
    with own_session(context.spark, {}):  # for views that queries make while they are analysed
        graph = resolve(registry, sources)
    validate(graph)
    return graph


def _warnings(
    request: Request, registry: Registry, plan: Plan, keys_read: set[str]
) -> Iterator[str]:
    yield from registry.warnings
    yield from plan.warnings
    yield from unknown_settings(registry.configuration)
    yield from _unread(request.spec, keys_read | registry.keys_read)
    if request.spec.continuous and not request.continuous:
        yield (
            f"'{request.spec.name}' is continuous on Databricks; this update ends when all data is"
            " read. Run it with --continuous to go on."
        )


_READ_ELSEWHERE = ("spark.", PREFIX, "delta.")


def _unread(spec: PipelineSpec, keys_read: set[str]) -> Iterator[str]:
    """A misspelt configuration key has no effect, so nobody would notice it without a warning."""
    own_keys = {key for key in keys_read if not key.startswith(_READ_ELSEWHERE)}
    for key in spec.configuration:
        if key not in own_keys and not key.startswith(_READ_ELSEWHERE):
            hint = close_match(key, own_keys)
            ending = f"; {hint}" if hint.startswith("did you mean") else "."
            yield f"no file reads the configuration key '{key}'{ending}"


def _set_up_tables(events: EventLog, ready: Prepared) -> dict[TableName, FlowError]:
    if ready.plan.reset_tables or ready.plan.reset_checkpoints:
        events.update(UpdateState.RESETTING)
    reset_tables(ready.context, ready.plan)
    describe(ready.plan.graph, ready.context.storage, ready.fingerprint, events)
    events.update(UpdateState.SETTING_UP_TABLES)
    return create_tables(ready.context, ready.plan)


def start_parameters(request: Request) -> dict[str, object]:
    """The request with the field names of Databricks' `StartUpdate`."""
    return {
        **request.selection.start_parameters(),
        "parameters": dict(request.spec.parameters),
        "continuous": request.continuous,
        "cause": request.cause,
    }
