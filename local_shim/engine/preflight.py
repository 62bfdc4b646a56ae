"""Checks that need the storage, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator

from local_shim.cdc.target_table.sharing import sharing_errors
from local_shim.errors import DefinitionError, ShimError, raise_all
from local_shim.graph.elements import AutoCdcFlow, Dataset, SnapshotFlow
from local_shim.graph.graph import Graph
from local_shim.graph.plan import Plan
from local_shim.storage import Storage


def check_targets(plan: Plan, storage: Storage, *, continuous: bool) -> None:
    """Raises DefinitionErrors for every target that these flows must not write to.

    That is a table of another pipeline, a table that would change its kind, and AUTO CDC flows
    that may not share their target.
    """
    errors = [error for each in plan.graph.tables() if (error := _wrong(each, storage))]
    for dataset in plan.graph.tables():
        errors += _sharing(plan.graph, dataset, continuous)
    raise_all(errors)


def _sharing(graph: Graph, dataset: Dataset, continuous: bool) -> Iterator[ShimError]:
    flows = [writer.flow for writer in graph.writers(dataset.name)]
    change = [flow for flow in flows if isinstance(flow, AutoCdcFlow | SnapshotFlow)]
    return sharing_errors(change, continuous=continuous, expectations=bool(dataset.expectations))


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
        return DefinitionError(
            "CANNOT_CHANGE_DATASET_TYPE",
            f"'{dataset.name}' is a {record.kind} and cannot become a {dataset.kind.value}.",
            where=dataset.where,
            hint="give it another name, or drop the old table first",
        )
    return None
