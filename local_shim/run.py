"""The main flow: what one update is, from a description of the pipeline to its end."""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path

from local_shim import loading
from local_shim.engine.executor import Executor
from local_shim.engine.flow_errors import Failure
from local_shim.engine.preflight import admit
from local_shim.engine.reads.execution import NOWHERE, AnalysisSources, FlowReads, PathMap
from local_shim.engine.streaming.continuous import interval, passes
from local_shim.engine.update_context import UpdateContext
from local_shim.errors import ShimError, close_match
from local_shim.events.definitions import describe
from local_shim.events.event import UpdateState
from local_shim.events.hooks import Hooks
from local_shim.events.log import EventLog, Listener
from local_shim.events.table import take_in_journals
from local_shim.graph.graph import Graph
from local_shim.graph.names import Namespace
from local_shim.graph.plan import Plan, Selection, make_plan
from local_shim.graph.registry import Registry
from local_shim.graph.resolve import resolve
from local_shim.graph.validate import validate
from local_shim.jvm.flow_session import own_session, pipeline_session
from local_shim.jvm.session import open_session, settings
from local_shim.pipeline_spec.pipeline import PipelineSpec
from local_shim.reading.interception import opened
from local_shim.reading.source_resolver import resolving_with
from local_shim.storage import Storage


@dataclass(frozen=True)
class Request:
    """What the user asked for, whatever door they came through."""

    spec: PipelineSpec
    storage: Path
    selection: Selection = field(default_factory=Selection)
    paths: Mapping[str, str] = field(default_factory=dict)
    listeners: Sequence[Listener] = ()
    continuous: bool = False
    seconds: float | None = None  # how long a continuous update goes on; None: until stopped


def run(request: Request) -> int:
    """One update. Gives 0 if it completed and 1 if a flow failed.

    Raises ShimError, before anything is started or written, if definitions do not resolve.
    """
    storage = Storage(request.storage, request.spec.key)
    with prepared(request, storage) as (context, registry, plan), storage.update_lock():
        return _update(request, storage, context, registry, plan)


def plan_only(request: Request) -> Plan:
    """The plan of an update that is not carried out; nothing is written."""
    storage = Storage(request.storage, request.spec.key)
    with prepared(request, storage) as (_, _, plan):
        return plan


@contextmanager
def prepared(request: Request, storage: Storage) -> Iterator[tuple[UpdateContext, Registry, Plan]]:
    """Loads, resolves, validates and plans; everything stays open for the caller's work."""
    spec = request.spec
    loading.check_dependencies(spec)
    spark = open_session()
    namespace = Namespace(spec.catalog, spec.schema)
    registry = Registry(namespace, spec.configuration)
    paths = PathMap(request.paths)
    with (
        opened() as keys_read,
        pipeline_session(spark) as session,
        settings(session, spec.configuration),
        loading.front_doors(spec, spark),
    ):
        module_level = FlowReads(
            session, storage, paths, Graph({}, (), {}), namespace, "definitions", NOWHERE
        )
        with resolving_with(module_level):
            loading.load(spec, session, registry)
        with own_session(session, {}):  # views that queries make while they are analysed
            graph = resolve(registry, AnalysisSources(session, storage, paths, spec.configuration))
        validate(graph)
        plan = make_plan(graph, request.selection, namespace)
        warnings = (*registry.warnings, *plan.warnings, *_unread(spec, keys_read))
        plan = replace(plan, warnings=warnings)
        admit(plan, storage, continuous=request.continuous)
        context = UpdateContext(
            session, storage, paths, graph, namespace, spec.configuration, spec.key
        )
        yield context, registry, plan


_OTHERS_READ = ("spark.", "pipelines.", "delta.")


def _unread(spec: PipelineSpec, keys_read: set[str]) -> Iterator[str]:
    """A misspelt configuration key changes nothing, so that nobody would notice it."""
    for key in spec.configuration:
        if key not in keys_read and not key.startswith(_OTHERS_READ):
            near = close_match(key, keys_read)
            yield f"no file reads the configuration key '{key}'" + (f"; {near}" if near else ".")


def _update(
    request: Request, storage: Storage, context: UpdateContext, registry: Registry, plan: Plan
) -> int:
    update = str(uuid.uuid4())
    spec = request.spec
    origin = {
        "pipeline_id": spec.key,
        "pipeline_name": spec.name,
        "pipeline_type": "WORKSPACE",
        "update_id": update,
    }
    events = EventLog(storage.journal(update), origin, request.listeners)
    hooks = Hooks(registry.hooks, events)
    events.listeners.append(hooks)
    fingerprint = loading.fingerprint(spec, spec.configuration)
    executor = Executor(context, events, plan, fingerprint)
    try:
        _announce(events, request, registry, plan)
        if plan.reset_tables or plan.reset_checkpoints:
            events.update(UpdateState.RESETTING)
        executor.reset()
        events.update(UpdateState.SETTING_UP_TABLES)
        executor.set_up_tables()
        events.update(UpdateState.RUNNING)
        failures = executor.execute()
        if request.continuous and not failures:
            failures = _go_on(request, executor, context)
            events.update(UpdateState.STOPPING, "USER_ACTION")
        cause = failures[0].error if failures else None
        ended = UpdateState.CANCELED if request.continuous else UpdateState.COMPLETED
        events.update(UpdateState.FAILED if failures else ended, error=cause)
        return 1 if failures else 0
    except KeyboardInterrupt:
        events.update(UpdateState.STOPPING, "USER_ACTION")
        events.update(UpdateState.CANCELED, "USER_ACTION")
        raise
    except ShimError as error:
        events.update(UpdateState.FAILED, error=error)
        raise
    finally:
        hooks.close()
        events.close()
        take_in_journals(context.spark, storage)


def _go_on(request: Request, executor: Executor, context: UpdateContext) -> tuple[Failure, ...]:
    for _ in passes(request.seconds, interval(context.configuration)):
        failures = executor.execute()
        if failures:
            return failures
    return ()


def _announce(events: EventLog, request: Request, registry: Registry, plan: Plan) -> None:
    spec = request.spec
    events.tell(
        "create_update",
        f"Update of '{spec.name}' started.",
        {
            "cause": "USER_ACTION",
            "run_as": getpass.getuser(),
            "config": dict(spec.configuration),
            "effective_publishing_mode": "DEFAULT_PUBLISHING_MODE",
        },
    )
    events.tell("user_action", "START", {"action": "START", "user_name": getpass.getuser()})
    versions = {name: metadata.version(name) for name in ("pyspark", "delta-spark")}
    events.tell("runtime_details", "Spark and Delta versions.", {"runtime_version": versions})
    for state in (UpdateState.QUEUED, UpdateState.CREATED, UpdateState.INITIALIZING):
        events.update(state)
    for warning in (*spec.warnings, *plan.warnings):
        events.warn(warning)
    for what, where in registry.deprecations:
        events.tell("deprecation", f"{what} at {where} is deprecated.", {"message": what})
    describe(plan.graph, events)
