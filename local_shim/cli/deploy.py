"""The command that checks a bundle before it is deployed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from local_shim.cli.options import option, pairs, say


def deploy_check(
    *,
    bundle: Annotated[Path | None, option("DIR", "Folder of a databricks.yml.")] = None,
    target: Annotated[str | None, option("T", "Only this target (default: all).")] = None,
    var: Annotated[
        tuple[str, ...], option("K=V", "Value of a bundle variable; may be repeated.")
    ] = (),
) -> None:
    """Check the bundle, and CloudFormation templates beside it, without a workspace."""
    from local_shim.deploy_check.check import check_bundle  # loads databricks-sdk

    folder, variables = bundle or Path(), pairs(var, "--var")
    for deployment in check_bundle(folder, target, variables, with_templates=True):
        count = sum(len(list(kind.items())) for _, kind in deployment.resources.items())
        say(f"{deployment.bundle.target}: {count} resources, nothing is wrong.")
