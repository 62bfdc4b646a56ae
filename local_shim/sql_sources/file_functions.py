"""The table functions that read files: `read_files`, `cloud_files` and `list_files`.

Each call in a query is replaced by a temporary view. With STREAM a call is an Auto Loader stream;
without it, the same columns and rows are read in batch.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from local_shim.errors import DefinitionError
from local_shim.graph.elements import SourceLocation
from local_shim.graph.names import parts
from local_shim.reading.auto_loader_options import HONOURED, IGNORED, OF_JOBS
from local_shim.reading.source_resolver import current_resolver, without_interception
from local_shim.sql_sources.file_format import format_of_files
from local_shim.sql_sources.file_metadata import COLUMN, RENAMED, metadata_edits
from local_shim.sql_sources.grammar.reader import Reader
from local_shim.sql_sources.grammar.source_text import SourceText
from local_shim.sql_sources.grammar.tokens import Token, tokens
from local_shim.sql_text import Edit

_FUNCTIONS = ("READ_FILES", "CLOUD_FILES", "LIST_FILES")
_VIEW = "__dlt_files_"
_counter = itertools.count()

_AUTO_LOADER = frozenset(name.lower() for name in (*HONOURED, *OF_JOBS, *IGNORED))


@dataclass(frozen=True)
class FilesCall:
    """One call in a query: where it stands, and what it reads."""

    start: int
    stop: int
    function: str
    streaming: bool
    path: str
    options: Mapping[str, str]


def with_file_views(
    spark: SparkSession, source: SourceText, constant: Callable[[str], str]
) -> SourceText:
    """The query with a temporary view in the place of each call."""

    def view(call: FilesCall, edits: list[Edit]) -> str:
        name = f"{_VIEW}{next(_counter)}"
        frame = _frame(spark, call, source.line(call.start))
        if edits:
            frame = frame.select("*", F.col(COLUMN).alias(RENAMED))
        frame.createOrReplaceTempView(name)
        return name

    return _replaced(source, constant, view)


def without_file_calls(source: SourceText, constant: Callable[[str], str]) -> SourceText:
    """The query with some name in the place of each call, for Spark's parser."""
    return _replaced(source, constant, lambda call, edits: _VIEW)


def _replaced(
    source: SourceText,
    constant: Callable[[str], str],
    name: Callable[[FilesCall, list[Edit]], str],
) -> SourceText:
    every, edits = tokens(source), set[Edit]()
    for call in files_calls(source, constant):
        of_metadata = metadata_edits(every, call.start, call.stop)
        edits |= {*of_metadata, Edit(call.start, call.stop, name(call, of_metadata))}
    return source.edited(edits)


def files_calls(source: SourceText, constant: Callable[[str], str]) -> list[FilesCall]:
    """The calls of a query, in the order of the text."""
    every = tokens(source)
    calls = []
    for index, token in enumerate(every[:-1]):
        if any(map(token.is_word, _FUNCTIONS)) and every[index + 1].is_word("("):
            calls.append(_call(source, every, index, constant))
    return calls


def _call(
    source: SourceText, every: list[Token], index: int, constant: Callable[[str], str]
) -> FilesCall:
    function = every[index].text.lower()
    reader = Reader(source, every[index + 1 :], constant)
    arguments = reader.parenthesized()
    start, stop = every[index].start, arguments.closing
    streaming = function == "cloud_files"
    before = every[index - 1] if index else None
    if before is not None and before.is_word("STREAM"):
        streaming, start = True, before.start
    elif index > 1 and before is not None and before.is_word("("):
        outer = every[index - 2]
        if outer.is_word("STREAM"):
            streaming, start = True, outer.start
            stop = next(each.stop for each in every if each.start >= stop)  # STREAM's parenthesis
    path, options = _arguments(arguments, function, constant)
    return FilesCall(start, stop, function, streaming, path, options)


def _arguments(
    arguments: Reader, function: str, constant: Callable[[str], str]
) -> tuple[str, dict[str, str]]:
    items = arguments.separated()
    if not items:
        raise arguments.error(f"{function} needs a path.")
    path = constant(str(items[0].rest()))
    if function == "cloud_files":
        return path, _legacy_options(items[1:], constant)
    options = {}
    for item in items[1:]:
        key = ".".join(parts(str(item.until((("=>",), ("=",))))))
        if not item.accept("=>"):
            raise item.error("an option is a name, => and a value.", "write format => 'csv'")
        options[key] = _value(str(item.rest()), constant)
    return path, options


def _value(expression: str, constant: Callable[[str], str]) -> str:
    """The value of an option; a text may stand between three double quotes, as schemas do."""
    three = '"""'
    if len(expression) >= 6 and expression.startswith(three) and expression.endswith(three):
        return expression[3:-3]
    return constant(expression)


def _legacy_options(items: list[Reader], constant: Callable[[str], str]) -> dict[str, str]:
    """The format, and a map of options with or without the prefix `cloudFiles.`."""
    options = {"format": constant(str(items[0].rest()))} if items else {}
    if len(items) > 1:
        items[1].expect("MAP")
        pairs = [constant(str(each.rest())) for each in items[1].items()]
        if len(pairs) % 2:
            raise items[1].error("map(…) needs a value for each key.")
        named = zip(pairs[::2], pairs[1::2], strict=True)
        options |= {key.removeprefix("cloudFiles."): value for key, value in named}
    return options


def _frame(spark: SparkSession, call: FilesCall, where: SourceLocation) -> DataFrame:
    if call.function == "list_files":
        return _listing(spark, call)
    options = dict(call.options)
    schema = options.pop("schema", None)
    if "format" not in {key.lower() for key in options}:
        options["format"] = _format(call, where)
    if call.function == "read_files":
        options.setdefault("inferColumnTypes", "true")
    named = {
        f"cloudFiles.{key}" if key.lower() in _AUTO_LOADER else key: value
        for key, value in options.items()
    }
    if call.streaming:
        reader = spark.readStream.format("cloudFiles").options(**named)
        return (reader.schema(schema) if schema else reader).load(call.path)
    return _batch(call.path, named, schema)


def _format(call: FilesCall, where: SourceLocation) -> str:
    """The format that the names of the files say; DefinitionError if they say none."""
    resolver = current_resolver()
    assert resolver is not None  # queries run inside of flows
    file_format = format_of_files(resolver.path(call.path))
    if file_format is None:
        raise DefinitionError(
            "READ_FILES_WITHOUT_FORMAT",
            f"{call.function}('{call.path}') does not name the format of its files, and no file"
            " there has the ending of one.",
            where=where,
            hint="add format => 'csv', or say where the files lie here: --path FROM=TO",
        )
    return file_format


def _batch(path: str, options: Mapping[str, str], schema: str | None) -> DataFrame:
    resolver = current_resolver()
    assert resolver is not None  # queries run inside of flows
    columns = StructType.fromDDL(schema) if schema else None
    assert columns is None or isinstance(columns, StructType)
    with without_interception():
        return resolver.read_files(path, options, columns)


def _listing(spark: SparkSession, call: FilesCall) -> DataFrame:
    """Paths, names, sizes in bytes and times of the files below a folder."""
    files = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(call.path)
    return files.select(
        "path",
        F.element_at(F.split("path", "/"), -1).alias("name"),
        F.col("length").alias("size"),
        F.col("modificationTime").alias("modification_time"),
    )
