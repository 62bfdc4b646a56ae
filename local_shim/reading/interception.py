"""Makes Spark's own reading methods ask the pipeline's world first.

The methods are replaced on the classes, not on one session object, because helpers of real
pipelines find their session in many ways. Outside of a world every method is what it was.

Read from PySpark 4.2.0: `sql/session.py` (`_instantiatedSession`) and `sql/classic/dataframe.py`,
whose DataFrame is the class that actions are replaced on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pyspark.sql import DataFrameReader, DataFrameWriter, SparkSession
from pyspark.sql.classic.dataframe import DataFrame as ClassicDataFrame
from pyspark.sql.conf import RuntimeConfig
from pyspark.sql.streaming.readwriter import DataStreamReader, DataStreamWriter
from pyspark.sql.types import StructType

from local_shim.errors import DefinitionError
from local_shim.reading.source_resolver import current_resolver, dataset_function, evaluating
from local_shim.reading.sql_names import resolve_names

_RECORDED = "_dlt_local_recorded"


def session() -> SparkSession:
    """The session that pipeline code sees."""
    found = SparkSession._instantiatedSession or SparkSession.getActiveSession()
    assert found is not None
    return found


@contextmanager
def opened() -> Iterator[set[str]]:
    """Puts the doors in place, and Spark's own methods back afterwards.

    Gives the set of configuration keys that pipeline code asks for meanwhile.
    """
    keys: set[str] = set()
    with ExitStack() as stack:
        for owner, name, make in [*_doors(), (RuntimeConfig, "get", _noting(keys))]:
            original = getattr(owner, name)
            setattr(owner, name, functools.wraps(original)(make(original)))
            stack.callback(setattr, owner, name, original)
        yield keys


def _noting(keys: set[str]) -> Callable[[Any], Any]:
    def door(original: Any) -> Any:
        def call(self: RuntimeConfig, key: str, *default: Any, **kwargs: Any) -> Any:
            if current_resolver() is not None:
                keys.add(key)
            return original(self, key, *default, **kwargs)

        return call

    return door


def _doors() -> list[tuple[type, str, Callable[[Any], Any]]]:
    doors: list[tuple[type, str, Callable[[Any], Any]]] = [
        (SparkSession, "table", _session_table),
        (SparkSession, "sql", _sql),
        (DataFrameReader, "table", _reader_table(streaming=False)),
        (DataStreamReader, "table", _reader_table(streaming=True)),
        (DataStreamReader, "load", _stream_load),
        (DataFrameReader, "load", _mapped_path),
    ]
    for reader in (DataFrameReader, DataStreamReader):
        doors += [(reader, name, _recording(name)) for name in ("format", "option", "options")]
        doors += [(reader, "schema", _recording("schema"))]
        doors += [
            (reader, name, _mapped_path) for name in ("csv", "json", "parquet", "text", "orc")
        ]
    doors += [(ClassicDataFrame, name, _refused(name)) for name in _ACTIONS]
    doors += [(DataFrameWriter, name, _refused(name)) for name in ("save", "saveAsTable")]
    doors += [(DataStreamWriter, name, _refused(name)) for name in ("start", "toTable")]
    return doors


_ACTIONS = ("collect", "count", "toPandas", "toLocalIterator", "take", "tail", "foreach", "show")


def _refused(name: str) -> Callable[[Any], Any]:
    def door(original: Any) -> Any:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            function = dataset_function()
            if function is not None:
                raise DefinitionError(
                    "ACTION_IN_DATASET_FUNCTION",
                    f"{name}() was called while the query of '{function}' was being built.",
                    hint="a dataset function only describes rows: return the DataFrame; "
                    "call actions at module level",
                )
            return original(self, *args, **kwargs)

        return call

    return door


def _session_table(original: Any) -> Any:
    def call(self: SparkSession, tableName: str) -> Any:
        found = _asked(tableName, False, {})
        return original(self, tableName) if found is None else found

    return call


def _reader_table(streaming: bool) -> Callable[[Any], Any]:
    def door(original: Any) -> Any:
        def call(self: Any, tableName: str) -> Any:
            found = _asked(tableName, streaming, _recorded(self)["options"])
            return original(self, tableName) if found is None else found

        return call

    return door


def _asked(name: str, streaming: bool, options: dict[str, str]) -> Any:
    current = current_resolver()
    return None if current is None else current.table(name, streaming, options)


def _sql(original: Any) -> Any:
    def call(self: SparkSession, sqlQuery: str, args: Any = None, **kwargs: Any) -> Any:
        current = current_resolver()
        if current is not None and not kwargs:
            with evaluating(None):
                sqlQuery = resolve_names(self, sqlQuery, current)
        return original(self, sqlQuery, args, **kwargs)

    return call


def _recorded(reader: Any) -> dict[str, Any]:
    found: dict[str, Any] = reader.__dict__.setdefault(
        _RECORDED, {"format": None, "options": {}, "schema": None}
    )
    return found


def _recording(name: str) -> Callable[[Any], Any]:
    """Spark's readers keep their settings in Java only; Auto Loader needs to know them."""

    def door(original: Any) -> Any:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            notes = _recorded(self)
            if name == "option":
                key, value = (*args, *kwargs.values())
                notes["options"][key] = _text(value)
            elif name == "options":
                notes["options"].update({key: _text(value) for key, value in kwargs.items()})
            else:
                notes[name] = (*args, *kwargs.values())[0]
            if name == "format" and str(notes["format"]).lower() == "cloudfiles":
                return self
            return original(self, *args, **kwargs)

        return call

    return door


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _stream_load(original: Any) -> Any:
    def call(
        self: Any, path: Any = None, format: Any = None, schema: Any = None, **options: Any
    ) -> Any:
        current, notes = current_resolver(), _recorded(self)
        kind = str(format or notes["format"] or "").lower()
        if current is None or kind != "cloudfiles":
            return _mapped_path(original)(self, path, format, schema, **options)
        settings = {**notes["options"], **{key: _text(value) for key, value in options.items()}}
        wanted = _struct(schema or notes["schema"])
        flow = dataset_function() or ""
        with evaluating(None):
            return current.cloud_files(
                flow, str(path or settings.pop("path", "")), settings, wanted
            )

    return call


def _struct(schema: Any) -> StructType | None:
    if schema is None or isinstance(schema, StructType):
        return schema
    parsed = StructType.fromDDL(str(schema))
    assert isinstance(parsed, StructType)
    return parsed


def _mapped_path(original: Any) -> Any:
    def call(self: Any, path: Any = None, *args: Any, **kwargs: Any) -> Any:
        current = current_resolver()
        if current is not None and isinstance(path, str):
            path = current.path(path)
        elif current is not None and isinstance(path, list):
            path = [current.path(each) if isinstance(each, str) else each for each in path]
        return (
            original(self, path, *args, **kwargs)
            if path is not None
            else original(self, *args, **kwargs)
        )

    return call
