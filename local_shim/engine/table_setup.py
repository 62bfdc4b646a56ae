"""The stored tables of an update: reset, created, and recorded as this pipeline's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from pyspark.errors import PySparkException

from local_shim.delta import tables
from local_shim.engine.flow_errors import cause
from local_shim.engine.update_context import FlowResult, UpdateContext
from local_shim.errors import FlowError
from local_shim.graph.elements import Dataset, DatasetKind
from local_shim.graph.names import TableName
from local_shim.graph.plan import Plan
from local_shim.storage import TableRecord

_THREADS = 3


def reset_tables(context: UpdateContext, plan: Plan) -> None:
    """Empties the tables of a full refresh, and finishes resets that an earlier update began.

    A materialized view keeps its rows until they are replaced; its reset ends with that.
    """
    storage = context.storage
    unfinished = [
        each
        for each in plan.graph.datasets.values()
        if each.kind is not DatasetKind.MATERIALIZED_VIEW and storage.reset_underway(each.name)
    ]
    for dataset in {each.name: each for each in (*plan.reset_tables, *unfinished)}.values():
        storage.begin_reset(dataset.name)
        for flow in plan.graph.writers(dataset.name):
            storage.forget_flow(dataset.name, flow.name)
        storage.forget_state(dataset.name)
        if storage.has_table(dataset.name):
            schema = plan.graph.fresh_schema(dataset.name)
            tables.empty(context.spark, storage.table(dataset.name), schema, dataset)
        storage.end_reset(dataset.name)
    views = [flow for flow in plan.flows if flow.target in plan.recomputed_views]
    for flow in views:
        storage.begin_reset(flow.target)
    for flow in (*plan.reset_checkpoints, *views):
        storage.forget_flow(flow.target, flow.name)


def create_tables(context: UpdateContext, plan: Plan) -> dict[TableName, FlowError]:
    """Creates the streaming tables that do not exist yet; gives the errors of those that cannot.

    Every table is recorded before it is created: after a crash in between, the next update must
    not take it for a table of somebody else.
    """
    for dataset in plan.tables():
        if context.storage.record(dataset.name) is None:
            record_table(context, dataset)
    missing = [each for each in plan.tables() if _is_to_be_created(context, plan, each)]
    with ThreadPoolExecutor(_THREADS) as pool:
        errors = pool.map(lambda dataset: _creation_error(context, plan, dataset), missing)
        return {
            dataset.name: error
            for dataset, error in zip(missing, errors, strict=True)
            if error is not None
        }


def _is_to_be_created(context: UpdateContext, plan: Plan, dataset: Dataset) -> bool:
    return bool(
        dataset.kind.keeps_rows
        and plan.graph.schemas[dataset.name]
        and not context.storage.has_table(dataset.name)
    )


def _creation_error(context: UpdateContext, plan: Plan, dataset: Dataset) -> FlowError | None:
    """Creates a table; gives the error if Delta refuses a property or a clustering column."""
    folder = context.storage.table(dataset.name)
    try:
        tables.create(context.spark, folder, plan.graph.schemas[dataset.name], dataset)
    except FlowError as error:
        return error
    except PySparkException as error:
        condition, message = cause(error)
        return FlowError(
            condition, f"'{dataset.name}' cannot be created: {message}", where=dataset.where
        )
    return None


def record_table(
    context: UpdateContext, dataset: Dataset, result: FlowResult | None = None, digest: str = ""
) -> None:
    """Records a table as this pipeline's, a materialized view with what it was computed from."""
    repeatable = result is not None and result.repeatable
    context.storage.remember(
        TableRecord(
            str(dataset.name),
            dataset.kind.value,
            context.storage.pipeline,
            dataset.private,
            digest if repeatable else "",
            dict(result.inputs) if result and repeatable else {},
        )
    )
