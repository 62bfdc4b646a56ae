"""One pipeline, ready to run: which files, under which names, with which configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class PipelineSpec:
    """What a run needs to know of a pipeline, from any kind of description.

    `sources` are existing files in the order of the description (their order never matters to
    the result). `root` goes on the import path. `dependencies` are pip requirements; paths in
    them are absolute. `warnings` name fields of the description that have no effect here.
    """

    key: str
    name: str
    catalog: str
    schema: str
    sources: tuple[Path, ...]
    root: Path | None = None
    configuration: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    continuous: bool = False
    where: str = ""
    warnings: tuple[str, ...] = ()
