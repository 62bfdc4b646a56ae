"""Parquet: columns by name; each file's schema comes from its footer, without a Spark job.

A column whose type in a file is not the stream's, and does not widen to it, stops the stream
with an error that names both: Spark cannot read one column of one scan as two types. Names are
matched without regard to case, as Spark's Parquet reader does.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import (
    ArrayType,
    ByteType,
    DataType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    MapType,
    ShortType,
    StructField,
    StructType,
)

from local_shim.autoloader import rescue
from local_shim.autoloader.extra_fields import has_extra, without_extra
from local_shim.autoloader.files.listing import SourceFile
from local_shim.autoloader.nested_types import columns_text, evolve
from local_shim.autoloader.partitions import partition_value
from local_shim.autoloader.schema import (
    StreamColumns,
    columns_of_declared,
    columns_of_inferred,
    inferred_or_stored_schema,
)
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.autoloader.source_folder import SourceFolder
from local_shim.errors import FlowError
from local_shim.jvm.parquet import footer_schema
from local_shim.sql_text import quote

_WIDER: dict[type[DataType], tuple[type[DataType], ...]] = {
    ByteType: (ShortType, IntegerType, LongType, DoubleType),
    ShortType: (IntegerType, LongType, DoubleType),
    IntegerType: (LongType, DoubleType),
    FloatType: (DoubleType,),
}


def parquet_stream(
    folder: SourceFolder, schema: StructType | None, store: SchemaStore, *, remember: bool
) -> DataFrame:
    """The stream over Parquet files; see `open_stream`."""
    options = folder.options
    if schema is not None:
        expected = columns_of_declared(schema, options, folder.partitions)
    else:
        files = folder.files if store.latest() is None else folder.new
        inferred = _union(_footer(folder.session, file) for file in files)
        file_schema = inferred_or_stored_schema(inferred, options, store, remember=remember)
        expected = columns_of_inferred(file_schema, options, folder.partitions)
    source = _source_columns(folder, expected)
    _refuse_conflicts(folder, source)
    return _frame(folder, expected, source)


@lru_cache(maxsize=20_000)
def _footer(session: SparkSession, file: SourceFile) -> StructType:
    return footer_schema(session, file.path)


def _union(schemas: Iterable[StructType]) -> StructType:
    union = StructType([])
    for schema in schemas:
        union, _ = evolve(union, schema)
    return union


def _source_columns(folder: SourceFolder, expected: StreamColumns) -> StructType:
    """The columns to read: those of the stream, and what only the rescued data takes."""
    if expected.rescued is None:
        return expected.data
    files = _union(_footer(folder.session, file) for file in folder.new)
    data = {field.name.lower() for field in expected.data}
    others = {field.name.lower() for field in expected.columns} - data
    in_files = StructType([field for field in files if field.name.lower() not in others])
    return evolve(expected.data, in_files)[0]


def _refuse_conflicts(folder: SourceFolder, columns: StructType) -> None:
    types = {field.name.lower(): field for field in columns.fields}
    for file in folder.new:
        for field in _footer(folder.session, file).fields:
            target = types.get(field.name.lower())
            if target is not None and not _fits(field.dataType, target.dataType):
                raise FlowError(
                    "CF_PARQUET_TYPE_CONFLICT",
                    f"column '{field.name}' is {field.dataType.simpleString()} in {file.path}, "
                    f"but {target.dataType.simpleString()} in the stream. Databricks would "
                    "rescue it; that is not there yet in the local runner.",
                    hint="rewrite the file, or fix the type with cloudFiles.schemaHints",
                )


def _fits(source: DataType, target: DataType) -> bool:
    if source.simpleString() == target.simpleString():
        return True
    if isinstance(source, StructType) and isinstance(target, StructType):
        types = {field.name.lower(): field.dataType for field in target.fields}
        return all(_fits(f.dataType, types.get(f.name.lower(), f.dataType)) for f in source.fields)
    if isinstance(source, ArrayType) and isinstance(target, ArrayType):
        return _fits(source.elementType, target.elementType)
    if isinstance(source, MapType) and isinstance(target, MapType):
        keys = _fits(source.keyType, target.keyType)
        return keys and _fits(source.valueType, target.valueType)
    if isinstance(source, DecimalType) and isinstance(target, DecimalType):
        whole = target.precision - target.scale >= source.precision - source.scale
        return whole and target.scale >= source.scale
    return type(target) in _WIDER.get(type(source), ())


def _frame(folder: SourceFolder, expected: StreamColumns, source: StructType) -> DataFrame:
    watched = expected.rescued is not None
    settings = dict(folder.options.reader)
    frame = folder.load("parquet", columns_text(source.fields), settings, watched=watched)
    columns = [
        f"{_column(folder, expected, field, source)} AS {quote(field.name)}"
        for field in expected.columns
    ]
    return frame.selectExpr(*columns)


def _column(
    folder: SourceFolder, expected: StreamColumns, field: StructField, source: StructType
) -> str:
    if field.name in expected.partitions:
        return rescue.typed(partition_value(field.name), field.dataType, folder.options)
    if field.name == expected.corrupt:
        return "cast(NULL AS STRING)"
    if field.name == expected.rescued:
        return rescue.rescued(_rescued_cells(expected, source))
    return without_extra(quote(field.name), source[field.name].dataType, field.dataType)


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
