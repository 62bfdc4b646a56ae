"""The context of a notebook, which `dbutils.notebook.entry_point` leads to."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from typing import Any

from local_shim.dbutils.refusals import refused

_HINT = "read the value from the configuration: spark.conf.get(KEY)"


class Option:
    """A value as Scala's `Option` gives it."""

    def __init__(self, value: str):
        self._value = value

    def get(self) -> str:
        """The value."""
        return self._value

    def getOrElse(self, default: Any) -> str:
        """The value, which is always there."""
        return self._value


class Tags:
    """The tags of the context; DefinitionError for one that belongs to a workspace."""

    def __init__(self, values: Mapping[str, str]):
        self._values = values

    def apply(self, key: str) -> str:
        """The value of a tag."""
        if key not in self._values:
            refused(f"the tag '{key}' of the notebook context", _HINT)()
        return self._values[key]

    def get(self, key: str) -> Option:
        """The value of a tag as an option."""
        return Option(self.apply(key))


class Context:
    """Who runs which notebook; DefinitionError for what belongs to a workspace."""

    def __init__(self, path: str):
        self._path = path

    def notebookPath(self) -> Option:
        """The path of the source file without its suffix, as notebooks have none there."""
        return Option(self._path)

    def userName(self) -> Option:
        """The user of this machine."""
        return Option(getpass.getuser())

    def tags(self) -> Tags:
        """The tag `user`."""
        return Tags({"user": getpass.getuser()})

    def __getattr__(self, name: str) -> Any:
        return refused(f"{name}() of the notebook context", _HINT)


class EntryPoint:
    """The steps on the way to the context."""

    def __init__(self, path: str):
        self._path = path

    def getDbutils(self) -> EntryPoint:
        """This object."""
        return self

    def notebook(self) -> EntryPoint:
        """This object."""
        return self

    def getContext(self) -> Context:
        """The context of the source file."""
        return Context(self._path)
