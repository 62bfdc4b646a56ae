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
from local_shim.autoloader.partitions import partition_value
from local_shim.autoloader.rescue import FILE_KEY, FILE_PATH
from local_shim.autoloader.schema import (
    StreamColumns,
    found_shape,
    given_shape,
    learned_schema,
    new_fields,
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
    place: SourceFolder, schema: StructType | None, store: SchemaStore, *, remember: bool
) -> DataFrame:
    """The stream over Parquet files; see `open_stream`."""
    options = place.options
    if schema is not None:
        shape = given_shape(schema, options, place.partitions)
    else:
        files = place.files if store.latest() is None else place.new
        found = _union(_footer(place.session, file) for file in files)
        learned = learned_schema(found, options, store, remember=remember)
        shape = found_shape(learned, options, place.partitions)
    extra = _extra_columns(place, shape)
    _refuse_conflicts(place, StructType([*shape.data.fields, *extra]))
    return _frame(place, shape, extra)


@lru_cache(maxsize=20_000)
def _footer(session: SparkSession, file: SourceFile) -> StructType:
    return footer_schema(session, file.path)


def _union(schemas: Iterable[StructType]) -> StructType:
    found = StructType([])
    for schema in schemas:
        found = StructType([*found.fields, *new_fields(schema, found)])
    return found


def _extra_columns(place: SourceFolder, shape: StreamColumns) -> list[StructField]:
    """Columns that only the rescued data takes."""
    if shape.rescued is None:
        return []
    files = _union(_footer(place.session, file) for file in place.new)
    return new_fields(files, shape.columns)


def _refuse_conflicts(place: SourceFolder, wanted: StructType) -> None:
    types = {field.name.lower(): field for field in wanted.fields}
    for file in place.new:
        for field in _footer(place.session, file).fields:
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


def _frame(place: SourceFolder, shape: StreamColumns, extra: list[StructField]) -> DataFrame:
    source = StructType([*shape.data.fields, *extra])
    ddl = ", ".join(f"{quote(field.name)} {field.dataType.simpleString()}" for field in source)
    watched = shape.rescued is not None
    frame = place.load("parquet", ddl, dict(place.options.reader), watched=watched)
    columns = [f"{_column(place, shape, f, extra)} AS {quote(f.name)}" for f in shape.columns]
    return frame.selectExpr(*columns)


def _column(
    place: SourceFolder, shape: StreamColumns, field: StructField, extra: list[StructField]
) -> str:
    if field.name in shape.partitions:
        return rescue.typed(partition_value(field.name), field.dataType, place.options)
    if field.name == shape.corrupt or (field.name == shape.rescued and not extra):
        return "cast(NULL AS STRING)"
    if field.name != shape.rescued:
        return quote(field.name)
    present = rescue.any_present([quote(other.name) for other in extra])
    pairs = ", ".join(f"{literal(other.name)}, {quote(other.name)}" for other in extra)
    return f"if({present}, to_json(named_struct({pairs}, {literal(FILE_KEY)}, {FILE_PATH})), NULL)"
