"""The names that Databricks puts into every source file and notebook."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from types import FrameType, ModuleType
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.classic.dataframe import DataFrame as ClassicDataFrame

from local_shim.dbutils.dbutils import DBUtils
from local_shim.graph.registry import active_registry, is_loading


def namespace(spark: SparkSession, dbutils: DBUtils) -> dict[str, Any]:
    """The names and their values; `sqlContext` is the session, which can do the same."""
    return {
        "spark": spark,
        "sc": spark.sparkContext,
        "sqlContext": spark,
        "sql": spark.sql,
        "table": spark.table,
        "udf": F.udf,
        "dbutils": dbutils,
        "getArgument": lambda *args, **kwargs: dbutils.widgets.getArgument(*args, **kwargs),
        "display": _display,
        "displayHTML": _display,
    }


def _display(*_: Any, **__: Any) -> None:
    """Shows nothing: a pipeline has nobody to show it to. Warns once, while files are loaded."""
    note = "display() shows nothing in a pipeline."
    if is_loading() and not any(warning.endswith(note) for warning in active_registry().warnings):
        active_registry().warn(note)


@contextmanager
def runtime_modules(spark: SparkSession, parameters: Mapping[str, str]) -> Iterator[None]:
    """Makes `databricks.sdk.runtime` and `pyspark.dbutils` importable for the block.

    The package `databricks-sdk` may be missing: then only its runtime module is there. Frames have
    Databricks' method `display` meanwhile.
    """
    dbutils: Any = _DBUtilsOfCaller(DBUtils(parameters))
    runtime, pyspark_dbutils = ModuleType("databricks.sdk.runtime"), ModuleType("pyspark.dbutils")
    runtime.__dict__.update(namespace(spark, dbutils))
    pyspark_dbutils.__dict__["DBUtils"] = lambda *_, **__: dbutils
    modules = {"databricks.sdk.runtime": runtime, "pyspark.dbutils": pyspark_dbutils}
    for parent in ("databricks", "databricks.sdk"):
        if not _is_installed(parent):
            package = ModuleType(parent)
            package.__path__ = []
            modules[parent] = package
    ClassicDataFrame.display = _display  # type: ignore[attr-defined]
    try:
        with modules_in_place(modules):
            yield
    finally:
        del ClassicDataFrame.display  # type: ignore[attr-defined]


class _DBUtilsOfCaller:
    """The `dbutils` that helper modules import: that of the source file that calls them.

    Each source file has widgets of its own. Code that none calls, as in a thread, has `default`.
    """

    def __init__(self, default: DBUtils):
        self.default = default

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked for by pickle, before there is a default
            raise AttributeError(name)
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            dbutils = frame.f_globals.get("dbutils")
            if frame.f_globals.get("__name__") == "__main__" and isinstance(dbutils, DBUtils):
                return getattr(dbutils, name)
            frame = frame.f_back
        return getattr(self.default, name)


@contextmanager
def modules_in_place(modules: Mapping[str, ModuleType]) -> Iterator[None]:
    """Puts modules into `sys.modules` and what was there back afterwards."""
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False
