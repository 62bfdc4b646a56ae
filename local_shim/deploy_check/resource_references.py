"""Checks references `${resources.<type>.<key>.<field>}`: the type and the field must fit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from local_shim.deploy_check.deployment import Deployment
from local_shim.deploy_check.resource_types import OUTPUTS, resource_types
from local_shim.errors import close_match
from local_shim.pipeline_spec.document.node import Node
from local_shim.pipeline_spec.document.problems import Problems

_REFERENCE = re.compile(r"(?<!\$)\$\{resources\.([\w-]+)\.([\w-]+)\.([\w-]+)")
# Fields that refer to a resource, and the type that it must have.
_TYPE_OF_FIELD = {
    "pipeline_id": "pipelines",
    "job_id": "jobs",
    "warehouse_id": "sql_warehouses",
    "alert_id": "alerts",
    "dashboard_id": "dashboards",
    "existing_cluster_id": "clusters",
    "schema": "schemas",
    "schema_name": "schemas",
    "dataset_schema": "schemas",
}


def check(deployment: Deployment, problems: Problems) -> None:
    """Notes references to a resource of another type, and to fields that the type lacks."""
    resources = deployment.bundle.tree.at("resources")
    for field, node in _texts("", resources) if resources else ():
        for kind, key, output in _REFERENCE.findall(node.text()):
            expected = _TYPE_OF_FIELD.get(field, kind)
            if expected != kind:
                problems.add(
                    "REFERENCE_OF_WRONG_TYPE",
                    f"'{field}' takes one of {expected}, but '{key}' is one of {kind}.",
                    node.place,
                    f"write ${{resources.{expected}.<key>.{output}}}",
                )
            _check_output(kind, key, output, node, problems)


def _check_output(kind: str, key: str, output: str, node: Node, problems: Problems) -> None:
    record = resource_types().get(kind)
    if record and output not in record.types and output not in OUTPUTS:
        problems.add(
            "UNKNOWN_REFERENCE",
            f"'{key}' of {kind} has no field '{output}'.",
            node.place,
            close_match(output, [*record.types, *OUTPUTS]),
        )


def _texts(field: str, node: Node) -> Iterator[tuple[str, Node]]:
    """Every text, with the name of the field that holds it."""
    if isinstance(node.value, str):
        yield field, node
    for key, child in node.items():
        yield from _texts(key, child)
    for child in node.value if isinstance(node.value, tuple) else ():
        yield from _texts(field, child)
