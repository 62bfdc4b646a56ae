"""Rules on a whole graph, checked before anything is started."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql.types import StructType

from local_shim.errors import DefinitionError, ShimError, raise_all
from local_shim.graph.elements import AutoCdcFlow, Dataset, DatasetKind, QueryFlow, SnapshotFlow
from local_shim.graph.flow_rules import (
    complete_errors,
    flow_order_errors,
    replace_errors,
    replace_query_errors,
    wrong_query,
)
from local_shim.graph.graph import Graph, ResolvedFlow
from local_shim.graph.table_columns import identity_columns


def validate(graph: Graph) -> None:
    """Raises every broken rule at once; a graph that passes can be planned."""
    errors = [*_empty_graph_errors(graph)]
    for dataset in graph.datasets.values():
        errors += _dataset_errors(graph, dataset)
    for flow in graph.flows:
        errors += _flow_errors(graph, flow)
    raise_all([*errors, *flow_order_errors(graph)])


def _empty_graph_errors(graph: Graph) -> Iterator[ShimError]:
    if not graph.running():
        yield DefinitionError(
            "RUN_EMPTY_PIPELINE",
            "the pipeline defines no table and no flow; temporary views alone give no result.",
            hint="declare a dataset with @dlt.table, or CREATE OR REFRESH MATERIALIZED VIEW in SQL",
        )


def _dataset_errors(graph: Graph, dataset: Dataset) -> Iterator[ShimError]:
    writers = graph.writers(dataset.name)
    if dataset.kind is DatasetKind.MATERIALIZED_VIEW and len(writers) > 1:
        yield DefinitionError(
            "MATERIALIZED_VIEW_WITH_MULTIPLE_QUERIES",
            f"'{dataset.name}' is a materialized view but "
            f"{len(writers)} flows write to it: {', '.join(flow.name for flow in writers)}.",
            where=writers[1].flow.where,
            hint="only streaming tables take several flows",
        )
    yield from _cdc_target_errors(dataset, writers)
    yield from replace_errors(dataset, writers)
    yield from complete_errors(graph, dataset)
    for flow in writers:
        if dataset.schema is not None and isinstance(flow.flow, QueryFlow):
            yield from _declared_column_errors(dataset, dataset.schema, flow)


def _declared_column_errors(
    dataset: Dataset, declared: StructType, flow: ResolvedFlow
) -> Iterator[ShimError]:
    """A query may leave declared columns out; it may not add any, nor give others types."""
    types = {field.name.lower(): field.dataType.simpleString() for field in declared}
    wrong = [
        f"{field.name} {field.dataType.simpleString()}"
        + (f" instead of {types[field.name.lower()]}" if field.name.lower() in types else "")
        for field in flow.schema
        if field.dataType.simpleString() != types.get(field.name.lower())
    ]
    if wrong:
        yield DefinitionError(
            "USER_SPECIFIED_AND_INFERRED_SCHEMA_NOT_COMPATIBLE",
            f"flow '{flow.name}' gives '{dataset.name}' what its schema does not declare: "
            f"{', '.join(wrong)}.",
            where=flow.where,
            hint="select the declared columns, and cast them to the declared types",
        )


def _cdc_target_errors(dataset: Dataset, writers: tuple[ResolvedFlow, ...]) -> Iterator[ShimError]:
    change = [flow for flow in writers if isinstance(flow.flow, AutoCdcFlow | SnapshotFlow)]
    append = [flow for flow in writers if isinstance(flow.flow, QueryFlow)]
    if change and append:
        yield DefinitionError(
            "APPEND_FLOW_INTO_AUTO_CDC_TARGET",
            f"'{dataset.name}' is written by the AUTO CDC flow '{change[0].name}'; "
            f"'{append[0].name}' cannot append to it.",
            where=append[0].flow.where,
            hint="give the appended rows a table of their own",
        )
    identities = identity_columns(dataset.schema)
    if identities and (change or dataset.kind is DatasetKind.MATERIALIZED_VIEW):
        kind = "a target of AUTO CDC" if change else "a materialized view"
        yield DefinitionError(
            "IDENTITY_COLUMN_NOT_ALLOWED",
            f"'{dataset.name}' is {kind}, which takes no identity column: '{identities[0]}'.",
            where=dataset.where,
            hint="only streaming tables whose flows append have them; take a hash of the keys",
        )
    if dataset.expectations and any(isinstance(flow.flow, SnapshotFlow) for flow in change):
        yield DefinitionError(
            "EXPECTATION_ON_SNAPSHOT_TARGET",
            f"'{dataset.name}' is written by a snapshot flow, which takes no expectations.",
            where=dataset.where,
            hint="put the rules on the source view",
        )


def _flow_errors(graph: Graph, flow: ResolvedFlow) -> Iterator[ShimError]:
    target = graph.datasets[flow.target]
    if not isinstance(flow.flow, QueryFlow):
        yield from _change_flow_errors(graph, flow, target)
    elif target.kind is not DatasetKind.VIEW:
        yield from _query_flow_errors(flow, flow.flow, target)


def _change_flow_errors(graph: Graph, flow: ResolvedFlow, target: Dataset) -> Iterator[ShimError]:
    if target.kind is DatasetKind.MANAGED_TABLE:
        yield DefinitionError(
            "MANAGED_TABLE_DOES_NOT_SUPPORT_CDC",
            f"'{target.name}' is a managed table; AUTO CDC cannot write to it.",
            where=flow.where,
            hint="declare it with create_streaming_table",
        )
    elif target.kind is not DatasetKind.STREAMING_TABLE or _has_own_query(graph, target):
        yield DefinitionError(
            "AUTO_CDC_TARGET_NOT_A_STREAMING_TABLE",
            f"'{target.name}' must be declared with create_streaming_table.",
            where=flow.where,
        )


def _query_flow_errors(
    flow: ResolvedFlow, query: QueryFlow, target: Dataset
) -> Iterator[ShimError]:
    in_sql = flow.where.language == "SQL"
    if query.replace is not None:
        yield from replace_query_errors(flow)
    elif flow.once and flow.streaming:
        yield wrong_query(flow, "STREAMING_RELATION_FOR_ONCE_FLOW", "a once flow is a batch query")
    elif target.kind is DatasetKind.MATERIALIZED_VIEW and flow.streaming:
        yield wrong_query(
            flow,
            "STREAMING_RELATION_FOR_MATERIALIZED_VIEW",
            "a materialized view is a batch query; "
            + ("leave STREAM out" if in_sql else "use spark.read"),
        )
    elif _must_stream(target) and not flow.streaming and not flow.once:
        yield wrong_query(
            flow,
            "BATCH_RELATION_FOR_STREAMING_TABLE",
            "a flow into a streaming table streams; "
            + ("write FROM STREAM(t)" if in_sql else "use spark.readStream, or once=True"),
        )


def _must_stream(target: Dataset) -> bool:
    return target.kind.keeps_rows or target.kind is DatasetKind.SINK


def _has_own_query(graph: Graph, dataset: Dataset) -> bool:
    """Whether the dataset was declared with a query of its own."""
    return any(
        isinstance(flow.flow, QueryFlow) and flow.flow.default
        for flow in graph.writers(dataset.name)
    )
