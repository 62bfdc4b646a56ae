"""Streams whose columns do not come from the files: text, binary files, whole records as VARIANT.

They have Spark's own columns, and those of the folders.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import DataFrame
from pyspark.sql.types import StructField, StructType

from local_shim.autoloader import rescue
from local_shim.autoloader.files.bad_records import with_accepted
from local_shim.autoloader.partitions import partition_value
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.autoloader.source_folder import BINARY_FILE, SourceFolder
from local_shim.errors import DefinitionError
from local_shim.sql_text import quote

_CORRUPT = "__corrupt"
_STREAM_OPTIONS = {"badrecordspath", "mode"}
_SCHEMAS = {"text": "value STRING", "binaryFile": BINARY_FILE}


def plain_stream(
    folder: SourceFolder, schema: StructType | None, store: SchemaStore, *, remember: bool
) -> DataFrame:
    """The stream over text or binary files; their schema is fixed, so nothing is stored."""
    columns, parts = _SCHEMAS[folder.options.format], folder.partitions
    if schema is not None:
        parts = _declared_parts(folder, schema, _struct(columns))
    frame = folder.load(folder.options.format, columns, dict(folder.options.reader))
    return frame.selectExpr("*", *_of_folders(folder, parts)) if parts else frame


def _declared_parts(
    folder: SourceFolder, schema: StructType, columns: StructType
) -> list[StructField]:
    """The columns of a declared schema that come from folders; the others must be `columns`."""
    names = {part.name.lower() for part in folder.partitions}
    parts = [field for field in schema.fields if field.name.lower() in names]
    others = StructType([field for field in schema.fields if field not in parts])
    if others.simpleString() != columns.simpleString():
        raise DefinitionError(
            "CF_FIXED_SCHEMA",
            f"{folder.options.format} files have the columns {columns.simpleString()}.",
            hint="leave the schema out",
        )
    return parts


def variant_stream(folder: SourceFolder) -> DataFrame:
    """Each record of CSV, JSON or XML files as one VARIANT (`singleVariantColumn`).

    A broken record goes to the column that `columnNameOfCorruptRecord` names.

    [choice] Without that option, a broken record stops the stream, as it would be lost.
    """
    options = folder.options
    column = options.get("singlevariantcolumn")
    corrupt = options.get("columnnameofcorruptrecord")
    if options.rescued_column:
        raise DefinitionError(
            "CF_UNSUPPORTED_OPTION",
            "rescuedDataColumn cannot go with singleVariantColumn: a VARIANT takes every field.",
            hint="broken records go to the column that columnNameOfCorruptRecord names",
        )
    reader_settings = options.reader_without(_STREAM_OPTIONS)
    settings = {**reader_settings, "mode": "PERMISSIVE", "columnNameOfCorruptRecord": _CORRUPT}
    schema = f"{quote(column)} VARIANT, {_CORRUPT} STRING"
    frame = folder.load(options.format, schema, settings)
    columns = [quote(column), *([f"{_CORRUPT} AS {quote(corrupt)}"] if corrupt else [])]
    frame = with_accepted(frame, options, _CORRUPT, loses_broken=not corrupt)
    return frame.selectExpr(*columns, *_of_folders(folder, folder.partitions))


def _of_folders(folder: SourceFolder, parts: Iterable[StructField]) -> list[str]:
    return [
        f"{rescue.typed(partition_value(part.name), part.dataType, folder.options)} "
        f"AS {quote(part.name)}"
        for part in parts
    ]


def _struct(ddl: str) -> StructType:
    schema = StructType.fromDDL(ddl)
    assert isinstance(schema, StructType)
    return schema
