"""A digest of the code and the configuration that results depend on besides their inputs."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from local_shim.loading.importing import import_folders
from local_shim.loading.own_modules import is_below
from local_shim.pipeline_spec.pipeline import PipelineSpec

_SHIM = Path(__file__).resolve().parents[1]


def fingerprint(
    spec: PipelineSpec, configuration: Mapping[str, str], notebooks: Iterable[Path]
) -> str:
    """The digest of source files, `notebooks` that they ran, own modules and configuration."""
    digest = hashlib.sha256()
    files = {*spec.sources, *notebooks, *_own_modules(import_folders(spec))}
    for path in sorted(files):
        digest.update(str(path).encode() + path.read_bytes())
    for key, value in sorted({**spec.parameters, **configuration}.items()):
        digest.update(f"{key}={value}\n".encode())
    return digest.hexdigest()


def _own_modules(folders: Iterable[Path]) -> Iterator[Path]:
    """Files of the loaded modules that lie below the pipeline's own folders.

    This package may lie there too, as in its own repository. It is no code of a pipeline, and loads
    its modules when it needs them.
    """
    roots = [folder.resolve() for folder in folders]
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) or ""
        if is_below(file, roots) and not is_below(file, [_SHIM]):
            yield Path(file).resolve()
