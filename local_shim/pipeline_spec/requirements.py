"""The pip requirements of a pipeline: whether this Python has what they ask for."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from local_shim.errors import UsageError
from local_shim.pipeline_spec.pipeline import PipelineSpec


def check_requirements(spec: PipelineSpec) -> None:
    """Raises UsageError naming each requirement that is not met; installs nothing."""
    unmet = [(each, reason) for each in spec.dependencies if (reason := _unmet(each))]
    if unmet:
        raise UsageError(
            "DEPENDENCY_MISSING",
            f"the pipeline's environment needs {'; '.join(f'{e} ({why})' for e, why in unmet)}.",
            where=spec.where,
            hint=f"pip install {' '.join(repr(each) for each, _ in unmet)}",
        )


def editable_project(dependency: str) -> Path | None:
    """The folder of `--editable FOLDER` or `-e FOLDER`, which goes on the import path."""
    match = re.match(r"(?:--editable|-e)\s+(\S.*)", dependency)
    return Path(match.group(1).strip()) if match else None


def _unmet(dependency: str) -> str:
    """Why a requirement is not met; empty if it is. Other pip options are pip's own business."""
    if dependency.startswith("-"):
        return ""
    try:
        requirement = Requirement(dependency)
    except InvalidRequirement as error:
        if "/" in dependency or dependency.endswith((".whl", ".txt")):
            return "" if Path(dependency).exists() else "there is no such file"
        return f"not a requirement: {str(error).splitlines()[0]}"
    return _unmet_distribution(requirement)


def _unmet_distribution(requirement: Requirement) -> str:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return ""
    try:
        distribution = metadata.distribution(requirement.name)
    except metadata.PackageNotFoundError:
        return "not installed"
    if not requirement.specifier.contains(distribution.version, prereleases=True):
        return f"installed is {distribution.version}"
    unmet = [text for text in _of_extras(distribution, requirement.extras) if _unmet(text)]
    return f"without {', '.join(unmet)}" if unmet else ""


def _of_extras(distribution: metadata.Distribution, extras: set[str]) -> list[str]:
    """The requirements that only the extras bring."""
    missing = []
    for text in distribution.requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": ""}):
            continue
        if any(marker.evaluate({"extra": extra}) for extra in extras):
            requirement.marker = None
            missing.append(str(requirement))
    return missing
