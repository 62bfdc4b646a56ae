"""How one part of a bundle is laid over another (Databricks CLI: target overrides)."""

from __future__ import annotations

from collections.abc import Mapping

from local_shim.pipeline_spec.document.node import Node

# Lists are appended, except these, whose elements have a key.
_KEYED = {
    "tasks": "task_key",
    "job_clusters": "job_cluster_key",
    "parameters": "name",
    "clusters": "label",
    "grants": "principal",
}
_REPLACED = {"run_as", "variables"}


def merged(below: Node, above: Node, name: str = "") -> Node:
    """`above` laid over `below`: mappings by key, lists appended, scalars replaced.

    A null above leaves what is below, as an unset field does.
    """
    if above.value is None:
        return below
    if name not in _REPLACED:
        if isinstance(below.value, Mapping) and isinstance(above.value, Mapping):
            return Node(_mappings(below.value, above.value), below.place)
        if isinstance(below.value, tuple) and isinstance(above.value, tuple):
            return Node(_lists(below.value, above.value, _KEYED.get(name)), below.place)
    return above


def _mappings(below: Mapping[str, Node], above: Mapping[str, Node]) -> dict[str, Node]:
    result = dict(below)
    for key, node in above.items():
        result[key] = merged(result[key], node, key) if key in result else node
    return result


def _lists(
    below: tuple[Node, ...], above: tuple[Node, ...], identity: str | None
) -> tuple[Node, ...]:
    if identity is None:
        return below + above
    result: dict[str, Node] = {}
    for number, node in enumerate(below + above):
        key = node.at(identity)
        # A pipeline cluster without label is the one labelled `default`.
        name = key.text() if key else "default" if identity == "label" else f"#{number}"
        result[name] = merged(result[name], node) if name in result else node
    return tuple(result.values())
