"""Checks that need the storage, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql.types import StructType

from local_shim.cdc.target_table.sharing import sharing_errors
from local_shim.delta.log import stored_schema
from local_shim.errors import DefinitionError, ShimError, raise_all
from local_shim.graph.elements import AutoCdcFlow, Dataset, DatasetKind, SnapshotFlow
from local_shim.graph.graph import Graph, ResolvedFlow
from local_shim.graph.plan import Plan
from local_shim.graph.type_widening import PROPERTY, widens
from local_shim.storage import Storage


def check_targets(plan: Plan, storage: Storage, *, continuous: bool) -> None:
    """Raises DefinitionErrors for every target that these flows must not write to.

    That is a table of another pipeline, a table that would change its kind, and AUTO CDC flows
    that may not share their target.
    """
    errors = [error for each in plan.graph.tables() if (error := _wrong(each, storage))]
    for dataset in plan.graph.tables():
        errors += _sharing(plan.graph, dataset, continuous)
    for flow in plan.flows:
        if flow.target not in {each.name for each in plan.reset_tables}:
            errors += _type_changes(plan.graph, flow, storage)
    raise_all(errors)


def _sharing(graph: Graph, dataset: Dataset, continuous: bool) -> Iterator[ShimError]:
    flows = [writer.flow for writer in graph.writers(dataset.name)]
    change = [flow for flow in flows if isinstance(flow, AutoCdcFlow | SnapshotFlow)]
    return sharing_errors(change, continuous=continuous, expectations=bool(dataset.expectations))


def _type_changes(graph: Graph, flow: ResolvedFlow, storage: Storage) -> Iterator[ShimError]:
    """A table with type widening takes wider types; other changes need a full refresh (178)."""
    dataset = graph.datasets[flow.target]
    if not dataset.kind.keeps_rows or dataset.table_properties.get(PROPERTY) != "true":
        return
    stored = stored_schema(storage.table(dataset.name)) or StructType()
    types = {field.name.lower(): field.dataType for field in stored}
    for field in flow.schema:
        old = types.get(field.name.lower(), field.dataType)
        if old != field.dataType and not widens(old, field.dataType):
            yield DefinitionError(
                "CANNOT_CHANGE_COLUMN_TYPE",
                f"column '{field.name}' of '{dataset.name}' is {old.simpleString()}; flow "
                f"'{flow.name}' gives {field.dataType.simpleString()}, which is not wider.",
                where=flow.where,
                hint=f"cast it, or read the table's sources again: --full-refresh {dataset.name}",
            )


def _wrong(dataset: Dataset, storage: Storage) -> ShimError | None:
    record = storage.record(dataset.name)
    if record is None:
        if not storage.has_table(dataset.name):
            return None
        return DefinitionError(
            "TABLE_NOT_MANAGED",
            f"'{dataset.name}' exists in the storage, but no pipeline made it.",
            where=dataset.where,
            hint="give the dataset another name; tables of others are only read",
        )
    if record.pipeline != storage.pipeline:
        return DefinitionError(
            "TABLE_MANAGED_BY_OTHER_PIPELINE",
            f"'{dataset.name}' belongs to pipeline '{record.pipeline}'.",
            where=dataset.where,
            hint="one pipeline per table; read it instead, or give the dataset another name",
        )
    if record.kind != dataset.kind.value:
        if dataset.kind is DatasetKind.MANAGED_TABLE:
            return DefinitionError(
                "CANNOT_SWITCH_STREAMING_TABLE_TO_MANAGED_TABLE",
                f"'{dataset.name}' is a {record.kind} and cannot become a managed table.",
                where=dataset.where,
                hint="give the managed table another name",
            )
        return DefinitionError(
            "CANNOT_CHANGE_DATASET_TYPE",
            f"'{dataset.name}' is a {record.kind} and cannot become a {dataset.kind.value}.",
            where=dataset.where,
            hint="give it another name, or drop the old table first",
        )
    return None
