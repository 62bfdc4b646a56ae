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
    ByteType,
    DataType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    ShortType,
    StructField,
    StructType,
)

from local_shim.autoloader import rescue
from local_shim.autoloader.files.listing import SourceFile
from local_shim.autoloader.nested_types import columns_text, evolve, new_fields
from local_shim.autoloader.partitions import partition_value
from local_shim.autoloader.rescue import FILE_KEY, FILE_PATH
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
from local_shim.sql_text import literal, quote

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
        learned = inferred_or_stored_schema(inferred, options, store, remember=remember)
        expected = columns_of_inferred(learned, options, folder.partitions)
    extra = _extra_columns(folder, expected)
    _refuse_conflicts(folder, StructType([*expected.data.fields, *extra]))
    return _frame(folder, expected, extra)


@lru_cache(maxsize=20_000)
def _footer(session: SparkSession, file: SourceFile) -> StructType:
    return footer_schema(session, file.path)


def _union(schemas: Iterable[StructType]) -> StructType:
    union = StructType([])
    for schema in schemas:
        union, _ = evolve(union, schema)
    return union


def _extra_columns(folder: SourceFolder, expected: StreamColumns) -> list[StructField]:
    """Columns that only the rescued data takes."""
    if expected.rescued is None:
        return []
    files = _union(_footer(folder.session, file) for file in folder.new)
    return new_fields(files, expected.columns)


def _refuse_conflicts(folder: SourceFolder, wanted: StructType) -> None:
    types = {field.name.lower(): field for field in wanted.fields}
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


def _fits(given: DataType, wanted: DataType) -> bool:
    if given.simpleString() == wanted.simpleString() or type(wanted) in _WIDER.get(type(given), ()):
        return True
    if isinstance(given, StructType) and isinstance(wanted, StructType):
        types = {field.name: field.dataType for field in wanted.fields}
        return all(_fits(f.dataType, types.get(f.name, f.dataType)) for f in given.fields)
    if isinstance(given, DecimalType) and isinstance(wanted, DecimalType):
        whole = wanted.precision - wanted.scale >= given.precision - given.scale
        return whole and wanted.scale >= given.scale
    return False


def _frame(folder: SourceFolder, expected: StreamColumns, extra: list[StructField]) -> DataFrame:
    source = StructType([*expected.data.fields, *extra])
    ddl = columns_text(source.fields)
    watched = expected.rescued is not None
    frame = folder.load("parquet", ddl, dict(folder.options.reader), watched=watched)
    columns = [
        f"{_column(folder, expected, f, extra)} AS {quote(f.name)}" for f in expected.columns
    ]
    return frame.selectExpr(*columns)


def _column(
    folder: SourceFolder,
    expected: StreamColumns,
    field: StructField,
    extra: list[StructField],
) -> str:
    if field.name in expected.partitions:
        return rescue.typed(partition_value(field.name), field.dataType, folder.options)
    if field.name == expected.corrupt or (field.name == expected.rescued and not extra):
        return "cast(NULL AS STRING)"
    if field.name != expected.rescued:
        return quote(field.name)
    present = rescue.any_present([quote(other.name) for other in extra])
    pairs = ", ".join(f"{literal(other.name)}, {quote(other.name)}" for other in extra)
    return f"if({present}, to_json(named_struct({pairs}, {literal(FILE_KEY)}, {FILE_PATH})), NULL)"
