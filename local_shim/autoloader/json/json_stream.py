"""JSON: one record a line, or one document a file; fields by name, the rest rescued."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql.types import MapType, StructType

from local_shim.autoloader import rescue
from local_shim.autoloader.files.bad_records import with_accepted
from local_shim.autoloader.json.inference import json_fields
from local_shim.autoloader.json.json_columns import RECORD, JsonColumns
from local_shim.autoloader.json.json_format import JsonFormat, json_format
from local_shim.autoloader.nested_types import inner_types
from local_shim.autoloader.schema import (
    StreamColumns,
    columns_of_declared,
    columns_of_inferred,
    inferred_or_stored_schema,
)
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.autoloader.source_folder import SourceFolder, lines_sql
from local_shim.errors import DefinitionError


def json_stream(
    folder: SourceFolder, schema: StructType | None, store: SchemaStore, *, remember: bool
) -> DataFrame:
    """The stream over JSON files; see `open_stream`."""
    options = folder.options
    if schema is not None:
        return _frame(
            folder, columns_of_declared(schema, options, folder.partitions), watched=False
        )
    files = folder.files if store.latest() is None else folder.new
    inferred = json_fields(files, json_format(options))
    file_schema = inferred_or_stored_schema(inferred, options, store, remember=remember)
    expected = columns_of_inferred(file_schema, options, folder.partitions)
    watched = options.evolution not in ("none", "rescue")
    return _frame(folder, expected, watched=watched)


def _refuse_map_keys(columns: StructType) -> None:
    for field in columns.fields:
        for kind in inner_types(field.dataType):
            if isinstance(kind, MapType) and not rescue.is_text(kind.keyType):
                raise DefinitionError(
                    "INVALID_JSON_MAP_KEY_TYPE",
                    f"the column '{field.name}' has the type {kind.simpleString()}, "
                    "but the keys of a JSON object are text.",
                    hint="declare the keys as STRING",
                )


def _frame(folder: SourceFolder, expected: StreamColumns, *, watched: bool) -> DataFrame:
    _refuse_map_keys(expected.data)
    plan = JsonColumns(folder.options, expected)
    frame = _texts(folder, json_format(folder.options), watched=watched)
    frame = frame.where("trim(value) != ''").selectExpr(f"explode({_records(plan)}) AS {RECORD}")
    frame = frame.selectExpr(*plan.parsed())
    return with_accepted(frame, folder.options, plan.broken()).selectExpr(*plan.columns())


def _texts(folder: SourceFolder, form: JsonFormat, *, watched: bool) -> DataFrame:
    """The lines of the files as `value`, or whole files if records span lines."""
    if form.multi_line:
        return folder.load_texts(form.encoding, watched=watched)
    if not form.is_utf8:
        texts = folder.load_texts(form.encoding, watched=watched)
        return texts.selectExpr(f"explode({lines_sql(form.line_separator)}) AS value")
    settings = {"lineSep": form.line_separator} if form.line_separator else {}
    return folder.load("text", "value STRING", settings, watched=watched)


def _records(columns: JsonColumns) -> str:
    """SQL text: the records of a line or file, which may hold an array of them.

    A VARIANT keeps the digits of numbers, but reads standard JSON only. A broken array stays a
    single record.
    """
    elements = "transform(try_cast(try_parse_json(value) AS ARRAY<VARIANT>), v -> to_json(v))"
    others = f"from_json(value, 'ARRAY<STRING>'{columns.parser_options()})"
    records = f"coalesce({elements}, {others}, array(value))"
    return f"if(ltrim(value) LIKE '[%', {records}, array(value))"
