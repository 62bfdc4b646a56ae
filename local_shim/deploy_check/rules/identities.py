"""Mistakes in identities, in names that developers would share, and in root paths."""

from __future__ import annotations

from local_shim.deploy_check.deployment import Deployment
from local_shim.pipeline_spec.document.node import Node, is_true
from local_shim.pipeline_spec.document.problems import Problems

# `mode: development` puts no prefix before the names of these.
_WITHOUT_PREFIX = ("catalogs", "external_locations", "secret_scopes")
_NO_RUN_AS = ("quality_monitors", "apps", "model_serving_endpoints")


def check(deployment: Deployment, problems: Problems) -> None:
    """Notes names that collide, a `run_as` that is not allowed, production without a root path."""
    _refuse_run_as_for_all(deployment, problems)
    if deployment.is_development:
        _refuse_shared_names(deployment, problems)
    if deployment.is_production and deployment.bundle.tree.at("workspace", "root_path") is None:
        problems.add(
            "PRODUCTION_WITHOUT_ROOT_PATH",
            f"Target '{deployment.bundle.target}' is production and sets no workspace.root_path.",
            deployment.bundle.override.place,
            "set it, so that everyone deploys to the same place",
        )
    for kind, resources in deployment.resources.items():
        for key, resource in resources.items():
            _check_identity(f"{kind}.{key}", resource, problems)


def _refuse_run_as_for_all(deployment: Deployment, problems: Problems) -> None:
    run_as = deployment.bundle.tree.at("run_as")
    if run_as is None:
        return
    kinds = [kind for kind in _NO_RUN_AS if deployment.of(kind)]
    is_embedding = any(
        is_true(each.at("embed_credentials")) for _, each in deployment.of("dashboards")
    )
    kinds += ["dashboards with embed_credentials"] if is_embedding else []
    if kinds:
        problems.add(
            "RUN_AS_FOR_ALL",
            f"`run_as` of the bundle is not allowed together with {', '.join(kinds)}.",
            run_as.place,
            "set `run_as` at each pipeline and job instead",
        )


def _refuse_shared_names(deployment: Deployment, problems: Problems) -> None:
    for kind in _WITHOUT_PREFIX:
        for key, resource in deployment.of(kind):
            name = resource.at("name")
            if name and deployment.user not in name.text():
                _shared(f"{kind}.{key}", name, problems)
    for key, volume in deployment.of("volumes"):
        name = volume.at("name")
        in_own_schema = deployment.written("volumes", key, "schema_name").startswith(
            "${resources.schemas."
        )
        if name and not in_own_schema and deployment.user not in name.text():
            _shared(f"volumes.{key}", name, problems)


def _shared(resource: str, name: Node, problems: Problems) -> None:
    problems.add(
        "NAME_WITHOUT_PREFIX",
        f"{resource} is called '{name.text()}' for every developer: `mode: development` puts no "
        "prefix before it.",
        name.place,
        "put ${workspace.current_user.short_name} into the name, or a volume into a schema of the "
        "bundle",
    )


def _check_identity(name: str, resource: Node, problems: Problems) -> None:
    run_as = resource.at("run_as")
    identities = [key for key, _ in run_as.items()] if run_as else []
    if run_as and len(identities) > 1:
        problems.add(
            "SEVERAL_IDENTITIES",
            f"{name} runs as {' and '.join(identities)}; one of them is allowed.",
            run_as.place,
        )
