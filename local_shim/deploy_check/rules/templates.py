"""CloudFormation templates beside the resources of a bundle, checked by cfn-lint."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from local_shim.pipeline_spec.document.node import Place
from local_shim.pipeline_spec.document.problems import Problems

_MARK = re.compile(r'^[\s{]*"?AWSTemplateFormatVersion"?\s*:', re.MULTILINE)
_SUFFIXES = (".yml", ".yaml", ".json")


def check(folder: Path, problems: Problems) -> None:
    """Notes what cfn-lint finds in the templates below `folder`/resources.

    Without the package nothing is checked, and a problem says so.
    """
    templates = list(_templates(folder / "resources"))
    if not templates:
        return
    try:
        from cfnlint.api import lint_file
    except ModuleNotFoundError:
        problems.add(
            "CFN_LINT_NOT_INSTALLED",
            f"{templates[0].name} is checked by the package cfn-lint, which is not installed.",
            hint="pip install 'insurance-dlt[deploy]'",
        )
        return
    for template in templates:
        for match in lint_file(template):
            place = Place(template, match.linenumber)
            problems.add("TEMPLATE_BROKEN", f"{match.rule.id}: {match.message}.", place)


def _templates(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.suffix in _SUFFIXES and _MARK.search(file.read_text(encoding="utf-8")):
            yield file
