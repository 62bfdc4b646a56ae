"""Whether code declares the same whenever it runs, told by its text.

Such code looks at nothing but its own files and its configuration: at no clock, no other file, no
service and no rows. What it may import and call is a short list, so that code of which nothing is
known counts as not repeatable. Two things are told elsewhere: a query that looks at a clock, by
its plan, and code at module level that reads a table, while it runs (`Registry.reads_tables`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
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


def is_repeatable(code: Iterable[Path], spec: PipelineSpec) -> bool:
    """Whether the code, which has been run, declares the same until it is edited."""
    own_modules = {name.partition(".")[0] for name in own_files(import_folders(spec))}
    trees = [ast.parse(text) for path in code for text in _python_cells(path)]
    return all(_is_repeatable(tree, own_modules) for tree in trees)


def _python_cells(path: Path) -> Iterator[str]:
    for cell in cells_of(path):
        if cell.language is Language.PYTHON:
            yield cell.text


def _is_repeatable(tree: ast.Module, own_modules: set[str]) -> bool:
    nodes = list(ast.walk(tree))
    imports = [each for each in nodes if isinstance(each, ast.Import | ast.ImportFrom)]
    imported = {alias.asname or alias.name for each in imports for alias in each.names}
    return all(_is_known(each, own_modules) for each in imports) and not any(
        _looks_elsewhere(node) or _gives_rows(node, imported) for node in nodes
    )


def _is_known(node: ast.Import | ast.ImportFrom, own_modules: set[str]) -> bool:
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    elif node.level:
        return True
    elif node.module == "pyspark":
        modules = [f"pyspark.{alias.name}" for alias in node.names]
    else:
        modules = [node.module or ""]
    return all(
        module.partition(".")[0] in _MODULES | own_modules
        or any(module == each or module.startswith(each + ".") for each in _SPARK_MODULES)
        for module in modules
    )


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
