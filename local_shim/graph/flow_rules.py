"""Rules on flows that replace rows or whole tables, and on the order of flows."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from local_shim.errors import DefinitionError, ShimError, close_match
from local_shim.graph.elements import Dataset, DatasetKind, QueryFlow, ReplaceUsing, ReplaceWhere
from local_shim.graph.graph import Graph, ResolvedFlow


def replace_errors(dataset: Dataset, writers: tuple[ResolvedFlow, ...]) -> Iterator[ShimError]:
    """A flow that replaces rows is the only one of its streaming table."""
    replacing = [flow for flow in writers if isinstance(flow.flow, QueryFlow) and flow.flow.replace]
    if not replacing:
        return
    flow = replacing[0]
    if len(writers) > 1:
        other = next(each for each in writers if each is not flow)
        yield DefinitionError(
            "REPLACE_FLOW_NOT_ALONE",
            f"'{dataset.name}' is written by the replace flow '{flow.name}' and by '{other.name}'.",
            where=other.where,
            hint="a replace flow is the only flow into its table",
        )
    if dataset.kind is not DatasetKind.STREAMING_TABLE:
        yield DefinitionError(
            "REPLACE_FLOW_TARGET_NOT_A_STREAMING_TABLE",
            f"'{dataset.name}' must be a streaming table: '{flow.name}' replaces its rows.",
            where=flow.where,
            hint="declare it with create_streaming_table",
        )
    if dataset.expectations and _replaces_range(flow):
        yield DefinitionError(
            "EXPECTATION_ON_REPLACE_WHERE_TARGET",
            f"'{dataset.name}' is written by a REPLACE WHERE flow, which takes no expectations.",
            where=dataset.where,
            hint="put the rules on a view that the query reads",
        )


def complete_errors(graph: Graph, dataset: Dataset) -> Iterator[ShimError]:
    """A flow in complete mode replaces all rows, so its table has no other flow.

    [choice] Databricks documents neither several flows nor a sink for it. Appended rows would
    vanish with the next update, and two such flows would replace each other.
    """
    writers = graph.writers(dataset.name)
    complete = [flow for flow in writers if graph.is_complete(flow)]
    if not complete or dataset.kind is DatasetKind.VIEW:
        return
    flow = complete[0]
    if len(writers) > 1:
        other = next(each for each in writers if each is not flow)
        yield DefinitionError(
            "COMPLETE_FLOW_NOT_ALONE",
            f"'{flow.name}' aggregates a stream without a watermark and so replaces all rows of "
            f"'{dataset.name}', which '{other.name}' writes to as well.",
            where=flow.where,
            hint="give it a table of its own, or group by a window over a column withWatermark",
        )
    if not dataset.kind.keeps_rows or not _appends(flow):
        yield DefinitionError(
            "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION",
            f"flow '{flow.name}' into '{dataset.name}' needs append mode, but its rows come from "
            "a streaming aggregation without a watermark.",
            where=flow.where,
            hint="aggregate into a streaming table first, or group by a window over a column "
            "withWatermark",
        )


def _appends(flow: ResolvedFlow) -> bool:
    return isinstance(flow.flow, QueryFlow) and flow.flow.replace is None


def replace_query_errors(flow: ResolvedFlow) -> Iterator[ShimError]:
    """REPLACE WHERE takes a batch query, REPLACE USING a streaming one."""
    if _replaces_range(flow) and flow.streaming:
        hint = "REPLACE WHERE takes a batch query; use spark.read"
        yield wrong_query(flow, "STREAMING_RELATION_FOR_REPLACE_WHERE_FLOW", hint)
    elif not _replaces_range(flow) and not flow.streaming:
        hint = "REPLACE USING takes a streaming query; use spark.readStream"
        yield wrong_query(flow, "BATCH_RELATION_FOR_REPLACE_USING_FLOW", hint)
    if isinstance(flow.flow, QueryFlow) and isinstance(flow.flow.replace, ReplaceUsing):
        yield from _key_errors(flow, flow.flow.replace)


def _key_errors(flow: ResolvedFlow, using: ReplaceUsing) -> Iterator[ShimError]:
    columns = {name.lower() for name in flow.schema.names}
    for key in using.keys:
        if key.lower() not in columns:
            yield DefinitionError(
                "REPLACE_USING_KEY_NOT_FOUND",
                f"flow '{flow.name}' replaces by '{key}', which its query does not return.",
                where=flow.where,
                hint=close_match(key, flow.schema.names),
            )


def flow_order_errors(graph: Graph) -> Iterator[ShimError]:
    """`depends_on` names flows of the pipeline, and the flows can be put in an order."""
    flows = {flow.name: flow for flow in graph.running()}
    unknown = [
        (flow, need)
        for flow in flows.values()
        if isinstance(flow.flow, QueryFlow)
        for need in flow.flow.depends_on
        if need not in flows
    ]
    for flow, need in unknown:
        yield DefinitionError(
            "DEPENDS_ON_UNKNOWN_FLOW",
            f"flow '{flow.name}' depends on '{need}', which is no flow of this pipeline.",
            where=flow.where,
            hint=close_match(need, flows),
        )
    if not unknown:
        yield from _cycle(graph, flows)


def _cycle(graph: Graph, flows: dict[str, ResolvedFlow]) -> Iterator[ShimError]:
    try:
        TopologicalSorter(graph.needs()).prepare()
    except CycleError as error:
        names = error.args[1]
        yield DefinitionError(
            "CIRCULAR_FLOW_DEPENDENCY",
            f"flows wait for each other: {' → '.join(names)}.",
            where=flows[names[0]].where,
            hint="remove one of the depends_on",
        )


def wrong_query(flow: ResolvedFlow, which: str, hint: str) -> DefinitionError:
    """The error for a streaming query where a batch query is needed, or the other way round."""
    return DefinitionError(
        f"INVALID_FLOW_QUERY_TYPE.{which}",
        f"flow '{flow.name}' returns a {'streaming' if flow.streaming else 'batch'} DataFrame "
        f"for '{flow.target}'.",
        where=flow.where,
        hint=hint,
    )


def _replaces_range(flow: ResolvedFlow) -> bool:
    return isinstance(flow.flow, QueryFlow) and isinstance(flow.flow.replace, ReplaceWhere)
