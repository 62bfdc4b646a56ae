"""The stream over XML files: fields by name, the rest rescued.

Spark's reader gives columns of simple types as text, which is cast here, so that a text that does
not fit its type is rescued. Structs and arrays are parsed by the reader: a record in which one of
them does not fit counts as broken.

A name in another case is the same name, as for Spark's reader.

[choice] Without `inferColumnTypes` simple elements and attributes are text, at every depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, DataType, MapType, StringType, StructField, StructType

from local_shim.autoloader import rescue
from local_shim.autoloader.extra_fields import has_extra, with_repeats, without_extra
from local_shim.autoloader.files.bad_records import with_accepted
from local_shim.autoloader.files.listing import SourceFile
from local_shim.autoloader.nested_types import columns_text, evolve
from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.autoloader.partitions import partition_value
from local_shim.autoloader.schema import (
    StreamColumns,
    columns_of_declared,
    columns_of_inferred,
    inferred_or_stored_schema,
)
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.autoloader.source_folder import SourceFolder
from local_shim.errors import DefinitionError
from local_shim.sql_text import quote

_CORRUPT = "__corrupt"
_SAMPLED_FILES = 1000
_NESTED = (ArrayType, MapType, StructType)
# Options that Spark's reader must not get, as this module follows them itself.
_STREAM_OPTIONS = {"columnnameofcorruptrecord", "inferschema", "mode"}


def xml_stream(
    folder: SourceFolder, schema: StructType | None, store: SchemaStore, *, remember: bool
) -> DataFrame:
    """The stream over XML files; see `open_stream`."""
    options = folder.options
    if not options.get("rowtag"):
        raise DefinitionError(
            "XML_ROW_TAG_MISSING",
            "XML files need the name of the element that is a record.",
            hint=".option('rowTag', 'book') reads each <book>…</book> as a row",
        )
    new_fields = _inferred(folder, folder.new)
    if schema is not None:
        expected = columns_of_declared(schema, options, folder.partitions)
    else:
        sample = folder.files[:_SAMPLED_FILES] if store.latest() is None else ()
        inferred = _inferred(folder, sample) if sample else new_fields
        file_schema = inferred_or_stored_schema(inferred, options, store, remember=remember)
        expected = columns_of_inferred(file_schema, options, folder.partitions)
    return _frame(folder, expected, new_fields)


def _inferred(folder: SourceFolder, files: Sequence[SourceFile]) -> StructType:
    """The fields of all records in the files; all simple ones are text unless types are inferred.

    This takes a Spark job.
    """
    if not files:
        return StructType([])
    typed = str(folder.options.infer_column_types).lower()
    options = {**_reader_options(folder.options), "inferSchema": typed}
    reader = folder.session.read.format("xml").options(**options)
    schema = reader.load([file.path for file in files]).schema
    return StructType([field for field in schema.fields if field.name != _CORRUPT])


def _reader_options(options: CloudFilesOptions) -> dict[str, str]:
    reader_settings = options.reader_without(_STREAM_OPTIONS)
    return {**reader_settings, "mode": "PERMISSIVE", "columnNameOfCorruptRecord": _CORRUPT}


def _frame(folder: SourceFolder, expected: StreamColumns, new_fields: StructType) -> DataFrame:
    plan = _XmlPlan(folder.options, expected, _source_columns(expected, new_fields))
    watched = expected.rescued is not None
    settings = _reader_options(folder.options)
    frame = folder.load("xml", plan.source_schema(), settings, watched=watched)
    return with_accepted(frame, folder.options, _CORRUPT).selectExpr(*plan.columns())


def _source_columns(expected: StreamColumns, new_fields: StructType) -> StructType:
    """The columns as the reader is to give them, simple ones as text.

    If nothing is rescued, they have their own types, and a value that does not fit breaks the
    record.
    """
    if expected.rescued is None:
        return expected.data
    types = {field.name.lower(): field.dataType for field in new_fields}
    return StructType(
        [
            StructField(f.name, _source_type(f.dataType, types.get(f.name.lower(), f.dataType)))
            for f in evolve(expected.data, new_fields)[0]
        ]
    )


def _source_type(kind: DataType, incoming: DataType) -> DataType:
    return with_repeats(kind if isinstance(kind, _NESTED) else StringType(), incoming)


@dataclass(frozen=True)
class _XmlPlan:
    """The SQL texts of one XML stream; `source` are the columns that Spark's reader gives."""

    options: CloudFilesOptions
    expected: StreamColumns
    source: StructType

    def source_schema(self) -> str:
        return columns_text([*self.source.fields, StructField(_CORRUPT, StringType())])

    def columns(self) -> list[str]:
        return [f"{self._column(field)} AS {quote(field.name)}" for field in self.expected.columns]

    def _column(self, field: StructField) -> str:
        if field.name == self.expected.rescued:
            return rescue.rescued(self._rescued_cells())
        if field.name == self.expected.corrupt:
            return _CORRUPT
        if field.name in self.expected.partitions:
            return rescue.typed(partition_value(field.name), field.dataType, self.options)
        return self._value(field)

    def _value(self, field: StructField) -> str:
        source = self.source[field.name].dataType
        if isinstance(field.dataType, _NESTED) or source == field.dataType:
            return without_extra(quote(field.name), source, field.dataType)
        return rescue.typed(self._text(field.name), field.dataType, self.options)

    def _text(self, name: str) -> str:
        """The text of a simple element; NULL if a record has several of them."""
        if not isinstance(self.source[name].dataType, ArrayType):
            return quote(name)
        return f"if(size({quote(name)}) = 1, {quote(name)}[0], NULL)"

    def _rescued_cells(self) -> dict[str, str]:
        expected = {field.name: field for field in self.expected.data}
        cells = {}
        for field in self.source.fields:
            value = quote(field.name)
            if field.name not in expected:
                cells[field.name] = value
            elif condition := self._misfit(field, expected[field.name]):
                cells[field.name] = f"if({condition}, {value}, NULL)"
        if self.expected.corrupt is None:
            cells[rescue.CORRUPT_KEY] = _CORRUPT
        return cells

    def _misfit(self, source: StructField, target: StructField) -> str:
        """The condition for values that the column cannot take; empty if it takes all."""
        value = quote(source.name)
        if isinstance(target.dataType, _NESTED):
            return has_extra(value, source.dataType, target.dataType)
        if source.dataType == target.dataType:
            return ""
        return f"{value} IS NOT NULL AND {self._value(target)} IS NULL"
