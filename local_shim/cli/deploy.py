"""The command that checks a bundle before it is deployed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from local_shim.cli.options import option, pairs, say

if TYPE_CHECKING:  # databricks-sdk is loaded only by the commands that need it
    from local_shim.deploy_check.deployment import Deployment


def deploy_check(
    *,
    bundle: Annotated[Path | None, option("DIR", "Folder of a databricks.yml.")] = None,
    target: Annotated[str | None, option("T", "Only this target (default: all).")] = None,
    var: Annotated[
        tuple[str, ...], option("K=V", "Value of a bundle variable; may be repeated.")
    ] = (),
    storage: Annotated[
        Path | None,
        option("DIR", "Also analyse queries of dashboards, alerts and tasks on its tables."),
    ] = None,
) -> None:
    """Check the bundle, and CloudFormation templates beside it, without a workspace."""
    from local_shim.deploy_check.check import check_bundle

    folder, variables = bundle or Path(), pairs(var, "--var")
    deployments = check_bundle(folder, target, variables, with_templates=True)
    for deployment in deployments:
        count = sum(len(list(kind.items())) for _, kind in deployment.resources.items())
        say(f"{deployment.bundle.target}: {count} resources, nothing is wrong.")
    if storage:
        say(f"{_analyse(deployments, storage)} queries fit the tables of {storage}.")


def _analyse(deployments: Sequence[Deployment], storage: Path) -> int:
    from local_shim.cli.storages import open_storage
    from local_shim.deploy_check.rules.sql import scripts
    from local_shim.query.analysis import analyse

    texts = [(each.text, each.place) for one in deployments for each in scripts(one)]
    pipelines = [pipeline for one in deployments for _, pipeline in one.of("pipelines")]
    logs = [name.text() for each in pipelines if (name := each.at("event_log", "name"))]
    return analyse(open_storage(storage), texts, logs)
