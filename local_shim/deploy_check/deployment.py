"""A bundle under one target, with every reference replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from local_shim.deploy_check.resource_types import OUTPUTS
from local_shim.pipeline_spec.bundle.local_paths import LocalPaths
from local_shim.pipeline_spec.bundle.merge import merged
from local_shim.pipeline_spec.bundle.references import References
from local_shim.pipeline_spec.bundle.scope import scope
from local_shim.pipeline_spec.bundle.tree import Bundle, read_bundle
from local_shim.pipeline_spec.bundle.variables import Variable, read_variables
from local_shim.pipeline_spec.document.node import Node, Place, mapping_node, text_node
from local_shim.pipeline_spec.document.problems import Problems


class StrictProblems(Problems):
    """Problems in which a warning is an error, as with `bundle validate --strict`."""

    def warn(self, message: str, where: object = None, hint: str = "") -> None:
        """Adds the warning as an error with the condition BUNDLE_WARNING."""
        self.add("BUNDLE_WARNING", f"{message[:1].upper()}{message[1:]}.", where, hint)


@dataclass(frozen=True)
class Deployment:
    """What a deployment of one target would send to a workspace."""

    bundle: Bundle
    resources: Node  # without references; a value that only a workspace has is `local-<key>`
    paths: LocalPaths
    user: str

    @property
    def is_development(self) -> bool:
        """Whether the target has `mode: development`."""
        return self.bundle.mode == "development"

    @property
    def is_production(self) -> bool:
        """Whether the target has `mode: production`."""
        return self.bundle.mode == "production"

    def of(self, kind: str) -> tuple[tuple[str, Node], ...]:
        """Keys and fields of the resources of one type, without references."""
        return tuple(self.resources.items(kind))

    def written(self, kind: str, key: str, *fields: str) -> str:
        """A field as it was written, with its references; empty if it is not there."""
        node = self.bundle.tree.at("resources", kind, key, *fields)
        return node.text() if node else ""


def read_deployment(
    folder: Path,
    target: str | None,
    assigned: Mapping[str, str],
    environ: Mapping[str, str],
    problems: Problems,
) -> Deployment:
    """The bundle under a target; a variable that no source gives a value is a problem."""
    bundle = read_bundle(folder, target, environ, problems)
    variables = {
        name: _looked_up(variable)
        for name, variable in read_variables(bundle, assigned, environ, problems).items()
    }
    _refuse_missing_values(variables, problems)
    names = merged(_outputs(bundle.tree), scope(bundle))
    references = References(names, variables, problems)
    resources = bundle.tree.at("resources") or Node({}, Place(bundle.file, 1))
    quiet = References(names, variables, Problems())
    user = quiet.resolved(text_node("${workspace.current_user.short_name}", resources.place))
    return Deployment(
        bundle, references.resolved(resources), LocalPaths(bundle, quiet), user.text()
    )


def _looked_up(variable: Variable) -> Variable:
    """A variable whose value is looked up in the workspace gets a placeholder."""
    if not variable.needs_workspace:
        return variable
    return replace(variable, value=text_node(f"looked-up-{variable.name}", variable.declared))


def _refuse_missing_values(variables: Mapping[str, Variable], problems: Problems) -> None:
    """A deployment needs every variable, also those that nothing refers to."""
    for variable in variables.values():
        if variable.value is None:
            problems.add(
                "VARIABLE_WITHOUT_VALUE",
                f"Variable '{variable.name}' has no value.",
                variable.declared,
                f"give it a default or a value in each target, add --var {variable.name}=VALUE "
                f"or set BUNDLE_VAR_{variable.name}",
            )


def _outputs(tree: Node) -> Node:
    """Placeholders for fields that exist after a deployment only, such as the url of a job."""
    kinds = {
        kind: mapping_node(
            {
                key: mapping_node(
                    {name: text_node(f"local-{key}-{name}", node.place) for name in OUTPUTS},
                    node.place,
                )
                for key, node in resources.items()
            },
            resources.place,
        )
        for kind, resources in tree.items("resources")
    }
    return mapping_node({"resources": mapping_node(kinds, tree.place)}, tree.place)
