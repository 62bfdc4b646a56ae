"""Pipelines that clients created: each is kept as a bundle of its own, in the storage."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_shim import durable_files
from local_shim.pipeline_spec.bundle.pipeline import PIPELINE_FIELDS
from local_shim.pipeline_spec.load import from_bundle
from local_shim.pipeline_spec.pipeline import PipelineSpec
from local_shim.workspace.api_error import check_fields, wrong_value

Settings = Mapping[str, Any]
_TYPES: Mapping[str, type] = {
    **dict.fromkeys(PIPELINE_FIELDS, object),
    **dict.fromkeys(("name", "catalog", "schema", "target", "root_path"), str),
    **dict.fromkeys(("libraries", "clusters", "notifications"), list),
    **dict.fromkeys(("configuration", "parameters", "environment", "run_as", "tags"), dict),
    **dict.fromkeys(("continuous", "development", "serverless", "photon"), bool),
}


@dataclass(frozen=True)
class CreatedPipelines:
    """The created pipelines of a storage; their code lies below `root`."""

    storage: Path
    root: Path

    def ids(self) -> list[str]:
        """The ids of all created pipelines."""
        folder = self.storage / "system" / "pipelines"
        return [name for name in durable_files.names(folder) if self._file(name).is_file()]

    def create(self, settings: Settings) -> str:
        """Stores a pipeline; gives its id."""
        pipeline_id = str(uuid.uuid4())
        self.replace(pipeline_id, settings)
        return pipeline_id

    def replace(self, pipeline_id: str, settings: Settings) -> None:
        """Replaces the settings of a pipeline."""
        bundle = {
            "bundle": {"name": pipeline_id},
            "resources": {"pipelines": {pipeline_id: settings}},
        }
        durable_files.write_atomically(self._file(pipeline_id), json.dumps(bundle))

    def delete(self, pipeline_id: str) -> None:
        """Deletes a pipeline from the storage."""
        durable_files.delete(self._file(pipeline_id).parent)

    def settings(self, pipeline_id: str) -> Settings:
        """The settings as the client sent them."""
        bundle = json.loads(self._file(pipeline_id).read_text(encoding="utf-8"))
        settings: Settings = bundle["resources"]["pipelines"][pipeline_id]
        return settings

    def modified(self, pipeline_id: str) -> int:
        """When the settings were last replaced, in milliseconds since 1970."""
        return self._file(pipeline_id).stat().st_mtime_ns // 1_000_000

    def spec(self, pipeline_id: str) -> PipelineSpec:
        """The pipeline for a run; raises ApiError if its code is not below the root."""
        spec = from_bundle(self._file(pipeline_id).parent, pipeline=pipeline_id)
        root = self.root.resolve()
        for path in (*spec.sources, *([spec.root] if spec.root else [])):
            if not path.resolve().is_relative_to(root):
                raise wrong_value(f"libraries: {path} is not below {root}.")
        return spec

    def _file(self, pipeline_id: str) -> Path:
        return self.storage / "system" / "pipelines" / pipeline_id / "databricks.yml"


def check_settings(settings: Settings) -> None:
    """Raises ApiError for a field that no pipeline has, or whose value is of the wrong type."""
    check_fields("a pipeline", settings, _TYPES)
    if not settings.get("name"):
        raise wrong_value("A pipeline needs a 'name'.")
