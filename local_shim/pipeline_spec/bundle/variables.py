"""The values of a bundle's variables, each from the strongest source that gives one.

`--var` beats `BUNDLE_VAR_<name>`, that beats `.databricks/bundle/<target>/variable-overrides.json`,
then the target's value, then the variable's default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local_shim.errors import close_match
from local_shim.pipeline_spec.bundle.tree import Bundle
from local_shim.pipeline_spec.document.node import Node, Place, text_node
from local_shim.pipeline_spec.document.problems import Problems
from local_shim.pipeline_spec.document.text import read_yaml

_DEFINITION_KEYS = {"default", "lookup", "description", "type"}


@dataclass(frozen=True)
class Variable:
    """A declared variable; `value` is None while it has none."""

    name: str
    declared: Place
    value: Node | None
    needs_workspace: bool = False  # declared with `lookup`, which only a workspace can answer


def read_variables(
    bundle: Bundle, assigned: Mapping[str, str], environ: Mapping[str, str], problems: Problems
) -> dict[str, Variable]:
    """All variables of the bundle by name; a value for an undeclared one is a problem."""
    declared = dict((bundle.tree.at("variables") or Node({}, Place(bundle.file, 1))).items())
    in_target = dict((bundle.override.at("variables") or Node({}, bundle.override.place)).items())
    in_file = dict(_override_file(bundle, problems).items())
    on_command_line = {
        name: text_node(text, Place(Path("--var"))) for name, text in assigned.items()
    }
    for source in (in_target, in_file, on_command_line):
        _refuse_unknown(source, declared, problems)
    variables = {}
    for name, definition in declared.items():
        from_environ = environ.get(f"BUNDLE_VAR_{name}")
        candidates = (
            on_command_line.get(name),
            None if from_environ is None else text_node(from_environ, Place(Path("environment"))),
            in_file.get(name),
            _value(in_target.get(name)),
            definition.at("default"),
        )
        value = next((candidate for candidate in candidates if candidate is not None), None)
        lookup = definition.at("lookup") or (in_target.get(name) or definition).at("lookup")
        variables[name] = Variable(
            name, definition.place, value, value is None and lookup is not None
        )
    return variables


def _value(override: Node | None) -> Node | None:
    """A target gives a value, or a definition that holds one."""
    keys = {key for key, _ in override.items()} if override else set()
    if override and keys & {"default", "lookup"} and keys <= _DEFINITION_KEYS:
        return override.at("default")
    return override if override and override.value is not None else None


def _override_file(bundle: Bundle, problems: Problems) -> Node:
    file = bundle.folder / ".databricks" / "bundle" / bundle.target / "variable-overrides.json"
    return read_yaml(file, problems) if file.is_file() else Node({}, Place(file, 1))


def _refuse_unknown(
    source: Mapping[str, Node], declared: Mapping[str, Node], problems: Problems
) -> None:
    for name, node in source.items():
        if name not in declared:
            problems.add(
                "UNKNOWN_VARIABLE",
                f"Variable '{name}' is given a value, but the bundle does not declare it.",
                node.place,
                close_match(name, declared) or "declare it under `variables:` in databricks.yml",
            )
