"""A plan or an expression of Spark as a tree, read from the JSON that Spark prints of it.

Read from Spark 4.2.0: `sql/catalyst/…/trees/TreeNode.scala` (toJSON, jsonValue, parseToJson). A
tree is a list of its nodes, each before its children, with the number of these. A field that holds
trees is a list of such lists; what is neither a tree nor a plain value is null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tree:
    """A node with its fields and its children."""

    kind: str  # the class without its package
    fields: Mapping[str, Any]
    children: tuple[Tree, ...]

    def tree(self, field: str) -> Tree | None:
        """The tree in a field, if one is there."""
        value = self.fields.get(field)
        return _tree(value) if value is not None and _is_tree(value) else None

    def trees(self, field: str) -> list[Tree]:
        """The trees in a field that holds several; none if it holds something else."""
        value = self.fields.get(field)
        if not isinstance(value, list) or not all(map(_is_tree, value)):
            return []
        return [_tree(each) for each in value]


def parse_tree(text: str) -> Tree:
    """The tree of a text that `toJSON` gave."""
    return _tree(json.loads(text))


def _tree(nodes: list[dict[str, Any]]) -> Tree:
    return _next(iter(nodes))


def _is_tree(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and "num-children" in value[0]


def _next(nodes: Iterator[dict[str, Any]]) -> Tree:
    node = next(nodes)
    children = tuple(_next(nodes) for _ in range(node["num-children"]))
    return Tree(node["class"].rpartition(".")[2], node, children)
