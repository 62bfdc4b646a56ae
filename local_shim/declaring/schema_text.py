"""The columns that a declaration gives its table, as text or as a type."""

from __future__ import annotations

from pyspark.errors import PySparkException
from pyspark.sql.types import StructField, StructType

from local_shim.declaring.arguments import fault
from local_shim.errors import ShimError
from local_shim.graph.table_columns import GENERATED_AS
from local_shim.jvm.spark_parser import ColumnDefinition, table_definition
from local_shim.reading.interception import session


def declared_schema(function: str, schema: StructType | str | None) -> StructType | None:
    """The columns of `schema`; text is read as the column list of CREATE TABLE is.

    [choice] PRIMARY KEY and FOREIGN KEY are accepted and not enforced, as on Databricks. What
    would change rows and is not done here is refused: CHECK, DEFAULT, identity columns, masks.
    """
    if schema is None or isinstance(schema, StructType):
        return schema
    try:
        table = table_definition(session(), schema)
    except PySparkException as error:
        raise _refused(function, "PARSE_SYNTAX_ERROR", str(error).split("\n")[0]) from error
    if any("Check" in constraint for constraint in table.constraints):
        reason = "CHECK is not enforced here; use an expectation"
        raise _refused(function, "UNSUPPORTED_CONSTRAINT", reason)
    return StructType([_field(function, column) for column in table.columns])


def _field(function: str, column: ColumnDefinition) -> StructField:
    if column.has_default:
        reason = f"'{column.name}' is an identity column or has a DEFAULT"
        raise _refused(function, "UNSUPPORTED_COLUMN", reason)
    metadata = {"comment": column.comment, GENERATED_AS: column.generated_as}
    return StructField.fromJson(
        {
            "name": column.name,
            "type": column.type,
            "nullable": column.nullable,
            "metadata": {key: text for key, text in metadata.items() if text is not None},
        }
    )


def _refused(function: str, condition: str, reason: str) -> ShimError:
    hint = 'write it as in CREATE TABLE: schema="id INT NOT NULL, name STRING"'
    return fault(function, condition, f"its schema is not accepted: {reason}.", hint)
