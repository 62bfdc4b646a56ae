"""All checks over all targets of a bundle."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local_shim.deploy_check import bundle_keys, paths, resource_references, resources
from local_shim.deploy_check.deployment import Deployment, StrictProblems, read_deployment
from local_shim.deploy_check.rules import identities, jobs, pipelines, sql, templates
from local_shim.errors import UsageError
from local_shim.pipeline_spec.bundle.tree import target_names

_CHECKS: tuple[Callable[[Deployment, StrictProblems], None], ...] = (
    bundle_keys.check,
    resources.check,
    resource_references.check,
    paths.check,
    pipelines.check,
    jobs.check,
    identities.check,
    sql.check,
)


def check_bundle(
    folder: Path,
    target: str | None = None,
    variables: Mapping[str, str] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    with_templates: bool = False,
) -> list[Deployment]:
    """The bundle in `folder` as each target (or only `target`) would deploy it.

    `with_templates` checks the CloudFormation templates, too. Raises UsageError that lists every
    problem once, with file, line and hint; SetupError if databricks-sdk is not installed.
    """
    problems = StrictProblems()
    names = [target] if target else _targets(folder, problems)
    deployments = [
        read_deployment(folder, name, variables or {}, environ, problems) for name in names
    ]
    for deployment in deployments:
        for check in _CHECKS:
            check(deployment, problems)
    if with_templates:
        templates.check(folder, problems)
    problems.raise_any()
    return deployments


def _targets(folder: Path, problems: StrictProblems) -> Sequence[str | None]:
    """Every target; a bundle without targets is one deployment."""
    try:
        return target_names(folder, problems) or [None]
    except UsageError as error:
        problems.errors.append(error)
        problems.raise_any()
        raise
