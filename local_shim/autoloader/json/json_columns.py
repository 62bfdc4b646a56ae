"""The columns of a JSON stream as SQL text.

Each record is parsed into a map of raw texts, in which nothing is lost, and, if columns have
types, once more into typed values; a field that is in the map and not in the values did not fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyspark.sql.types import ArrayType, MapType, StructField, StructType

from local_shim.autoloader import rescue
from local_shim.autoloader.json.numbers import as_written
from local_shim.autoloader.json.unknown_fields import unknown_fields
from local_shim.autoloader.nested_types import columns_text, inner_types, type_text
from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.autoloader.partitions import partition_value
from local_shim.autoloader.rescue import CORRUPT_KEY, FILE_KEY, FILE_PATH
from local_shim.autoloader.schema import StreamColumns
from local_shim.sql_text import among, literal, quote

RECORD, MAP, _ROW = "__record", "__map", "__row"
# Options that `from_json` must not get, as the stream follows them itself.
_STREAM_OPTIONS = {
    "badrecordspath",
    "charset",
    "columnnameofcorruptrecord",
    "encoding",
    "header",
    "linesep",
    "mergeschema",
    "mode",
    "multiline",
}
# Without this, Jackson takes a record with a text of more than 20,000,000 characters for broken.
_LONGEST_TEXT = str(2**31 - 1)


@dataclass(frozen=True)
class JsonColumns:
    """The SQL texts of one JSON stream."""

    options: CloudFilesOptions
    expected: StreamColumns

    @property
    def typed(self) -> list[StructField]:
        return [field for field in self.expected.data if not rescue.is_text(field.dataType)]

    def parsed(self) -> list[str]:
        options = self.parser_options()
        entries = f"from_json({RECORD}, 'MAP<STRING, STRING>'{options})"
        texts = [
            RECORD,
            f"transform_values({entries}, (k, v) -> {as_written(RECORD, 'k', 'v')}) AS {MAP}",
        ]
        if self.typed:
            fields = literal(columns_text(self.typed))
            texts.append(f"from_json({self._canonical(RECORD)}, {fields}{options}) AS {_ROW}")
        return texts

    def parser_options(self, **more: str) -> str:
        """The last argument of `from_json`, with a comma in front."""
        settings = self.options.reader_without(_STREAM_OPTIONS)
        values = {"maxStringLen": _LONGEST_TEXT, **settings, **more}
        pairs = [f"{literal(key)}, {literal(value)}" for key, value in values.items()]
        return f", map({', '.join(pairs)})"

    def columns(self) -> list[str]:
        return [f"{self._column(field)} AS {quote(field.name)}" for field in self.expected.columns]

    def _column(self, field: StructField) -> str:
        if field.name == self.expected.rescued:
            return self._rescued()
        if field.name == self.expected.corrupt:
            return self.broken()
        if field.name in self.expected.partitions:
            return rescue.typed(partition_value(field.name), field.dataType, self.options)
        if not rescue.is_text(field.dataType):
            return f"{_ROW}.{quote(field.name)}"
        if self.options.case_sensitive:
            return f"{MAP}[{literal(field.name)}]"
        entries = f"map_filter({MAP}, (k, v) -> {self._is('k', field.name)})"
        return f"try_element_at(map_values({entries}), 1)"

    def _is(self, key: str, name: str) -> str:
        """The condition that a key of a record is the name of a column."""
        if self.options.case_sensitive:
            return f"{key} = {literal(name)}"
        return f"lower({key}) = {literal(name.lower())}"

    def _canonical(self, text: str) -> str:
        """The JSON text with its keys in the case of the typed columns, if case does not count.

        In JSON a text with a colon behind it is a key: a quote inside of a text has a backslash.
        """
        if self.options.case_sensitive:
            return text
        for name in dict.fromkeys(_names(self.typed)):
            key = literal(rf'(?i)(?<!\\)"{re.escape(name)}"\s*:')
            text = f"regexp_replace({text}, {key}, {literal(_replacement(name))})"
        return text

    def broken(self) -> str:
        """The record, if it is corrupt, or if a value that nothing rescues does not fit."""
        conditions = [f"{MAP} IS NULL"]
        if self.expected.rescued is None:
            conditions += [
                f"exists(map_entries({MAP}), e -> e.value IS NOT NULL "
                f"AND {self._is('e.key', f.name)} AND {self._mismatch(f, 'e.value')})"
                for f in self.typed
            ]
        return f"if({' OR '.join(conditions)}, {RECORD}, NULL)"

    def _rescued(self) -> str:
        cases = [self._is_unknown("k")]
        cases += [f"({self._is('k', f.name)} AND {self._misfit(f)})" for f in self.typed]
        misfits = f"map_filter({MAP}, (k, v) -> v IS NOT NULL AND ({' OR '.join(cases)}))"
        entries = f"coalesce({misfits}, cast(map() AS MAP<STRING, STRING>))"
        if self.expected.corrupt is None:
            whole = f"map({literal(CORRUPT_KEY)}, {self.broken()})"
            entries = f"map_concat({entries}, map_filter({whole}, (k, v) -> v IS NOT NULL))"
        path = f"map({literal(FILE_KEY)}, {FILE_PATH})"
        return f"if(cardinality({entries}) > 0, to_json(map_concat({entries}, {path})), NULL)"

    def _is_unknown(self, key: str) -> str:
        """Whether the key is no column's; or one of several that differ in case only."""
        names = [field.name for field in self.expected.data]
        if self.options.case_sensitive:
            return f"NOT ({among(key, names)})"
        same = f"map_filter({MAP}, (other, v) -> lower(other) = lower({key}))"
        unknown = f"NOT ({among(f'lower({key})', [name.lower() for name in names])})"
        return f"({unknown} OR cardinality({same}) > 1)"

    def _misfit(self, field: StructField) -> str:
        """Whether the field's text `v` does not fit, or has inner fields that the type lacks."""
        value = self._canonical("v")
        unknown = unknown_fields(value, field.dataType, self.parser_options())
        mismatch = self._mismatch(field, "v")
        return f"({mismatch} OR {unknown})" if unknown else mismatch

    def _mismatch(self, field: StructField, text: str) -> str:
        """Whether a present field has no value, or one with a part of another type."""
        missing = f"{_ROW}.{quote(field.name)} IS NULL"
        if not isinstance(field.dataType, (ArrayType, MapType, StructType)):
            return missing
        schema = literal(f"v {type_text(field.dataType)}, bad STRING")
        options = self.parser_options(columnNameOfCorruptRecord="bad")
        record = f"concat('{{\"v\":', {self._canonical(text)}, '}}')"
        return f"({missing} OR from_json({record}, {schema}{options}).bad IS NOT NULL)"


def _names(fields: Iterable[StructField]) -> Iterator[str]:
    for field in fields:
        yield field.name
        for kind in inner_types(field.dataType):
            yield from kind.names if isinstance(kind, StructType) else ()


def _replacement(name: str) -> str:
    """The key as a regular expression puts it in."""
    return re.sub(r"([\\$])", r"\\\1", f'"{name}":')
