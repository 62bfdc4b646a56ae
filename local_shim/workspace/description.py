"""A pipeline as clients see it, and where its spec for a run comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_shim.pipeline_spec.pipeline import PipelineSpec


@dataclass(frozen=True)
class Description:
    """One pipeline of the workspace; `read` is None if it only ran in the storage.

    `modified` is in milliseconds since 1970, 0 if no client can change the pipeline.
    """

    pipeline_id: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    modified: int = 0
    read: Callable[[], PipelineSpec] | None = None


def settings_of(spec: PipelineSpec) -> dict[str, Any]:
    """The fields of a spec as the API names them; its libraries are the files that it runs."""
    return {
        "name": spec.name,
        "catalog": spec.catalog,
        "schema": spec.schema,
        "configuration": dict(spec.configuration),
        "parameters": dict(spec.parameters),
        "continuous": spec.continuous,
        "libraries": [{"file": {"path": str(path)}} for path in spec.sources],
        **({"root_path": str(spec.root)} if spec.root else {}),
    }
