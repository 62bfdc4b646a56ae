"""The columns that a declaration gives its table, as text or as a type."""

from __future__ import annotations

import json
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql.types import StructField, StructType

from local_shim.declaring.arguments import fault
from local_shim.errors import ShimError
from local_shim.graph.columns import GENERATED_AS
from local_shim.reading.interception import session


def declared_schema(function: str, given: StructType | str | None) -> StructType | None:
    """The columns in `given`, which is read as the columns of CREATE TABLE are.

    [choice] PRIMARY KEY and FOREIGN KEY are accepted and not enforced, as on Databricks. What
    would change rows and is not done here is refused: CHECK, DEFAULT, identity columns, masks.
    """
    if given is None or isinstance(given, StructType):
        return given
    parser = session()._jsparkSession.sessionState().sqlParser()
    try:
        table = parser.parsePlan(f"CREATE TABLE t ({given}) USING delta")
    except PySparkException as error:
        raise _refused(function, "PARSE_SYNTAX_ERROR", str(error).split("\n")[0]) from error
    for constraint in _listed(table.tableSpec().constraints()):
        if "Check" in constraint.getClass().getSimpleName():
            hint = "CHECK is not enforced here; use an expectation"
            raise _refused(function, "UNSUPPORTED_CONSTRAINT", hint)
    return StructType([_field(function, column) for column in _listed(table.columns())])


def _field(function: str, column: Any) -> StructField:
    metadata = {}
    if column.comment().isDefined():
        metadata["comment"] = column.comment().get()
    if column.generationExpression().isDefined():
        metadata[GENERATED_AS] = column.generationExpression().get()
    if column.identityColumnSpec().isDefined() or column.defaultValue().isDefined():
        hint = f"'{column.name()}' is an identity column or has a DEFAULT"
        raise _refused(function, "UNSUPPORTED_COLUMN", hint)
    kind = {"name": column.name(), "type": json.loads(column.dataType().json())}
    return StructField.fromJson({**kind, "nullable": column.nullable(), "metadata": metadata})


def _refused(function: str, condition: str, reason: str) -> ShimError:
    hint = 'write it as in CREATE TABLE: schema="id INT NOT NULL, name STRING"'
    return fault(function, condition, f"its schema is not accepted: {reason}.", hint)


def _listed(sequence: Any) -> list[Any]:
    return [sequence.apply(index) for index in range(sequence.size())]
