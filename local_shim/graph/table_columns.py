"""The columns of a table: what was declared, what its queries give, what its readers see."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from local_shim.sql_text import quote

# Delta's own keys in the metadata of a field: the expression of a generated column, and what makes
# an identity column.
GENERATED_AS = "delta.generationExpression"
IDENTITY = ("delta.identity.start", "delta.identity.step", "delta.identity.allowExplicitInsert")
_OF_DELTA = "delta."
_WATERMARK = "spark.watermarkDelayMs"
# Spark's key for the declared type of a column of VARCHAR or CHAR, which holds a STRING.
LENGTH = "__CHAR_VARCHAR_TYPE_STRING"


def merged(schemas: Iterable[StructType]) -> StructType:
    """The union of columns by name (case-insensitive); the first type of a column wins.

    Types that disagree are left to Delta, which widens what can be widened and refuses the rest.
    """
    fields: dict[str, StructField] = {}
    for schema in schemas:
        for field in schema.fields:
            fields.setdefault(field.name.lower(), field)
    return StructType(list(fields.values()))


def as_read(declared: StructType) -> StructType:
    """Declared columns as readers see them: how a column comes about stays inside the table."""
    return StructType(
        [
            StructField(field.name, field.dataType, field.nullable, _declared_metadata(field))
            for field in declared
        ]
    )


def _declared_metadata(field: StructField) -> dict[str, object]:
    return {key: value for key, value in field.metadata.items() if not _is_of_table(key)}


def _is_of_table(key: str) -> bool:
    return key.startswith(_OF_DELTA) or key == LENGTH


def as_stored(columns: StructType) -> StructType:
    """The columns of a query as a table stores them, without what belongs to the query's sources.

    Spark keeps a watermark and the length of a VARCHAR in the metadata of a column. In a table they
    would be a watermark for every reader, and a limit that nobody declared.
    """
    return StructType(
        [
            StructField(field.name, field.dataType, field.nullable, _stored_metadata(field))
            for field in columns
        ]
    )


def _stored_metadata(field: StructField) -> dict[str, object]:
    return {key: value for key, value in field.metadata.items() if key not in (_WATERMARK, LENGTH)}


def has_constraints(declared: StructType | None) -> bool:
    """Whether a column is more than a name and a type: NOT NULL, generated, of limited length."""
    return any(
        not field.nullable or _is_generated(field) or LENGTH in field.metadata
        for field in declared or ()
    )


def is_written_as_it_is(columns: StructType, stored: StructType) -> bool:
    """Whether Delta writes a query with these columns into a table without changing the query.

    It computes generated columns, and adapts names that differ by case, types, and new columns.
    """
    is_plain = not any(_is_generated(field) for field in stored)
    return is_plain and _shapes(columns) == _shapes(stored)


def _shapes(columns: StructType) -> dict[str, str]:
    return {field.name: field.dataType.simpleString() for field in columns}


def identity_columns(declared: StructType | None) -> list[str]:
    """The names of the columns that Delta numbers."""
    return [field.name for field in declared or () if IDENTITY[0] in field.metadata]


def generated(columns: StructType) -> dict[str, str]:
    """The expressions of generated columns, by name."""
    return {
        field.name: field.metadata[GENERATED_AS]
        for field in columns
        if GENERATED_AS in field.metadata
    }


def _is_generated(field: StructField) -> bool:
    return GENERATED_AS in field.metadata or IDENTITY[0] in field.metadata


def as_declared(frame: DataFrame, declared: StructType) -> DataFrame:
    """The frame with the declared columns, their comments and order; what it lacks is NULL."""
    have = {name.lower() for name in frame.columns}
    return frame.select(
        [
            _declared_column(field, field.name.lower() in have)
            for field in declared
            if field.name.lower() in have or not _is_generated(field)
        ]
    )


def _declared_column(field: StructField, exists: bool) -> Column:
    column = F.col(quote(field.name)) if exists else F.lit(None).cast(field.dataType)
    return column.alias(field.name, metadata=_declared_metadata(field))
