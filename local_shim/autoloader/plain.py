"""Text and binary files: Spark's own columns, and those of the folders."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from local_shim.autoloader import rescue
from local_shim.autoloader.partitions import partition_value
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.autoloader.source_folder import BINARY_FILE, SourceFolder
from local_shim.errors import DefinitionError
from local_shim.sql_text import quote

_SCHEMAS = {"text": "value STRING", "binaryFile": BINARY_FILE}


def plain_stream(
    folder: SourceFolder, schema: StructType | None, store: SchemaStore, *, remember: bool
) -> DataFrame:
    """The stream over text or binary files; their schema is fixed, so nothing is stored."""
    columns = _SCHEMAS[folder.options.format]
    if schema is not None and schema.simpleString() != _struct(columns).simpleString():
        raise DefinitionError(
            "CF_FIXED_SCHEMA",
            f"{folder.options.format} files have the columns {columns}.",
            hint="leave the schema out",
        )
    frame = folder.load(folder.options.format, columns, dict(folder.options.reader))
    parts = [
        f"{rescue.typed(partition_value(part.name), part.dataType, folder.options)} "
        f"AS {quote(part.name)}"
        for part in folder.partitions
    ]
    return frame.selectExpr("*", *parts) if parts else frame


def _struct(ddl: str) -> StructType:
    schema = StructType.fromDDL(ddl)
    assert isinstance(schema, StructType)
    return schema
