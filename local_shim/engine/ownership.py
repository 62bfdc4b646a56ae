"""Refuses to write to what another pipeline keeps, or to what changed its nature."""

from __future__ import annotations

from local_shim.errors import DefinitionError, DefinitionErrors, ShimError
from local_shim.graph.elements import Dataset
from local_shim.graph.plan import Plan
from local_shim.storage import Storage


def check_ownership(plan: Plan, storage: Storage) -> None:
    """Raises DefinitionErrors for every table of the plan that this pipeline may not write to."""
    errors = [error for each in plan.graph.tables() if (error := _wrong(each, storage))]
    if errors:
        raise errors[0] if len(errors) == 1 else DefinitionErrors(errors)


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
