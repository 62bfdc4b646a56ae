"""A YAML value that knows where it was written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Place:
    """A line of a file, or a name such as `--var` for what came from elsewhere (line 0)."""

    file: Path
    line: int = 0

    @property
    def folder(self) -> Path:
        """What relative paths written at this place are relative to."""
        return self.file.parent

    def __str__(self) -> str:
        if not self.line:
            return str(self.file)
        near = os.path.relpath(self.file)
        return f"{self.file if near.startswith('..') else near}:{self.line}"


@dataclass(frozen=True)
class Node:
    """A scalar, a mapping or a list, with its place; a scalar also keeps its spelling."""

    value: str | bool | int | float | Mapping[str, Node] | tuple[Node, ...] | None
    place: Place = field(compare=False)
    spelling: str = field(default="", compare=False)

    def items(self, *keys: str) -> Iterator[tuple[str, Node]]:
        """Keys and values of the mapping below these keys; nothing for anything else."""
        node = self.at(*keys)
        return iter(node.value.items() if node and isinstance(node.value, Mapping) else ())

    def elements(self, *keys: str) -> tuple[Node, ...]:
        """The elements of the list below these keys, empty if there is none.

        A lone scalar or mapping counts as a list of itself.
        """
        node = self.at(*keys)
        if node is None:
            return ()
        return node.value if isinstance(node.value, tuple) else (node,)

    def at(self, *keys: str) -> Node | None:
        """The value below these keys; None if there is none, or null."""
        node: Node | None = self
        for key in keys:
            node = node.value.get(key) if node and isinstance(node.value, Mapping) else None
        return node if node and node.value is not None else None

    def text(self) -> str:
        """The value where a string is wanted: `true` for a bool, numbers without exponent."""
        if isinstance(self.value, bool):
            return str(self.value).lower()
        if isinstance(self.value, float):
            return (
                f"{self.value:f}".rstrip("0").rstrip(".")
                if abs(self.value) < 1e15
                else self.spelling
            )
        return str(self.value) if isinstance(self.value, str | int) else self.spelling

    def plain(self) -> Any:
        """The value as Python's own dicts, lists and scalars."""
        if isinstance(self.value, Mapping):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, tuple):
            return [child.plain() for child in self.value]
        return self.value


def is_true(node: Node | None) -> bool:
    """Whether the CLI reads the value as true."""
    return node is not None and node.text().lower() in ("true", "yes", "on", "y")


def text_node(text: str, place: Place) -> Node:
    """A string that no file holds, such as the local user's name."""
    return Node(text, place, text)


def mapping_node(children: Mapping[str, Node], place: Place) -> Node:
    """A mapping that no file holds as such."""
    return Node(dict(children), place)
