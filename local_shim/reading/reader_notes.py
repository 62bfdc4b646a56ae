"""The format, options and schema of a reader, which Spark's readers keep in Java only."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql.types import StructType

from local_shim.reading.source_resolver import current_resolver

_ATTRIBUTE = "_dlt_local_notes"
NOTED = ("format", "option", "options", "schema")


@dataclass
class ReaderNotes:
    """The format, options and schema of a DataFrameReader or DataStreamReader."""

    format: str = ""
    options: dict[str, str] = field(default_factory=dict)
    schema: StructType | str | None = None

    @property
    def is_auto_loader(self) -> bool:
        """Whether the reader is one for files that arrive (`cloudFiles`)."""
        return self.format.lower() == "cloudfiles"

    @property
    def struct(self) -> StructType | None:
        """The schema as a type; Spark parses the text of one."""
        if self.schema is None or isinstance(self.schema, StructType):
            return self.schema
        parsed = StructType.fromDDL(self.schema)
        assert isinstance(parsed, StructType)
        return parsed

    def take(self, method: str, arguments: dict[str, Any]) -> None:
        """Notes one call of a reader's method; None is no value, as it is to Spark."""
        if method == "option":
            self.add_options({arguments["key"]: arguments["value"]})
        elif method == "options":
            self.add_options(arguments.get("options", {}))
        elif method == "format":
            self.format = str(arguments["source"])
        else:
            self.schema = arguments["schema"]

    def add_options(self, options: dict[str, Any]) -> None:
        """Options as Spark keeps them: text, without those that are None."""
        texts = {key: option_text(value) for key, value in options.items() if value is not None}
        self.options.update(texts)


def notes_of(reader: Any) -> ReaderNotes:
    """The notes on a reader, which begin empty."""
    notes: ReaderNotes = reader.__dict__.setdefault(_ATTRIBUTE, ReaderNotes())
    return notes


def option_text(value: Any) -> str:
    """An option's value as Spark writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def noting(method: str) -> Callable[[Any], Any]:
    """Makes the replacement of a reader's method that notes its arguments."""

    def replacement(original: Any) -> Any:
        signature = inspect.signature(original)

        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            notes, bound = notes_of(self), signature.bind(self, *args, **kwargs)
            notes.take(method, bound.arguments)
            # Spark has no data source of this name: `load` makes the stream from the notes.
            if method == "format" and notes.is_auto_loader:
                return self
            _map_path(bound.arguments)
            return original(*bound.args, **bound.kwargs)

        return call

    return replacement


def _map_path(arguments: dict[str, Any]) -> None:
    """Makes paths among the options ones of this machine, as the argument of `load` is."""
    resolver = current_resolver()
    if resolver is None:
        return
    of_paths = {"path": resolver.source_path, "basepath": resolver.path}

    def local(key: str, value: Any) -> Any:
        mapped = of_paths.get(key.lower())
        return value if mapped is None else mapped(str(value))

    if "key" in arguments:
        arguments["value"] = local(str(arguments["key"]), arguments["value"])
    if "options" in arguments:
        arguments["options"] = {k: local(k, v) for k, v in arguments["options"].items()}
