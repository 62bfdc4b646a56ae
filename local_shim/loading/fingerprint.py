"""A digest of the code and the configuration that results depend on besides their inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from local_shim.loading.importing import import_folders
from local_shim.loading.own_modules import own_files
from local_shim.pipeline_spec.pipeline import PipelineSpec


def fingerprint(
    spec: PipelineSpec, configuration: Mapping[str, str], notebooks: Iterable[Path]
) -> str:
    """The digest of source files, `notebooks` that they ran, own modules and configuration."""
    digest = hashlib.sha256()
    own_modules = own_files([folder.resolve() for folder in import_folders(spec)])
    files = {*spec.sources, *notebooks, *(Path(file).resolve() for file in own_modules.values())}
    for path in sorted(files):
        digest.update(str(path).encode() + path.read_bytes())
    for key, value in sorted({**spec.parameters, **configuration}.items()):
        digest.update(f"{key}={value}\n".encode())
    return digest.hexdigest()
