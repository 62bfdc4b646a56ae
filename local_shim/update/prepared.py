"""A pipeline that is ready for an update: loaded, resolved, validated and planned."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame, SparkSession

from local_shim.engine.preflight import check_targets
from local_shim.engine.reads.analysis import AnalysisSources
from local_shim.engine.reads.flow_reads import FlowReads
from local_shim.engine.reads.input_size import reads_much
from local_shim.engine.update_context import UpdateContext
from local_shim.graph.analysis.resolve import resolve
from local_shim.graph.graph import Graph
from local_shim.graph.names import Namespace
from local_shim.graph.plan import Plan, make_plan
from local_shim.graph.registry import Registry
from local_shim.graph.validate import validate
from local_shim.jvm.configuration import (
    changed_settings,
    configuration_of,
    settings,
    settings_restored,
)
from local_shim.jvm.flow_session import own_session, pipeline_session
from local_shim.jvm.session import open_session, running_session
from local_shim.loading.fingerprint import fingerprint
from local_shim.loading.importing import importable
from local_shim.loading.load import load
from local_shim.pipeline_spec.pipeline import PipelineSpec
from local_shim.pipeline_spec.pipeline_settings import (
    unknown_settings,
    unread_keys,
)
from local_shim.pipeline_spec.requirements import check_requirements
from local_shim.reading.interception import spark_reads_intercepted
from local_shim.reading.python_files import python_files_mapped
from local_shim.reading.source_resolver import resolving_with
from local_shim.update.known_analysis import KnownAnalysis, read_known
from local_shim.update.request import Request


@dataclass(frozen=True)
class Prepared:
    """A pipeline whose definitions are loaded, resolved, validated and planned."""

    request: Request
    context: UpdateContext
    registry: Registry
    plan: Plan
    change_rows: Mapping[str, DataFrame]  # what AUTO CDC flows that were analysed read, by flow
    keys_read: frozenset[str]  # keys of the configuration
    started_ns: int  # before the code was read

    @property
    def fingerprint(self) -> str:
        """The digest of the code and the configuration."""
        registry = self.registry
        return fingerprint(self.request.spec, registry.configuration, registry.notebooks)


def open_spark(request: Request) -> SparkSession:
    """The running Spark, or a new one whose settings suit the size of what the pipeline reads."""
    running = running_session()
    if running is not None:
        return running
    storage, configuration = request.opened_storage(), request.spec.configuration
    return open_session(large_data=reads_much(storage, request.paths, configuration))


@contextmanager
def prepared(request: Request, *, analyse_all: bool = False) -> Iterator[Prepared]:
    """Loads, resolves, validates and plans; sessions and interception stay open for the block.

    Flows whose analysis is known are not analysed again, unless `analyse_all` is set.
    """
    started_ns = time.time_ns()
    spec = request.spec
    check_requirements(spec)
    storage = request.opened_storage()
    spark = open_spark(request)
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
            request.path_map(),
            spec.configuration,
        )
        registry = _load(spec, context)
        context = replace(context, configuration=registry.configuration)
        sources = AnalysisSources(context, {flow.name: flow.target for flow in registry.flows})
        known = KnownAnalysis() if analyse_all else read_known(request, started_ns)
        graph = _resolve(registry, context, sources, known)
        keys_read |= known.keys_read | registry.keys_read
        plan = make_plan(graph, request.selection, context.namespace)
        context = replace(context, graph=plan.graph)
        plan = replace(plan, warnings=tuple(_warnings(request, registry, plan, keys_read)))
        check_targets(plan, context.storage, continuous=request.continuous)
        keys, changes = frozenset(keys_read), sources.change_rows
        yield Prepared(request, context, registry, plan, changes, keys, started_ns)


def _load(spec: PipelineSpec, context: UpdateContext) -> Registry:
    """Runs the source files; the settings that they make join the configuration."""
    before = configuration_of(context.spark)
    registry = Registry(context.namespace, spec.configuration, spec.parameters)
    reads = FlowReads(context)
    with resolving_with(reads):
        load(spec, context.spark, registry)
    registry.reads_tables = bool(reads.versions or reads.streams or reads.foreign)
    registry.configuration = {**spec.configuration, **changed_settings(context.spark, before)}
    return registry


def _resolve(
    registry: Registry, context: UpdateContext, sources: AnalysisSources, known: KnownAnalysis
) -> Graph:
    with own_session(context.spark, {}):  # for views that queries make while they are analysed
        graph = resolve(registry, sources, known.flows)
    validate(graph)
    return graph


def _warnings(
    request: Request, registry: Registry, plan: Plan, keys_read: set[str]
) -> Iterator[str]:
    yield from registry.warnings
    yield from plan.warnings
    yield from unknown_settings(registry.configuration)
    yield from unread_keys(request.spec.configuration, keys_read)
    if request.spec.continuous and not request.continuous:
        yield (
            f"'{request.spec.name}' is continuous on Databricks; this update ends when all data is"
            " read. Run it with --continuous to go on."
        )
