"""XML fields that Spark's reader would drop without a trace under the schema of the stream."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql.types import ArrayType, DataType, StructType

from local_shim.errors import FlowError


def refuse_lost_fields(columns: StructType, new_fields: StructType) -> None:
    """Raises FlowError if the files have a field that a read with `columns` would lose.

    Of an element that is repeated inside a struct, and that is no array in `columns`, Spark's
    reader gives the last one only.
    """
    types = {path.lower(): kind for path, kind in _inner_paths(columns)}
    for path, kind in _inner_paths(new_fields):
        if isinstance(kind, ArrayType) and not isinstance(types[path.lower()], ArrayType):
            raise FlowError(
                "CF_XML_FIELD_WOULD_BE_LOST",
                f"the files have the element '{path}' several times in a record, but the stream "
                "takes one.",
                hint="give it an ARRAY type in cloudFiles.schemaHints, and refresh the table fully",
            )


def _inner_paths(kind: DataType, parent: str = "") -> Iterator[tuple[str, DataType]]:
    """The fields inside of the columns, with their types."""
    if isinstance(kind, ArrayType):
        yield from _inner_paths(kind.elementType, parent)
    if isinstance(kind, StructType):
        for field in kind.fields:
            if parent:
                yield parent + field.name, field.dataType
            yield from _inner_paths(field.dataType, f"{parent}{field.name}.")
