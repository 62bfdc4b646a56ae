"""The fields of each resource type, as the installed databricks-sdk declares them."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from local_shim.errors import SetupError

# Fields that a reference may name although only a deployment gives them a value.
OUTPUTS = ("id", "url", "volume_path", "inference_table", "etag", "modified_status")

# Resource type: module of the SDK, class, and the method that creates one.
_CREATED_BY = {
    "pipelines": ("pipelines", "PipelinesAPI", "create"),
    "schemas": ("catalog", "SchemasAPI", "create"),
    "volumes": ("catalog", "VolumesAPI", "create"),
    "catalogs": ("catalog", "CatalogsAPI", "create"),
    "external_locations": ("catalog", "ExternalLocationsAPI", "create"),
    "quality_monitors": ("catalog", "QualityMonitorsAPI", "create"),
    "registered_models": ("catalog", "RegisteredModelsAPI", "create"),
    "sql_warehouses": ("sql", "WarehousesAPI", "create"),
    "clusters": ("compute", "ClustersAPI", "create"),
}
_PERMISSION_LEVELS = {
    "pipelines": ("pipelines", "PipelinePermissionLevel"),
    "jobs": ("jobs", "JobPermissionLevel"),
    "clusters": ("compute", "ClusterPermissionLevel"),
    "sql_warehouses": ("sql", "WarehousePermissionLevel"),
    "secret_scopes": ("workspace", "AclPermission"),
    "dashboards": ("iam", "PermissionLevel"),
    "alerts": ("iam", "PermissionLevel"),
}
_WITH_GRANTS = ("catalogs", "schemas", "volumes", "external_locations", "registered_models")
# Not checked field by field: this package makes none of them.
_OTHER_KINDS = (
    "apps",
    "database_catalogs",
    "database_instances",
    "experiments",
    "genie_spaces",
    "instance_pools",
    "job_runs",
    "model_serving_endpoints",
    "models",
    "secrets",
    "synced_database_tables",
)
# Required by the SDK, but the CLI fills them in.
_FILLED_IN = {"volumes": {"volume_type"}}


@dataclass(frozen=True)
class Record:
    """A mapping with a fixed set of keys: the type of each, and which are required."""

    name: str
    types: Mapping[str, Any]
    required: frozenset[str] = field(default_factory=frozenset)


@cache
def resource_types() -> dict[str, Record | None]:
    """Every resource type of a bundle; None where its fields are not checked.

    Raises SetupError if databricks-sdk is not installed.
    """
    records = {kind: _of_method(kind, *source) for kind, source in _CREATED_BY.items()}
    records["jobs"] = record_of(_sdk("jobs", "JobSettings"))
    # Both may be described by a file in place of their fields.
    records["alerts"] = _with(record_of(_sdk("sql", "AlertV2")), file_path=str)
    records["dashboards"] = _with(
        record_of(_sdk("dashboards", "Dashboard")),
        file_path=str,
        embed_credentials=bool,
        dataset_catalog=str,
        dataset_schema=str,
    )
    records["secret_scopes"] = Record(
        "secret scope",
        {"name": str, "backend_type": _sdk("workspace", "ScopeBackendType")},
        frozenset({"name"}),
    )
    all_types: dict[str, Record | None] = {
        kind: _bundled(kind, each) for kind, each in records.items()
    }
    return all_types | dict.fromkeys(_OTHER_KINDS)


def record_of(kind: Any) -> Record:
    """A dataclass of the SDK as a record."""
    fields = dataclasses.fields(kind)
    required = {each.name for each in fields if each.default is dataclasses.MISSING}
    return Record(kind.__name__, typing.get_type_hints(kind), frozenset(required))


def _of_method(kind: str, module: str, owner: str, method: str) -> Record:
    function = getattr(_sdk(module, owner), method)
    hints = typing.get_type_hints(function)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    required = {each.name for each in parameters if each.default is inspect.Parameter.empty}
    types = {each.name: hints[each.name] for each in parameters}
    return Record(kind[:-1], types, frozenset(required - _FILLED_IN.get(kind, set())))


def _bundled(kind: str, record: Record) -> Record:
    """The record with what a bundle adds to every resource of this type."""
    lifecycle = Record("lifecycle", {"prevent_destroy": bool, "started": bool})
    added: dict[str, Any] = {"lifecycle": lifecycle}
    if kind in _WITH_GRANTS:
        privileges = [_sdk("catalog", "Privilege")]
        added["grants"] = [Record("grant", {"principal": str, "privileges": privileges})]
    if kind in _PERMISSION_LEVELS:
        names = dict.fromkeys(("user_name", "group_name", "service_principal_name"), str)
        level = {"level": _sdk(*_PERMISSION_LEVELS[kind])}
        added["permissions"] = [Record("permission", {**names, **level}, frozenset({"level"}))]
    return _with(record, **added)


def _with(record: Record, **types: Any) -> Record:
    return Record(record.name, {**record.types, **types}, record.required)


def _sdk(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(f"databricks.sdk.service.{module}"), name)
    except ModuleNotFoundError:
        raise SetupError(
            "SDK_NOT_INSTALLED",
            "deploy-check compares fields with the package databricks-sdk, which is not installed.",
            hint="pip install 'insurance-dlt[deploy]'",
        ) from None
