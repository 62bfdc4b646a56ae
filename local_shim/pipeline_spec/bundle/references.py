"""`${…}` in a bundle: found, followed, replaced."""

from __future__ import annotations

import re
from collections.abc import Mapping

from local_shim.errors import close_match
from local_shim.pipeline_spec.bundle.variables import Variable
from local_shim.pipeline_spec.document.node import Node, mapping_node, text_node
from local_shim.pipeline_spec.document.problems import Problems

_REFERENCE = re.compile(r"(\$?)\$\{([A-Za-z][\w-]*(?:\.[\w-]+|\[\d+\])*)\}")
_STEP = re.compile(r"[\w-]+")
_REFERENCE_ROOTS = {"var", "variables", "bundle", "workspace", "resources"}


class References:
    """Replaces references by what they point to, which may hold references itself."""

    def __init__(self, scope: Node, variables: Mapping[str, Variable], problems: Problems):
        self.scope = scope
        self.variables = variables
        self.problems = problems
        self.following: list[str] = []

    def resolved(self, node: Node) -> Node:
        """The node without references; what cannot be resolved is noted and left as written."""
        if isinstance(node.value, Mapping):
            children = {key: self.resolved(child) for key, child in node.items()}
            return mapping_node(children, node.place)
        if isinstance(node.value, tuple):
            return Node(tuple(self.resolved(child) for child in node.value), node.place)
        return self._text(node) if isinstance(node.value, str) else node

    def _text(self, node: Node) -> Node:
        text = str(node.value)
        whole = _REFERENCE.fullmatch(text)
        if whole and not whole.group(1):
            # `${var.x}` alone keeps the type of what it points to. A relative path in it counts
            # from here, as in the CLI, so the place is that of the reference.
            target = self._follow(whole.group(2), node)
            return Node(target.value, node.place, target.spelling) if target else node
        replaced = _REFERENCE.sub(lambda match: self._piece(match, node), text)
        return text_node(replaced, node.place)

    def _piece(self, match: re.Match[str], node: Node) -> str:
        if match.group(1):  # `$${x}` is the text `${x}`
            return match.group(0)[1:]
        target = self._follow(match.group(2), node)
        if target is None:
            return match.group(0)
        if isinstance(target.value, Mapping | tuple):
            self.problems.add(
                "REFERENCE_NOT_TEXT",
                f"{match.group(0)} is a mapping or a list and cannot be part of a text.",
                node.place,
                "let it stand alone as the whole value",
            )
        return target.text()

    def _follow(self, path: str, node: Node) -> Node | None:
        steps = _STEP.findall(path)
        if steps[0] not in _REFERENCE_ROOTS:
            self._other_text(path, steps[0], node)
            return None
        if path in self.following:
            circle = " → ".join([*self.following[self.following.index(path) :], path])
            self.problems.add(
                "REFERENCE_CIRCLE", f"References run in a circle: {circle}.", node.place
            )
            return None
        self.following.append(path)
        try:
            target = self._look_up(steps, path, node)
            return self.resolved(target) if target else None
        finally:
            self.following.pop()

    def _other_text(self, path: str, root: str, node: Node) -> None:
        """Other `${…}`, say of Spark's own configuration, stays; a close match is a warning."""
        hint = close_match(root, _REFERENCE_ROOTS)
        if hint.startswith("did you mean") and "." in path:
            self.problems.warn(f"${{{path}}} is no reference and stays as text", node.place, hint)

    def _look_up(self, steps: list[str], path: str, node: Node) -> Node | None:
        if steps[0] in ("var", "variables"):
            return self._variable(steps, path, node)
        return self._walk(self.scope, steps, path, node)

    def _variable(self, steps: list[str], path: str, node: Node) -> Node | None:
        name = steps[1] if len(steps) > 1 else ""
        variable = self.variables.get(name)
        if variable is None:
            self.problems.add(
                "UNKNOWN_VARIABLE",
                f"${{{path}}} names a variable that the bundle does not declare.",
                node.place,
                close_match(name, self.variables) or "declare it under `variables:`",
            )
            return None
        if variable.value is None:
            why = "asks a workspace for its value" if variable.needs_workspace else "has no value"
            self.problems.add(
                "VARIABLE_WITHOUT_VALUE",
                f"Variable '{name}' {why}, and ${{{path}}} needs one.",
                node.place,
                f"add --var {name}=VALUE, set BUNDLE_VAR_{name}, "
                f"or give it a default at {variable.declared}",
            )
            return None
        rest = steps[3:] if steps[0] == "variables" and steps[2:3] == ["value"] else steps[2:]
        return self._walk(variable.value, rest, path, node)

    def _walk(self, start: Node, steps: list[str], path: str, node: Node) -> Node | None:
        current = start
        for depth, step in enumerate(steps):
            # What is passed on the way may itself be a reference: `cluster: ${var.small}`.
            below = self._text(current) if isinstance(current.value, str) else current
            children = _children(below)
            if step not in children and steps[0] == "resources" and depth > 2:
                self.problems.warn(f"${{{path}}} is known after a deployment only", node.place)
                return None
            if step not in children:
                self.problems.add(
                    "UNKNOWN_REFERENCE",
                    f"${{{path}}} leads nowhere: there is no '{step}'.",
                    node.place,
                    close_match(step, children),
                )
                return None
            current = children[step]
        return current


def _children(node: Node) -> dict[str, Node]:
    if isinstance(node.value, tuple):
        return {str(number): child for number, child in enumerate(node.value)}
    return dict(node.items())
