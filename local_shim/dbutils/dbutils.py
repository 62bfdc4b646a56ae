"""`dbutils` itself: its parts, and those that do nothing or do not run here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from local_shim.dbutils.context import Context, EntryPoint
from local_shim.dbutils.file_system import FileSystem
from local_shim.dbutils.refusals import refused
from local_shim.dbutils.secrets import Secrets
from local_shim.dbutils.widgets import Widgets


class NotebookExit(Exception):
    """Raised by `dbutils.notebook.exit`; the notebook ends there, and that is no error."""


class Notebook:
    """The functions of `dbutils.notebook`."""

    run = refused(
        "dbutils.notebook.run",
        "a pipeline runs its own notebooks; share code by %run or by a module",
    )

    def __init__(self, path: str):
        self.entry_point = EntryPoint(path)

    def getContext(self) -> Context:
        """The context of the source file."""
        return self.entry_point.getContext()

    def exit(self, value: object = None) -> NoReturn:
        """Ends the notebook."""
        raise NotebookExit(value)


class Library:
    """The functions of `dbutils.library`."""

    def restartPython(self) -> None:
        """Nothing to do: packages are installed before the update starts."""


class TaskValues:
    """The functions of `dbutils.jobs.taskValues`; a pipeline is no task of a job here."""

    def get(self, taskKey: str, key: str, default: Any = None, debugValue: Any = None) -> Any:
        """The value for debugging, as outside of a job, or the default."""
        return default if debugValue is None else debugValue

    def set(self, key: str, value: Any) -> None:
        """Nothing to do: no other task reads the value."""


class Jobs:
    """The functions of `dbutils.jobs`."""

    def __init__(self) -> None:
        self.taskValues = TaskValues()


class DBUtils:
    """The object that Databricks gives to every file and notebook."""

    def __init__(self, parameters: Mapping[str, str], path: str = ""):
        """`parameters` are the values of widgets, `path` is the source file without its suffix."""
        self.fs = FileSystem()
        self.secrets = Secrets()
        self.widgets = Widgets(parameters)
        self.notebook = Notebook(path)
        self.library = Library()
        self.jobs = Jobs()

    def help(self, name: str | None = None) -> None:
        """Nothing to show in a pipeline."""
