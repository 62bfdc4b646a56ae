"""JSON: one record a line, or one document a file; fields by name, the rest rescued.

Each record is parsed into a map of raw texts, in which nothing is lost, and, if columns have
types, once more into typed values; a field that is in the map and not in the values did not fit.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, MapType, StructField, StructType

from local_shim.autoloader import rescue
from local_shim.autoloader.json.inference import json_fields
from local_shim.autoloader.json.unknown_fields import unknown_fields
from local_shim.autoloader.nested_types import columns_text, inner_types, type_text
from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.autoloader.partitions import partition_value
from local_shim.autoloader.rescue import CORRUPT_KEY, FILE_KEY, FILE_PATH
from local_shim.autoloader.schema import (
    StreamColumns,
    columns_of_declared,
    columns_of_inferred,
    inferred_or_stored_schema,
)
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.autoloader.source_folder import SourceFolder
from local_shim.errors import DefinitionError
from local_shim.sql_text import among, literal, quote

_RECORD, _MAP, _ROW = "__record", "__map", "__row"
# Options that `from_json` must not get, as this module follows them itself.
_STREAM_OPTIONS = {
    "charset",
    "columnnameofcorruptrecord",
    "encoding",
    "header",
    "mergeschema",
    "mode",
    "multiline",
}
# Without this, Jackson takes a record with a text of more than 20,000,000 characters for broken.
_LONGEST_TEXT = str(2**31 - 1)
_OTHER_SYNTAX = (
    "allowBackslashEscapingAnyCharacter",
    "allowComments",
    "allowNumericLeadingZeros",
    "allowUnquotedControlChars",
    "allowUnquotedFieldNames",
)


def json_stream(
    folder: SourceFolder, schema: StructType | None, store: SchemaStore, *, remember: bool
) -> DataFrame:
    """The stream over JSON files; see `open_stream`."""
    options = folder.options
    _refuse_what_is_missing(options)
    if schema is not None:
        return _frame(
            folder, columns_of_declared(schema, options, folder.partitions), watched=False
        )
    _refuse_other_syntax(options)
    files = folder.files if store.latest() is None else folder.new
    multi_line = options.flag("multiline")
    inferred = json_fields(files, multi_line=multi_line, typed=options.infer_column_types)
    file_schema = inferred_or_stored_schema(inferred, options, store, remember=remember)
    expected = columns_of_inferred(file_schema, options, folder.partitions)
    watched = options.evolution not in ("none", "rescue")
    return _frame(folder, expected, watched=watched)


def _refuse_what_is_missing(options: CloudFilesOptions) -> None:
    if not options.case_sensitive:
        raise DefinitionError(
            "CF_UNSUPPORTED_OPTION",
            "readerCaseSensitive=false is not there yet for JSON in the local runner.",
            hint="leave it out: fields in another case then go to _rescued_data",
        )
    encoding = options.get("encoding") or options.get("charset") or "UTF-8"
    if encoding.upper().replace("-", "") != "UTF8":
        raise DefinitionError("CF_UNSUPPORTED_OPTION", "JSON files are read as UTF-8 only.")


def _refuse_other_syntax(options: CloudFilesOptions) -> None:
    for name in _OTHER_SYNTAX:
        if options.flag(name):
            raise DefinitionError(
                "CF_UNSUPPORTED_OPTION",
                f"the local runner infers the schema of standard JSON only, without {name}.",
                hint="declare the schema with .schema(…), then the option is honoured",
            )


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
    plan = _JsonPlan(folder.options, expected)
    whole = str(folder.options.flag("multiline")).lower()
    frame = folder.load("text", "value STRING", {"wholetext": whole}, watched=watched)
    frame = frame.where("trim(value) != ''").selectExpr(f"explode({_RECORDS}) AS {_RECORD}")
    frame = frame.selectExpr(*plan.parsed())
    mode = folder.options.get("mode", "PERMISSIVE").upper()
    if mode == "DROPMALFORMED":
        frame = frame.where(f"{_MAP} IS NOT NULL")
    if mode == "FAILFAST":
        frame = frame.where(f"if({_MAP} IS NULL, {_refused_record()}, true)")
    return frame.selectExpr(*plan.columns())


# A line or file may hold an array of records; a broken one stays a single record.
_ELEMENTS = "transform(try_cast(try_parse_json(value) AS ARRAY<VARIANT>), v -> to_json(v))"
_RECORDS = f"if(ltrim(value) LIKE '[%', coalesce({_ELEMENTS}, array(value)), array(value))"


def _refused_record() -> str:
    text = literal("[MALFORMED_RECORD_IN_PARSING] mode FAILFAST: a record of ")
    error = f"raise_error(concat({text}, {FILE_PATH}, ' is malformed: ', {_RECORD}))"
    return f"cast({error} AS BOOLEAN)"


@dataclass(frozen=True)
class _JsonPlan:
    """The SQL texts of one JSON stream."""

    options: CloudFilesOptions
    expected: StreamColumns

    @property
    def typed(self) -> list[StructField]:
        return [field for field in self.expected.data if not rescue.is_text(field.dataType)]

    def parsed(self) -> list[str]:
        texts = [_RECORD, f"from_json({_RECORD}, 'MAP<STRING, STRING>'{self._options()}) AS {_MAP}"]
        if self.typed:
            fields = literal(columns_text(self.typed))
            texts.append(f"from_json({_RECORD}, {fields}{self._options()}) AS {_ROW}")
        return texts

    def _options(self, **more: str) -> str:
        own = {key: value for key, value in self.options.reader if key not in _STREAM_OPTIONS}
        values = {"maxStringLen": _LONGEST_TEXT, **own, **more}
        pairs = [f"{literal(key)}, {literal(value)}" for key, value in values.items()]
        return f", map({', '.join(pairs)})"

    def columns(self) -> list[str]:
        return [f"{self._column(field)} AS {quote(field.name)}" for field in self.expected.columns]

    def _column(self, field: StructField) -> str:
        if field.name == self.expected.rescued:
            return self._rescued()
        if field.name == self.expected.corrupt:
            return self._corrupt()
        if field.name in self.expected.partitions:
            return rescue.typed(partition_value(field.name), field.dataType, self.options)
        if rescue.is_text(field.dataType):
            return f"{_MAP}[{literal(field.name)}]"
        return f"{_ROW}.{quote(field.name)}"

    def _corrupt(self) -> str:
        return f"if({_MAP} IS NULL, {_RECORD}, NULL)"

    def _rescued(self) -> str:
        names = [field.name for field in self.expected.data]
        cases = [f"NOT ({among('k', names)})"] if names else ["true"]
        cases += [f"(k = {literal(f.name)} AND {self._misfit(f)})" for f in self.typed]
        misfits = f"map_filter({_MAP}, (k, v) -> v IS NOT NULL AND ({' OR '.join(cases)}))"
        entries = f"coalesce({misfits}, cast(map() AS MAP<STRING, STRING>))"
        if self.expected.corrupt is None:
            whole = f"map({literal(CORRUPT_KEY)}, {self._corrupt()})"
            entries = f"map_concat({entries}, map_filter({whole}, (k, v) -> v IS NOT NULL))"
        path = f"map({literal(FILE_KEY)}, {FILE_PATH})"
        return f"if(cardinality({entries}) > 0, to_json(map_concat({entries}, {path})), NULL)"

    def _misfit(self, field: StructField) -> str:
        """Whether a present field has no value, or one with a part that the type does not hold."""
        missing = f"{_ROW}.{quote(field.name)} IS NULL"
        if not isinstance(field.dataType, (ArrayType, MapType, StructType)):
            return missing
        schema = literal(f"v {type_text(field.dataType)}, bad STRING")
        options = self._options(columnNameOfCorruptRecord="bad")
        reparsed = f"from_json(concat('{{\"v\":', v, '}}'), {schema}{options})"
        unknown = unknown_fields("v", field.dataType, self._options()) or "false"
        return f"({missing} OR {reparsed}.bad IS NOT NULL OR {unknown})"
