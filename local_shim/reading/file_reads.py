"""Replacements of the readers' methods that take paths."""

from __future__ import annotations

import inspect
from typing import Any

from local_shim.errors import DefinitionError
from local_shim.reading.reader_notes import ReaderNotes, notes_of
from local_shim.reading.source_resolver import (
    SourceResolver,
    current_resolver,
    dataset_function,
    without_interception,
)
from local_shim.sql_text import quote

# A format's own method (`csv`, `json`, …) reads as `format(…).load(…)` does.
FORMAT_METHODS = ("csv", "json", "orc", "parquet", "text", "xml")


def batch_load(original: Any) -> Any:
    """`DataFrameReader.load`, which reads no Auto Loader stream."""
    mapped = with_local_paths(original)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        notes = _notes_with(self, inspect.signature(original).bind(self, *args, **kwargs))
        if current_resolver() is not None and notes.is_auto_loader:
            raise DefinitionError(
                "CLOUD_FILES_IN_BATCH",
                f"{_reader()} reads format 'cloudFiles' with spark.read, but Auto Loader gives a "
                "stream.",
                hint="write spark.readStream.format('cloudFiles'), "
                "or spark.read with the format of the files",
            )
        return mapped(self, *args, **kwargs)

    return call


def _reader() -> str:
    function = dataset_function()
    return f"the query of '{function}'" if function else "the source file"


def stream_load(original: Any) -> Any:
    """`DataStreamReader.load`, also of Auto Loader streams and Delta tables."""
    mapped = with_local_paths(original)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        bound = inspect.signature(original).bind(self, *args, **kwargs)
        notes, resolver = _notes_with(self, bound), current_resolver()
        path = str(bound.arguments.get("path") or notes.options.pop("path", ""))
        if resolver is not None and notes.format.lower() == "delta" and path:
            return resolver.table(f"delta.{quote(path)}", True, notes.options)
        if not notes.is_auto_loader:
            return mapped(self, *args, **kwargs)
        if resolver is None:
            raise DefinitionError(
                "CLOUD_FILES_OUTSIDE_OF_A_PIPELINE",
                "Auto Loader (format 'cloudFiles') works in a pipeline's source files only.",
            )
        return _auto_loader(resolver, notes, path)

    return call


def _auto_loader(resolver: SourceResolver, notes: ReaderNotes, path: str) -> Any:
    schema, flow = notes.struct, dataset_function() or ""
    with without_interception():
        return resolver.cloud_files(flow, path, notes.options, schema)


def _notes_with(reader: Any, bound: inspect.BoundArguments) -> ReaderNotes:
    """The reader's notes with what this one call adds to them."""
    earlier, arguments = notes_of(reader), bound.arguments
    notes = ReaderNotes(
        str(arguments.get("format") or earlier.format),
        dict(earlier.options),
        arguments.get("schema") or earlier.schema,
    )
    notes.add_options(arguments.get("options", {}))
    return notes


def with_local_paths(original: Any) -> Any:
    """A method whose first argument is a path or several, which `--path` may map."""
    signature = inspect.signature(original)
    several = any(each.kind is each.VAR_POSITIONAL for each in signature.parameters.values())

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        resolver = current_resolver()
        if resolver is not None:
            kwargs = {
                key: _local(value, resolver) if key in ("path", "paths") else value
                for key, value in kwargs.items()
            }
            mapped = len(args) if several else 1
            args = (*(_local(each, resolver) for each in args[:mapped]), *args[mapped:])
        return original(self, *args, **kwargs)

    return call


def _local(path: Any, resolver: SourceResolver) -> Any:
    """The path on this machine; what is no path (an RDD, say) is left as it is."""
    if isinstance(path, str):
        return resolver.source_path(path)
    if isinstance(path, list):
        return [_local(each, resolver) for each in path]
    return path
