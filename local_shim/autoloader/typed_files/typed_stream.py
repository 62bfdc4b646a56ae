"""The stream over files that carry their types: columns by name, each file with its own schema.

A column whose name differs in case only is rescued; without rescued data, or with
`readerCaseSensitive=false`, it is the same column, as it is for Spark's readers. Case of inner
fields does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyspark.sql import DataFrame
from pyspark.sql.types import StructField, StructType

from local_shim.autoloader import rescue
from local_shim.autoloader.extra_fields import has_extra, without_extra
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
from local_shim.autoloader.typed_files.file_schemas import schema_of, union_of_schemas
from local_shim.autoloader.typed_files.type_conflicts import (
    CONFLICTS,
    FilesByConflict,
    files_by_conflict,
    rows_of_files,
)
from local_shim.sql_text import quote


def typed_stream(
    folder: SourceFolder, schema: StructType | None, store: SchemaStore, *, remember: bool
) -> DataFrame:
    """The stream over the files; see `open_stream`."""
    options = folder.options
    schemas = _schemas(folder.new, options)
    if schema is not None:
        expected = columns_of_declared(schema, options, folder.partitions)
    else:
        sample = folder.files if store.latest() is None else folder.new
        inferred = union_of_schemas(_schemas(sample, options).values())
        file_schema = inferred_or_stored_schema(inferred, options, store, remember=remember)
        expected = columns_of_inferred(file_schema, options, folder.partitions)
    return _frame(folder, expected, schemas)


def _schemas(
    files: Iterable[SourceFile], options: CloudFilesOptions
) -> dict[SourceFile, StructType]:
    ignore = options.ignore_corrupt_files
    return {file: schema_of(file, options.format, ignore_corrupt=ignore) for file in files}


def _frame(
    folder: SourceFolder, expected: StreamColumns, schemas: Mapping[SourceFile, StructType]
) -> DataFrame:
    source = _source_columns(expected, schemas)
    files = files_by_conflict(
        schemas,
        source,
        folder.options.format,
        case_sensitive=folder.options.case_sensitive and expected.rescued is not None,
    )
    conflicts = any(conflict.fields for conflict in files)
    rescued = _rescued(expected, source, conflicts=conflicts)
    columns = [
        f"{rescued if field.name == expected.rescued else _value(folder, expected, field, source)}"
        f" AS {quote(field.name)}"
        for field in expected.columns
    ]
    return _rows(folder, expected, source, files if conflicts else {}).selectExpr(*columns)


def _rows(
    folder: SourceFolder, expected: StreamColumns, source: StructType, conflicts: FilesByConflict
) -> DataFrame:
    if conflicts:
        return rows_of_files(folder, source, conflicts)
    watched = expected.rescued is not None
    return folder.load(
        folder.options.format,
        columns_text(source.fields),
        dict(folder.options.reader),
        watched=watched,
    )


def _source_columns(
    expected: StreamColumns, schemas: Mapping[SourceFile, StructType]
) -> StructType:
    """The columns to read: those of the stream, and what only the rescued data takes."""
    if expected.rescued is None:
        return expected.data
    data = {field.name.lower() for field in expected.data}
    others = {field.name.lower() for field in expected.columns} - data
    files = union_of_schemas(schemas.values())
    in_files = StructType([field for field in files if field.name.lower() not in others])
    return evolve(expected.data, in_files)[0]


def _value(
    folder: SourceFolder, expected: StreamColumns, field: StructField, source: StructType
) -> str:
    if field.name in expected.partitions:
        return rescue.typed(partition_value(field.name), field.dataType, folder.options)
    if field.name == expected.corrupt:
        return "cast(NULL AS STRING)"
    return without_extra(quote(field.name), source[field.name].dataType, field.dataType)


def _rescued(expected: StreamColumns, source: StructType, *, conflicts: bool) -> str:
    cells = _rescued_cells(expected, source)
    return rescue.rescued(cells, CONFLICTS) if conflicts else rescue.rescued(cells)


def _rescued_cells(expected: StreamColumns, source: StructType) -> dict[str, str]:
    """Columns that the stream lacks, and columns with inner fields that their type lacks."""
    types = {field.name: field.dataType for field in expected.data}
    cells = {}
    for field in source.fields:
        value = quote(field.name)
        if field.name not in types:
            cells[field.name] = value
        elif condition := has_extra(value, field.dataType, types[field.name]):
            cells[field.name] = f"if({condition}, {value}, NULL)"
    return cells
