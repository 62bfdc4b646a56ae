"""The pipeline's own modules, whose functions Spark ships to its Python workers by value.

Workers import what is pickled by reference. They cannot import a module that declares datasets,
asks for `dbutils` or has a pandas function with its type as text: all of these need the driver.

Read from cloudpickle 3.1 in PySpark 4.2.0, `pyspark/cloudpickle/cloudpickle.py`
(`register_pickle_by_value`, `_module_reduce`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from pyspark import cloudpickle

_SHIM = Path(__file__).resolve().parents[1]


def is_below(file: str, folders: Sequence[Path]) -> bool:
    """Whether a module's file lies below one of the folders and is not an installed package's."""
    if not file.endswith(".py") or "site-packages" in file:
        return False
    path = Path(file).resolve()
    return any(path.is_relative_to(folder) for folder in folders)


@contextmanager
def shipped_by_value(folders: Sequence[Path]) -> Iterator[None]:
    """Modules below the folders that the block imports are pickled by value in it."""
    finder = _Finder([folder.resolve() for folder in folders])
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for module in finder.modules:
            cloudpickle.unregister_pickle_by_value(module)  # type: ignore[no-untyped-call]


class _Finder(MetaPathFinder):
    """Finds modules as Python does, and gives those of the pipeline a loader of their own."""

    def __init__(self, folders: Sequence[Path]):
        self.folders = folders
        self.modules: list[ModuleType] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None or not isinstance(spec.loader, SourceFileLoader):
            return None
        if not is_below(spec.origin, self.folders) or is_below(spec.origin, [_SHIM]):
            return None
        spec.loader = _Loader(fullname, spec.origin, self)
        return spec


class _Loader(SourceFileLoader):
    """Registers a module before its code runs, which may ship functions itself."""

    def __init__(self, fullname: str, path: str, finder: _Finder):
        super().__init__(fullname, path)
        self.finder = finder

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = _OwnModule(spec.name)
        module.folders = self.finder.folders
        return module

    def exec_module(self, module: ModuleType) -> None:
        cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]
        self.finder.modules.append(module)
        super().exec_module(module)


class _OwnModule(ModuleType):
    """A module that a function names as a whole is pickled by reference.

    By value, all its names would be pickled, also a session, which cannot be.
    """

    folders: Sequence[Path]

    def __reduce__(self) -> tuple[Any, ...]:
        return module_in_worker, (self.__name__, tuple(self.folders))


_stamps: dict[str, tuple[int, int]] = {}  # of the own modules that this worker has imported
_examined: set[str] = set()  # modules of any kind that were there when `_stamps` was made


def module_in_worker(name: str, folders: Sequence[Path]) -> ModuleType:
    """The module as its file is now: a Python worker lives on while the user edits modules.

    If one of the pipeline's own modules has changed, all are imported again, because they may
    have taken names from each other. In the driver: the module that the update imported.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return import_module(name)
    if any(_stamp(file) != stamp for file, stamp in _stamps.items()):
        for loaded in own_files(folders):
            del sys.modules[loaded]
        _stamps.clear()
        _examined.clear()
    module = import_module(name)
    if sys.modules.keys() - _examined:  # to look at all modules takes long beside a small task
        for file in own_files(folders).values():
            _stamps.setdefault(file, _stamp(file))
        _examined.update(sys.modules)
    return module


def own_files(folders: Sequence[Path]) -> dict[str, str]:
    """The files of the imported modules below these folders, by the modules' names.

    This package may lie there too, as in its own repository. It is no code of a pipeline, and loads
    its modules when it needs them.
    """
    files = {
        name: getattr(each, "__file__", None) or "" for name, each in list(sys.modules.items())
    }
    return {
        name: file
        for name, file in files.items()
        if is_below(file, folders) and not is_below(file, [_SHIM])
    }


def _stamp(file: str) -> tuple[int, int]:
    try:
        status = os.stat(file)
    except OSError:  # deleted
        return 0, 0
    return status.st_mtime_ns, status.st_size
