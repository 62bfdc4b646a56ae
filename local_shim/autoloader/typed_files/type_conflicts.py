"""Files in which a column has another type than in the stream, and no narrower one.

So has a column whose name differs in case, where case counts.

Spark reads a column of one scan as one type. If the unread files have such a column, the stream
itself gives one row a file, and the rows of the files come from batch reads, one for each
combination of types, joined by the file's path. Every micro-batch then reads all unread files, so
this costs more the more micro-batches there are; without a conflict nothing of it happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    ByteType,
    DataType,
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
from local_shim.autoloader.files.listing import SourceFile
from local_shim.autoloader.nested_types import columns_text, type_text
from local_shim.autoloader.source_folder import SourceFolder
from local_shim.graph.type_widening import widens
from local_shim.sql_text import literal, quote

CONFLICTS = "__conflicts"  # values that do not fit, as the text of a JSON object; NULL if all fit
_FILE, _PATH = "__file", "__path"
# What the readers of ORC and Avro widen; the one of Parquet widens as Delta does.
_WIDER: dict[type[DataType], tuple[type[DataType], ...]] = {
    ByteType: (ShortType, IntegerType, LongType, DoubleType),
    ShortType: (IntegerType, LongType, DoubleType),
    IntegerType: (LongType, DoubleType),
    FloatType: (DoubleType,),
}

FilesByConflict = Mapping[StructType, list[SourceFile]]


def files_by_conflict(
    schemas: Mapping[SourceFile, StructType],
    columns: StructType,
    kind: str,
    *,
    case_sensitive: bool,
) -> FilesByConflict:
    """The files by those of their columns that do not fit the stream's; none for files that fit.

    If case counts, a column whose name has another case does not fit.
    """
    types = {field.name.lower(): field for field in columns.fields}

    def is_conflict(field: StructField) -> bool:
        column = types.get(field.name.lower(), field)
        differs = case_sensitive and column.name != field.name
        return differs or not fits(field.dataType, column.dataType, kind)

    files: dict[StructType, list[SourceFile]] = {}
    for file, schema in schemas.items():
        conflicts = StructType([field for field in schema.fields if is_conflict(field)])
        files.setdefault(conflicts, []).append(file)
    return files


def fits(source: DataType, target: DataType, kind: str) -> bool:
    """Whether Spark's reader of the format `kind` gives a column of type `source` as `target`."""
    if source.simpleString() == target.simpleString():
        return True
    if isinstance(source, StructType) and isinstance(target, StructType):
        types = {field.name.lower(): field.dataType for field in target.fields}
        return all(
            fits(f.dataType, types.get(f.name.lower(), f.dataType), kind) for f in source.fields
        )
    if isinstance(source, ArrayType) and isinstance(target, ArrayType):
        return fits(source.elementType, target.elementType, kind)
    if isinstance(source, MapType) and isinstance(target, MapType):
        keys = fits(source.keyType, target.keyType, kind)
        return keys and fits(source.valueType, target.valueType, kind)
    if kind == "parquet":
        return widens(source, target)
    return type(target) in _WIDER.get(type(source), ())


def rows_of_files(folder: SourceFolder, columns: StructType, files: FilesByConflict) -> DataFrame:
    """The stream of all rows of the unread files with the columns and `CONFLICTS`.

    A value that does not fit its column is NULL there.
    """
    batches = [_rows(folder, columns, conflict, group) for conflict, group in files.items()]
    # A union has no `_metadata`, so that of the stream is the only one.
    rows = reduce(DataFrame.union, batches, batches[0].limit(0))
    paths = folder.load_paths(_PATH)
    return F.broadcast(paths).join(rows, F.col(_PATH) == F.col(_FILE))


def _rows(
    folder: SourceFolder, columns: StructType, conflict: StructType, files: Iterable[SourceFile]
) -> DataFrame:
    conflict_fields = {field.name.lower(): field for field in conflict.fields}
    fields = [conflict_fields.get(field.name.lower(), field) for field in columns.fields]
    frame = folder.load_files(files, columns_text(fields))
    values = [_value(field, conflict_fields) for field in columns.fields]
    return frame.selectExpr(
        f"{rescue.FILE_PATH} AS {_FILE}", *values, f"{_conflict_json(conflict)} AS {CONFLICTS}"
    )


def _value(field: StructField, conflict: Mapping[str, StructField]) -> str:
    name = quote(field.name)
    missing = field.name.lower() in conflict
    return f"cast(NULL AS {type_text(field.dataType)}) AS {name}" if missing else name


def _conflict_json(conflict: StructType) -> str:
    if not conflict.fields:
        return "cast(NULL AS STRING)"
    values = [quote(field.name) for field in conflict.fields]
    pairs = [f"{literal(field.name)}, {quote(field.name)}" for field in conflict.fields]
    return f"if({rescue.any_present(values)}, to_json(named_struct({', '.join(pairs)})), NULL)"
