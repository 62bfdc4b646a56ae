"""Writes the definitions of a pipeline: one event for each dataset and each flow."""

from __future__ import annotations

from collections.abc import Mapping

from local_shim.events.event import EventType
from local_shim.events.log import EventLog
from local_shim.events.query_plans import QueryPlan
from local_shim.graph.elements import AutoCdcFlow, Dataset, DatasetKind, QueryFlow, SourceLocation
from local_shim.graph.graph import Graph, ResolvedFlow
from local_shim.storage import Storage


def describe(
    graph: Graph, storage: Storage, plans: Mapping[str, QueryPlan], events: EventLog
) -> None:
    """`dataset_definition`, `sink_definition` and `flow_definition` for the whole graph.

    Written after a full refresh has reset its tables, because that renews the ids of flows;
    `plans` are those of the flows, by name.
    """
    for dataset in graph.datasets.values():
        _write_dataset(graph, dataset, events)
    for flow in graph.flows:
        flow_id = storage.flow_id(flow.target, flow.name)
        _write_flow(graph, flow, plans[flow.name], flow_id, events)


def _write_dataset(graph: Graph, dataset: Dataset, events: EventLog) -> None:
    name = str(dataset.name)
    if dataset.kind is DatasetKind.SINK:
        details = {"format": dataset.sink_format, "options": dict(dataset.sink_options)}
        events.write(EventType.SINK_DEFINITION, f"Sink '{name}' defined.", details, sink_name=name)
        return
    rules = [
        {
            "name": rule.name,
            "constraint": rule.constraint if isinstance(rule.constraint, str) else None,
            "action": rule.action.value,
        }
        for rule in dataset.expectations
    ]
    events.write(
        EventType.DATASET_DEFINITION,
        f"Dataset '{name}' defined as {dataset.kind.value}.",
        {
            "dataset_type": dataset.kind.value,
            "num_flows": len(graph.writers(dataset.name)),
            "expectations": rules,
            "source": _source(dataset.where),
            "comment": dataset.comment,
            "private": dataset.private,
            "cluster_by": list(dataset.cluster_by),
            "partition_columns": list(dataset.partition_cols),
        },
        dataset_name=name,
    )


def _write_flow(
    graph: Graph, flow: ResolvedFlow, plan: QueryPlan, flow_id: str, events: EventLog
) -> None:
    target = graph.datasets[flow.target]
    kind = "COMPLETE" if graph.is_complete(flow) else flow.kind
    if target.kind is DatasetKind.VIEW:
        kind = "VIEW"
    output = "output_sink" if target.kind is DatasetKind.SINK else "output_dataset"
    query = flow.flow if isinstance(flow.flow, QueryFlow) else None
    events.write(
        EventType.FLOW_DEFINITION,
        f"Flow '{flow.name}' defined as {kind}.",
        {
            "input_datasets": [str(each.name) for each in flow.inputs],
            "external_inputs": [str(each.name) for each in flow.inputs if each.external],
            "input_paths": list(flow.paths),
            "source": _source(flow.where),
            output: str(target.name),
            "schema": [
                {"name": field.name, "type": field.dataType.simpleString()}
                for field in flow.schema.fields
            ],
            "schema_json": flow.schema.json(),
            "column_lineage": plan.column_lineage,
            "explain_text": plan.explain_text,
            "flow_type": kind,
            "comment": query.comment if query else None,
            "spark_conf": dict(flow.flow.spark_conf),
            "language": flow.where.language,
            "once": flow.once,
            "scd_type": flow.flow.scd_type.value if isinstance(flow.flow, AutoCdcFlow) else None,
        },
        flow_id=flow_id,
        flow_name=flow.name,
        dataset_name=str(target.name),
    )


def _source(where: SourceLocation) -> dict[str, str | int]:
    return {"file": where.file, "line": where.line}
