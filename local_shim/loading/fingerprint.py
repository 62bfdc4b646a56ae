"""Digests of the code and the configuration that results depend on besides their inputs."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import local_shim
from local_shim.durable_files import names
from local_shim.jvm.functions.secret_values import all_secrets
from local_shim.loading.importing import import_folders
from local_shim.loading.own_modules import own_files
from local_shim.pipeline_spec.pipeline import PipelineSpec


def fingerprint(
    spec: PipelineSpec, configuration: Mapping[str, str], notebooks: Iterable[Path]
) -> str:
    """The digest of source files, `notebooks` that they ran, own modules and configuration."""
    digest = hashlib.sha256()
    for path in code_files(spec, notebooks):
        digest.update(str(path).encode() + path.read_bytes())
    for key, value in sorted({**spec.parameters, **configuration}.items()):
        digest.update(f"{key}={value}\n".encode())
    return digest.hexdigest()


def code_files(spec: PipelineSpec, notebooks: Iterable[Path]) -> list[Path]:
    """The source files, the `notebooks` that they ran, and the own modules that they imported."""
    own_modules = own_files([folder.resolve() for folder in import_folders(spec)])
    return sorted({*spec.sources, *notebooks, *(Path(f).resolve() for f in own_modules.values())})


def definition_fingerprint(
    spec: PipelineSpec, paths: Mapping[str, str], code: Iterable[Path]
) -> str:
    """The digest of all that decides what repeatable code declares.

    That is the spec, `paths` of `--path`, the secrets, the text of the `code`, which other files
    could be imported instead, this program, Python, Spark and the time zone. Raises OSError if a
    file of the `code` is gone, UsageError if the file of secrets cannot be read.
    """
    folders = {str(folder): sorted(names(folder)) for folder in import_folders(spec)}
    versions = [sys.version, *map(version, ("pyspark", "delta-spark")), *time.tzname]
    parts = [asdict(spec), dict(paths), all_secrets(), folders, versions, sorted(_own_stamps())]
    digest = hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode())
    for path in sorted({*code, *spec.sources}):
        digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()


def _own_stamps() -> Iterator[tuple[str, int, int]]:
    """The files of this program, which its developers edit, with their times and sizes."""
    for folder, _, files in os.walk(Path(local_shim.__file__).parent):
        for file in files:
            if file.endswith(".py"):
                status = os.stat(os.path.join(folder, file))
                yield f"{folder}/{file}", status.st_mtime_ns, status.st_size
