"""Runs a pipeline's source files, which only declare: datasets and flows go to the registry."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from types import ModuleType

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from local_shim import dlt_api
from local_shim.dbutils.dbutils import DBUtils, NotebookExit
from local_shim.errors import DefinitionError, ShimError, close_match, raise_all
from local_shim.graph.analysis.query_errors import at
from local_shim.graph.declared_at import raised_at
from local_shim.graph.elements import SourceLocation
from local_shim.graph.registry import Registry, activated
from local_shim.loading.cells import Cell, Language
from local_shim.loading.namespace import namespace
from local_shim.loading.source_files import SUFFIXES, cells_of
from local_shim.pipeline_spec.pipeline import PipelineSpec
from local_shim.sql_sources.declare import SqlSource
from local_shim.sql_sources.grammar.source_text import SourceText

_MAIN = "__main__"


def load(spec: PipelineSpec, spark: SparkSession, registry: Registry) -> None:
    """Runs every source file; raises what is wrong in all of them at once."""
    errors: list[ShimError] = []
    with activated(registry):
        for path in spec.sources:
            try:
                SourceModule(path, spark, registry, spec.root).run()
            except ShimError as error:
                errors += getattr(error, "errors", [error])
    raise_all(errors)


class SourceModule:
    """A source file while it runs: its cells share one namespace and one SQL state."""

    def __init__(self, path: Path, spark: SparkSession, registry: Registry, root: Path | None):
        self.path = path
        self.root = root
        self.registry = registry
        self.sql = SqlSource(registry)
        values = {**registry.configuration, **registry.parameters}
        self.namespace = namespace(spark, DBUtils(values, str(path.with_suffix(""))))

    def run(self) -> None:
        """Runs the cells in order, up to the end or to `dbutils.notebook.exit`.

        Relative paths mean files beside the source file, as on Databricks: `open("rules.yml")`,
        `sys.path.append(os.path.abspath(".."))`.
        """
        cells = cells_of(self.path)
        with _as_main(self.path) as module, chdir(self.path.parent):
            module.__dict__.update(self.namespace)
            try:
                self._run_cells(cells, module, [self.path])
            except NotebookExit:
                return
            finally:
                self.registry.keys_read |= self.namespace["dbutils"].widgets.names_read

    def _run_cells(self, cells: list[Cell], module: ModuleType, chain: list[Path]) -> None:
        for cell in cells:
            for command in cell.commands:
                self.registry.warnings.append(f"{cell.where}: '{command}' is not run here.")
            if cell.language is Language.PYTHON:
                _execute(cell, module)
            elif cell.language is Language.SQL:
                source = SourceText(cell.text, cell.file, cell.line)
                self.sql.declare(source, skip_others=cell.in_other_notebook)
            elif cell.language is Language.RUN:
                self._run_other(cell, module, chain)

    def _run_other(self, cell: Cell, module: ModuleType, chain: list[Path]) -> None:
        """`%run`: the cells of another notebook, in the same namespace (`$name=value` to it)."""
        name, arguments = _run_arguments(cell)
        path = self._notebook(name, cell, chain[-1].parent)
        if path in chain:
            names = " → ".join(each.name for each in [*chain, path])
            raise DefinitionError(
                "CIRCULAR_RUN", f"notebooks run each other: {names}.", where=cell.where
            )
        self.registry.notebooks.append(path)
        self.namespace["dbutils"].widgets.assign(arguments)
        try:
            self._run_cells(cells_of(path), module, [*chain, path])
        except NotebookExit:
            return

    def _notebook(self, name: str, cell: Cell, folder: Path) -> Path:
        """The file that a path of `%run` means: relative to its notebook, or to the root."""
        relative = name.removeprefix("/Workspace").lstrip("/")
        bases = [folder] if not name.startswith("/") else [self.root or folder, folder]
        for base in bases:
            for suffix in ("", *SUFFIXES):
                path = Path(f"{base / relative}{suffix}").resolve()
                if path.suffix in SUFFIXES and path.is_file():
                    return path
        beside = [each.stem for each in folder.iterdir() if each.suffix in SUFFIXES]
        raise DefinitionError(
            "NOTEBOOK_NOT_FOUND",
            f"'%run {name}' finds no notebook.",
            where=cell.where,
            hint=close_match(Path(relative).name, beside),
        )


def _run_arguments(cell: Cell) -> tuple[str, Mapping[str, str]]:
    """The path, which may be quoted, and the values of widgets: `%run ./a $env="dev"`."""
    try:
        words = shlex.split(cell.text)
    except ValueError as error:
        raise DefinitionError(
            "NOTEBOOK_NOT_FOUND",
            f"'%run {cell.text}' cannot be read: {error}.",
            where=cell.where,
            hint='put a path with blanks or quotes between double quotes: %run "./my notebook"',
        ) from error
    path = [word for word in words if not word.startswith("$")]
    pairs = (word[1:].partition("=") for word in words if word.startswith("$"))
    return " ".join(path), {key: value for key, _, value in pairs}


def _execute(cell: Cell, module: ModuleType) -> None:
    """Runs Python code; its line numbers are those of the file."""
    text = "\n" * (cell.line - 1) + cell.text
    try:
        exec(compile(text, cell.file, "exec", dont_inherit=True), module.__dict__)
    except NotebookExit:
        raise
    except ShimError as error:
        if error.where:
            raise
        raise at(error, raised_at(error.__traceback__)) from error
    except (Exception, SystemExit) as error:
        raise _failure(cell.file, error) from error


@contextmanager
def _as_main(path: Path) -> Iterator[ModuleType]:
    """A module for one source file, which is `__main__` while its code runs, as on Databricks.

    Dataclasses and pydantic look their module up in `sys.modules`. Spark ships functions and
    classes of `__main__` to its Python workers by value; no worker could import the file.
    """
    module = ModuleType(_MAIN)
    module.__file__ = str(path)
    before = sys.modules[_MAIN]
    sys.modules[_MAIN] = module
    try:
        yield module
    finally:
        sys.modules[_MAIN] = before


def _failure(file: str, error: BaseException) -> DefinitionError:
    """The user's own exception, with the line of the file that raised it."""
    where = raised_at(error.__traceback__) or SourceLocation(file, 1)
    if isinstance(error, SyntaxError):
        where = SourceLocation(error.filename or file, error.lineno or 1)
    message = f"{type(error).__name__}: {error}".replace(f"module '{dlt_api.__name__}'", "dlt")
    return DefinitionError("SOURCE_FILE_FAILED", message, where=where, hint=_hint(error))


# Folders of Databricks that Python code opens.
_CLOUD_FOLDERS = ("/Volumes/", "/Workspace/", "/databricks-datasets/", "/dbfs/", "/mnt/")


# What to write for statements and calls that make tables in a catalog at once.
_DECLARE = "Spark has no such catalog here: declare tables, which flows fill"
# By Spark's error condition.
_SPARK_HINTS = {
    "PATH_NOT_FOUND": "create it, or say where it lies here: --path FROM=TO",
    "REQUIRES_SINGLE_PART_NAMESPACE": _DECLARE,
    "SQL_CONF_NOT_FOUND": "set it: --conf KEY=VALUE",
    "TABLE_OR_VIEW_NOT_FOUND": "tables of earlier updates are known here, and those whose rows are"
    " given: --path CATALOG.SCHEMA.TABLE=DIR",
}


def _hint(error: BaseException) -> str:
    """What to do about an exception of the user's code, where that is known."""
    if isinstance(error, ModuleNotFoundError):
        return "install it with pip, or put the module below the pipeline's root_path"
    if isinstance(error, FileNotFoundError) and str(error.filename).startswith(_CLOUD_FOLDERS):
        return f"say where it lies here: --path /{str(error.filename).split('/')[1]}/=DIR"
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        return close_match(error.name or "", [name for name in dir(error.obj) if name[0] != "_"])
    if isinstance(error, SyntaxError) and (error.text or "").lstrip().startswith("%"):
        return "commands with % run in notebooks, whose first line is # Databricks notebook source"
    if isinstance(error, PySparkException):
        of_catalog = "Couldn't find a catalog" in str(error)
        return _DECLARE if of_catalog else _SPARK_HINTS.get(error.getCondition() or "", "")
    return ""
