"""Whether code declares the same whenever it runs, told by its text.

Such code looks at nothing but its own files and its configuration: at no clock, no other file, no
service and no rows. What it may import and call is a short list, so that code of which nothing is
known counts as not repeatable. Two things are told elsewhere: a query that looks at a clock, by
its plan, and code at module level that reads a table, while it runs (`Registry.reads_tables`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import resolve_name
from itertools import accumulate
from pathlib import Path

from local_shim.loading.cells import Language
from local_shim.loading.importing import import_folders
from local_shim.loading.own_modules import own_files
from local_shim.loading.source_files import cells_of
from local_shim.pipeline_spec.pipeline import PipelineSpec

# Modules whose functions give the same for the same arguments, but for what _CLOCKS names.
_MODULES = {
    "__future__", "abc", "collections", "copy", "dataclasses", "datetime", "decimal", "dlt",
    "enum", "fractions", "functools", "itertools", "json", "math", "numbers", "operator", "re",
    "string", "textwrap", "types", "typing", "typing_extensions",
}  # fmt: skip
_SPARK_MODULES = ("pyspark.pipelines", "pyspark.sql")
_CLOCKS = {"now", "today", "utcnow"}
_BUILTINS = {"__import__", "compile", "eval", "exec", "input", "open"}
# What reaches files, services and Spark beside its frames: of `dbutils` and of a session.
_OUTSIDE = {"catalog", "entry_point", "fs", "secrets", "sparkContext", "_jsparkSession", "_jvm"}
# Methods that give rows, by which code can decide. A module's function of the same name (`F.first`)
# builds a column.
_ROWS = {"collect", "first", "head", "tail", "take", "toArrow", "toLocalIterator", "toPandas"}


def repeatable_code(spec: PipelineSpec, notebooks: Iterable[Path]) -> list[Path] | None:
    """The files of the code that has been run: sources, `notebooks`, and modules they import.

    None if it may declare something else when it runs again. Raises OSError, SyntaxError or
    ShimError for a file that is no longer there, or no code.
    """
    modules = own_files(import_folders(spec))
    waiting, files = [*spec.sources, *notebooks], set[Path]()
    while waiting:
        path = waiting.pop()
        if path in files:
            continue
        files.add(path)
        for text in _python_cells(path):
            imported = _imports_of_repeatable(ast.parse(text), _package(path, modules), modules)
            if imported is None:
                return None
            waiting += [Path(modules[name]).resolve() for name in imported]
    return sorted(files)


def _python_cells(path: Path) -> Iterator[str]:
    for cell in cells_of(path):
        if cell.language is Language.PYTHON:
            yield cell.text


def _package(path: Path, modules: Mapping[str, str]) -> str:
    """The package in which relative imports of a module begin; "" for a source file."""
    names = [name for name, file in modules.items() if Path(file).resolve() == path]
    if not names:
        return ""
    return names[0] if path.name == "__init__.py" else names[0].rpartition(".")[0]


def _imports_of_repeatable(
    tree: ast.Module, package: str, modules: Mapping[str, str]
) -> set[str] | None:
    """Names of the own `modules` that code imports; None if the code may not be repeatable."""
    nodes = list(ast.walk(tree))
    imports = [each for each in nodes if isinstance(each, ast.Import | ast.ImportFrom)]
    imported = {alias.asname or alias.name for each in imports for alias in each.names}
    if any(_looks_elsewhere(node) or _gives_rows(node, imported) for node in nodes):
        return None
    own = set[str]()
    for each in imports:
        names = _imported_names(each, package)
        if not all(_is_known(name, modules) for name in names):
            return None
        own.update(part for name in names for part in _with_packages(name) if part in modules)
    return own


def _imported_names(node: ast.Import | ast.ImportFrom, package: str) -> list[str]:
    """Full names; those of `from … import` may be modules or what a module holds."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    relative = "." * node.level + (node.module or "")
    module = resolve_name(relative, package) if node.level else relative
    return [f"{module}.{alias.name}" for alias in node.names]


def _with_packages(name: str) -> list[str]:
    """`a.b.c` → `a`, `a.b` and `a.b.c`: importing a module runs its packages first."""
    return list(accumulate(name.split("."), lambda package, part: f"{package}.{part}"))


def _is_known(name: str, modules: Mapping[str, str]) -> bool:
    if name.partition(".")[0] in _MODULES or name in modules:
        return True
    return any(f"{name}.".startswith(f"{each}.") for each in _SPARK_MODULES) or _is_held_by(
        modules, *name.rpartition(".")[::2]
    )


def _is_held_by(modules: Mapping[str, str], module: str, name: str) -> bool:
    """Whether it is no module itself: one that a function imports later was not looked at yet."""
    if module not in modules:
        return False
    file = Path(modules[module])
    places = [file.parent / name, file.parent / f"{name}.py"] if file.stem == "__init__" else []
    return not any(place.exists() for place in places)


def _looks_elsewhere(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id in _BUILTINS
    return isinstance(node, ast.Attribute) and node.attr in _CLOCKS | _OUTSIDE


def _gives_rows(node: ast.AST, imported: set[str]) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner = node.func.value
    of_module = isinstance(owner, ast.Name) and owner.id in imported
    return node.func.attr in _ROWS and not of_module
