"""Types, keys and fields of all resources."""

from __future__ import annotations

from collections.abc import Mapping

from local_shim.deploy_check.deployment import Deployment
from local_shim.deploy_check.field_types import check_value
from local_shim.deploy_check.resource_types import resource_types
from local_shim.errors import close_match
from local_shim.pipeline_spec.document.node import Node
from local_shim.pipeline_spec.document.problems import Problems


def check(deployment: Deployment, problems: Problems) -> None:
    """Notes unknown resource types, keys used twice, and fields that a type does not have."""
    types = resource_types()
    owners: dict[str, Node] = {}
    for kind, resources in deployment.resources.items():
        if kind not in types:
            problems.add(
                "UNKNOWN_RESOURCE_TYPE",
                f"There is no resource type '{kind}'.",
                resources.place,
                close_match(kind, types),
            )
            continue
        for key, node in resources.items():
            _refuse_second_key(key, node, owners, problems)
            record = types[kind]
            if record:
                check_value(node, record, f"{kind}.{key}", problems)
            elif not isinstance(node.value, Mapping):
                problems.add("WRONG_TYPE", f"{kind}.{key} must be a mapping.", node.place)


def _refuse_second_key(key: str, node: Node, owners: dict[str, Node], problems: Problems) -> None:
    """A key is unique across types; between files the loader notes it, here within one."""
    first = owners.setdefault(key, node)
    if first is not node and first.place.file == node.place.file:
        problems.add(
            "RESOURCE_DEFINED_TWICE",
            f"Resource '{key}' is defined here and at {first.place}.",
            node.place,
            "a key is unique in a bundle, also across resource types; rename one of them",
        )
