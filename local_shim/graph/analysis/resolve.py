"""Calls each flow's query with empty frames for what it reads, and derives the graph from it.

Nothing is computed and nothing is written: a table that does not exist yet is an empty frame with
the columns that its own flows give. Queries are called on demand, so the order of files and
definitions does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from local_shim.errors import DefinitionError, ShimError, close_match, raise_all
from local_shim.graph.analysis.explain_text import explain_text
from local_shim.graph.analysis.external_sources import ExternalSources
from local_shim.graph.analysis.known_flows import KnownFlow, KnownInput, columns_digest
from local_shim.graph.analysis.lineage import lineage_by_name, lineage_of
from local_shim.graph.analysis.query_errors import query_failure
from local_shim.graph.analysis.recording_reads import RecordingReads
from local_shim.graph.analysis.resolution import OpenFlow, Resolution, UpstreamFailed
from local_shim.graph.elements import (
    AutoCdcFlow,
    Dataset,
    DatasetKind,
    Flow,
    QueryFlow,
    ReplaceUsing,
    ReplaceWhere,
    SnapshotFlow,
)
from local_shim.graph.graph import Graph, Input, ResolvedFlow, Scope
from local_shim.graph.registry import Registry
from local_shim.graph.table_columns import as_stored
from local_shim.jvm.configuration import settings_hash
from local_shim.jvm.spark_plan import PlanDigest, output_mode, plan_digest, reads_code_alone
from local_shim.reading.source_resolver import evaluating, resolving_with


def resolve(
    registry: Registry,
    external: ExternalSources,
    known: Mapping[str, KnownFlow] = MappingProxyType({}),
) -> Graph:
    """The graph of everything declared; raises DefinitionErrors with all that is wrong.

    `known` flows, by name, are not analysed if what they read has the columns that it had.
    """
    return GraphResolver(registry, external, known).graph()


class GraphResolver:
    """Analyses every flow of a registry once, but for those that are known."""

    def __init__(
        self, registry: Registry, external: ExternalSources, known: Mapping[str, KnownFlow]
    ):
        self.registry = registry
        self.external = external
        self.known = known
        self.errors: list[ShimError] = list(registry.errors)
        self.resolution = Resolution(registry, external)
        self.reads = RecordingReads(self.resolution, self.ensure)

    def graph(self) -> Graph:
        """The graph, after every flow was analysed."""
        for flow in self.registry.flows:
            self.ensure(flow)
        self.errors += self._without_flow()
        raise_all(self.errors)
        resolution = self.resolution
        flows = tuple(resolution.resolved[flow.name] for flow in self.registry.flows)
        datasets = {name: resolution.dataset(name) for name in self.registry.datasets}
        schemas = {
            name: resolution.schema_of(name) for name in datasets if resolution.writers(name)
        }
        return Graph(datasets, flows, schemas)

    def _without_flow(self) -> Iterator[ShimError]:
        """An error for each dataset that no flow fills; what reads it fails without one."""
        for dataset in self.registry.datasets.values():
            if dataset.kind is not DatasetKind.SINK and not self.resolution.writers(dataset.name):
                yield DefinitionError(
                    "PIPELINE_DATASET_WITHOUT_FLOW",
                    f"nothing fills '{dataset.name}'.",
                    where=dataset.where,
                    hint="add an @dlt.append_flow or a create_auto_cdc_flow into it",
                )

    def ensure(self, flow: Flow) -> bool:
        """Analyses a flow unless that was done before; false if it failed."""
        resolution = self.resolution
        if flow.name in resolution.resolved or flow.name in resolution.failed:
            return flow.name in resolution.resolved
        resolution.stack.append(OpenFlow(flow))
        try:
            with resolving_with(self.reads):
                resolution.resolved[flow.name] = self._known(flow) or self._analysed(flow)
        except UpstreamFailed:
            resolution.failed.add(flow.name)
        except (Exception, SystemExit) as error:
            resolution.failed.add(flow.name)
            self._add_error(query_failure(flow, error, resolution.near))
        finally:
            resolution.stack.pop()
        return flow.name in resolution.resolved

    def _add_error(self, error: ShimError) -> None:
        """Two flows may fail for one cause, which is reported once."""
        causes = {(each.condition, each.message) for each in self.errors}
        if (error.condition, error.message) not in causes:
            self.errors.append(error)

    def _known(self, flow: Flow) -> ResolvedFlow | None:
        """The result of an earlier analysis, if it still holds."""
        known = self.known.get(flow.name)
        if known is None or not all(map(self._is_as_known, known.inputs)):
            return None
        return known.resolved(flow)

    def _is_as_known(self, source: KnownInput) -> bool:
        if not all([self.ensure(flow) for flow in self.resolution.writers(source.name)]):
            raise UpstreamFailed(source.dataset)
        return columns_digest(self.resolution.schema_of(source.name)) == source.columns

    def _analysed(self, flow: Flow) -> ResolvedFlow:
        self._check_target(flow)
        if isinstance(flow, QueryFlow):
            return self._analysed_query(flow)
        schema, streaming = self._change_rows(flow)
        reads = self.resolution.stack[-1]
        return ResolvedFlow(
            flow,
            self._inputs(),
            as_stored(schema),
            streaming,
            scope=Scope.OUTSIDE if isinstance(flow, SnapshotFlow) else reads.scope,
            paths=reads.unique_paths,
            lineage=partial(lineage_by_name, schema.names, reads.frames),
        )

    def _analysed_query(self, flow: QueryFlow) -> ResolvedFlow:
        dataset, spark = self.registry.datasets[flow.target], SparkSession.active()
        settings = settings_hash(spark)
        frame = _called(flow)
        makes_settings = settings_hash(spark) != settings
        is_view = dataset.kind is DatasetKind.VIEW
        schema = frame.schema if is_view else as_stored(frame.schema)
        streams, reads = frame.isStreaming, self.resolution.stack[-1]
        digest = PlanDigest() if streams else plan_digest(_with_rules(frame, dataset))
        return ResolvedFlow(
            flow,
            self._inputs(),
            schema,
            streams,
            digest=digest.value,
            follows_code=streams or makes_settings or digest.runs_python,
            complete=streams and output_mode(frame) == "complete",
            scope=Scope.SESSION if makes_settings else _scope(frame, reads),
            paths=reads.unique_paths,
            lineage=partial(lineage_of, frame, reads.frames),
            explain_text=partial(explain_text, frame, reads.frames),
        )

    def _inputs(self) -> tuple[Input, ...]:
        return tuple(dict.fromkeys(self.resolution.stack[-1].inputs))

    def _change_rows(self, flow: AutoCdcFlow | SnapshotFlow) -> tuple[StructType, bool]:
        """The columns of the target of an AUTO CDC flow, and whether its source streams."""
        declared = self.registry.datasets[flow.target].schema
        if isinstance(flow, AutoCdcFlow):
            source = self._source(flow.source, streaming=not flow.once)
            return self.external.cdc_schema(flow, source, declared), source.isStreaming
        snapshot = self._source(flow.source, False) if isinstance(flow.source, str) else None
        return self.external.snapshot_schema(flow, snapshot, declared), False

    def _source(self, name: str, streaming: bool) -> DataFrame:
        frame = self.reads.table(name, streaming, {})
        if frame is None:
            raise self.resolution.unknown(name)
        return frame

    def _check_target(self, flow: Flow) -> None:
        if flow.target not in self.registry.datasets:
            raise DefinitionError(
                "FLOW_TARGET_NOT_DEFINED",
                f"'{flow.name}' writes to '{flow.target}', which this pipeline does not define.",
                where=flow.where,
                hint=_target_hint(flow, [each.table for each in self.registry.datasets]),
            )


def _scope(frame: DataFrame, reads: OpenFlow) -> Scope:
    """Sources that no resolver is asked for, such as JDBC, show in the plan."""
    streams = sum(each.isStreaming for _, each in reads.frames)
    if reads.scope is Scope.DATASETS and not reads_code_alone(frame, streams):
        return Scope.OUTSIDE
    return reads.scope


def _target_hint(flow: Flow, tables: Sequence[str]) -> str:
    near = close_match(flow.target.table, tables)
    if near.startswith("did you mean"):
        return near
    table = flow.target.table
    if flow.where.language == "SQL":
        return f"declare it: CREATE OR REFRESH STREAMING TABLE {table}"
    return f"declare it: dlt.create_streaming_table('{table}')"


def _called(flow: QueryFlow) -> DataFrame:
    with evaluating(flow.name):
        frame = flow.function()
    if not isinstance(frame, DataFrame):
        name = getattr(flow.function, "__name__", flow.name)
        raise DefinitionError(
            "QUERY_RETURNS_NO_DATAFRAME",
            f"function '{name}' must return a DataFrame, but returned {type(frame).__name__}.",
            where=flow.where,
            hint="end the function with `return <DataFrame>`",
        )
    _analyse_replacement(flow, frame)
    return frame


def _with_rules(frame: DataFrame, dataset: Dataset) -> DataFrame:
    """The query with the rules of its dataset, which may call functions of the pipeline, too.

    A rule that does not fit the query is reported when the flow runs.
    """
    constraints = [each.constraint for each in dataset.expectations]
    columns = [F.expr(each) if isinstance(each, str) else each for each in constraints]
    try:
        return frame.select("*", *columns) if columns else frame
    except PySparkException:
        return frame


def _analyse_replacement(flow: QueryFlow, frame: DataFrame) -> None:
    """Raises what Spark says about a predicate or a sequence that does not fit the query."""
    if isinstance(flow.replace, ReplaceWhere):
        frame.where(flow.replace.predicate)
    if isinstance(flow.replace, ReplaceUsing):
        frame.select(flow.replace.sequence_by)
