"""YAML 1.2 text as Nodes.

PyYAML follows YAML 1.1, where `on`, `no`, `12:30` and `2024-01-31` are not strings. Databricks
reads 1.2, so the loader here has the resolvers of the 1.2 core schema and no others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import yaml

from local_shim.pipeline_spec.document.node import Node, Place
from local_shim.pipeline_spec.document.problems import Problems

_PREFIX = "tag:yaml.org,2002:"
_SCALARS: dict[str, tuple[str, str, Callable[[str], bool | int | float | None]]] = {
    "null": (r"~|null|Null|NULL|", "~nN\0", lambda _: None),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF", lambda text: text.lower() == "true"),
    "int": (
        r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
        "-+0123456789",
        lambda text: int(text, 0) if text[:2] in ("0o", "0x") else int(text),
    ),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
        lambda text: float(re.sub(r"\.(?=[iInN])", "", text)),
    ),
    "merge": (r"<<", "<", lambda _: None),
}


class _Yaml12(yaml.SafeLoader):
    """The safe loader, which resolves only what is added below."""


_Yaml12.yaml_implicit_resolvers = {}
for _tag, (_pattern, _first, _) in _SCALARS.items():
    # PyYAML looks resolvers up by a scalar's first character; the empty scalar has "".
    _firsts = ["" if letter == "\0" else letter for letter in _first]
    _Yaml12.add_implicit_resolver(_PREFIX + _tag, re.compile(rf"^(?:{_pattern})$"), _firsts)


def read_yaml(file: Path, problems: Problems) -> Node:
    """The one document of a file; an empty mapping if it is empty or broken.

    Broken YAML, a key that is no scalar, a file that cannot be read: noted with file and line.
    """
    empty = Node({}, Place(file, 1))
    try:
        text = file.read_text(encoding="utf-8-sig")
        loader = _Yaml12(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = error.problem or error.context or "cannot be read"
        problems.add(
            "YAML_BROKEN", f"This is not YAML: {problem}.", Place(file, line), _yaml_hint(problem)
        )
        return empty
    except yaml.YAMLError as error:
        problems.add("YAML_BROKEN", f"This is not YAML: {error}.", Place(file, 1))
        return empty
    except (OSError, UnicodeDecodeError) as error:
        problems.add("FILE_UNREADABLE", f"{file} cannot be read: {error}.")
        return empty
    return _Conversion(file, problems).node(root) if root else empty


def _yaml_hint(problem: str) -> str:
    if "\\t" in problem:
        return "indent with spaces; YAML does not allow tabs"
    if "flow mapping" in problem or "'}'" in problem:
        return 'inside {…}, put text that holds ${…} in quotes: {catalog: "${var.catalog}"}'
    return "check the indentation and the quotes of this line and the one above"


class _Conversion:
    """PyYAML's node graph as ours: aliases and `<<` resolved, places kept."""

    def __init__(self, file: Path, problems: Problems):
        self.file = file
        self.problems = problems
        self.open: set[int] = set()

    def node(self, yaml_node: yaml.Node) -> Node:
        """The node with all that lies below it; a node that contains itself is a problem."""
        place = self.place(yaml_node)
        if isinstance(yaml_node, yaml.ScalarNode):
            return Node(_scalar(yaml_node), place, yaml_node.value)
        if id(yaml_node) in self.open:
            self.problems.add("YAML_BROKEN", "An anchor contains itself.", place)
            return Node(None, place)
        self.open.add(id(yaml_node))
        try:
            if isinstance(yaml_node, yaml.SequenceNode):
                return Node(tuple(self.node(child) for child in yaml_node.value), place)
            return Node(self.children(yaml_node), place)
        finally:
            self.open.discard(id(yaml_node))

    def children(self, yaml_node: yaml.Node) -> dict[str, Node]:
        """The pairs of a mapping; its own keys win over those of `<<`."""
        own_pairs: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in yaml_node.value:
            if key.tag == _PREFIX + "merge":
                sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for source in sources:
                    merged = dict(self.node(source).items()) | merged
            elif not isinstance(key, yaml.ScalarNode):
                self.problems.add("YAML_BROKEN", "A key must be plain text.", self.place(key))
            else:
                if key.value in own_pairs:
                    self.problems.warn(
                        f"'{key.value}' stands twice; the last one counts", self.place(key)
                    )
                own_pairs[key.value] = self.placed(self.node(value), key)
        return merged | own_pairs

    def placed(self, value: Node, key: yaml.Node) -> Node:
        """A mapping or list starts, for a reader, at its key and not one line below it."""
        return Node(value.value, self.place(key), value.spelling)

    def place(self, yaml_node: yaml.Node) -> Place:
        """The file and the line, counted from 1, where the node starts."""
        return Place(self.file, yaml_node.start_mark.line + 1)


def _scalar(yaml_node: yaml.ScalarNode) -> str | bool | int | float | None:
    kind = yaml_node.tag.removeprefix(_PREFIX)
    if kind not in _SCALARS or kind == "merge":
        return str(yaml_node.value)
    try:
        value = _SCALARS[kind][2](yaml_node.value)
    except ValueError:  # an explicit tag on text that does not fit it, such as `!!int x`
        return str(yaml_node.value)
    return str(yaml_node.value) if isinstance(value, float) and math.isnan(value) else value
