"""The columns that a declaration gives its table, as text or as a type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlglot
from pyspark.errors import PySparkException
from pyspark.sql.types import StructField, StructType
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token

from local_shim.declaring.arguments import fault
from local_shim.errors import ShimError
from local_shim.graph.registry import active_registry
from local_shim.graph.table_columns import GENERATED_AS, IDENTITY
from local_shim.jvm.spark_parser import (
    ColumnDefinition,
    parser_reason,
    table_definition,
    with_lengths_apart,
)
from local_shim.reading.interception import session
from local_shim.sql_text import Edit, edited


def declared_schema(function: str, schema: StructType | str | None) -> StructType | None:
    """The columns of `schema`; text is read as the column list of CREATE TABLE is.

    [choice] PRIMARY KEY and FOREIGN KEY are accepted and not enforced, as on Databricks. A mask is
    a function of Unity Catalog: it is not applied, with a warning. DEFAULT and CHECK are refused:
    pipelines have neither. Generated and identity columns are Delta's own. A column of VARCHAR or
    CHAR holds a STRING whose length Delta checks, as everywhere in Spark.
    """
    if schema is None:
        return None
    columns = schema if isinstance(schema, StructType) else _parsed(function, schema)
    return with_lengths_apart(session(), columns) if "char(" in columns.simpleString() else columns


def _parsed(function: str, schema: str) -> StructType:
    masks = list(_masks(schema))
    for mask in masks:
        active_registry().warn(f"the mask of column '{mask.column}' of '{function}' is not applied")
    try:
        table = table_definition(session(), edited(schema, [mask.edit for mask in masks]))
    except PySparkException as error:
        reason = parser_reason(error).rstrip(".")
        hint = "write it as in CREATE TABLE: (id INT NOT NULL, name STRING)"
        raise _refused(function, "PARSE_SYNTAX_ERROR", reason, hint) from error
    if any("Check" in constraint for constraint in table.constraints):
        reason = "a table of a pipeline takes no CHECK"
        hint = "use an expectation: in SQL, CONSTRAINT c EXPECT (…) ON VIOLATION FAIL UPDATE"
        raise _refused(function, "UNSUPPORTED_CONSTRAINT", reason, hint)
    return StructType([_field(function, column) for column in table.columns])


@dataclass(frozen=True)
class _Mask:
    """`MASK function USING COLUMNS (…)` of a column, and the edit that takes it out."""

    column: str
    edit: Edit


def _masks(schema: str) -> Iterator[_Mask]:
    try:
        tokens = sqlglot.tokenize(schema, read="databricks")
    except TokenError:  # Spark says what is wrong
        return
    depth = first = 0
    for index, token in enumerate(tokens):
        depth += _DEPTHS.get(token.text, 0)
        if token.text == "," and depth == 0:
            first = index + 1
        if token.text.upper() == "MASK" and depth == 0 and first < index < len(tokens) - 1:
            last = _last_of_mask(tokens, index + 1)
            yield _Mask(tokens[first].text, Edit(token.start, tokens[last].end + 1, ""))


_DEPTHS = {"(": 1, "<": 1, ")": -1, ">": -1}


def _last_of_mask(tokens: Sequence[Token], name: int) -> int:
    """The place of the last token of a mask, whose function's name begins at `name`."""
    words = [token.text.upper() for token in tokens]
    while words[name + 1 : name + 2] == ["."]:
        name += 2
    if words[name + 1 : name + 3] == ["USING", "COLUMNS"]:
        return words.index(")", name)
    return name


def _field(function: str, column: ColumnDefinition) -> StructField:
    if column.has_default:
        reason = f"'{column.name}' has a DEFAULT, which a table of a pipeline does not take"
        hint = f"give the value in the query: coalesce({column.name}, …) AS {column.name}"
        raise _refused(function, "UNSUPPORTED_COLUMN", reason, hint)
    identity = zip(IDENTITY, column.identity or (), strict=False)
    metadata = {"comment": column.comment, GENERATED_AS: column.generated_as, **dict(identity)}
    return StructField.fromJson(
        {
            "name": column.name,
            "type": column.type,
            "nullable": column.nullable,
            "metadata": {key: value for key, value in metadata.items() if value is not None},
        }
    )


def _refused(function: str, condition: str, reason: str, hint: str) -> ShimError:
    return fault(function, condition, f"its schema is not accepted: {reason}.", hint)
