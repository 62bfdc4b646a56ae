"""What a query raised while it was analysed, as an error at the line that raised it."""

from __future__ import annotations

from collections.abc import Callable

from pyspark.errors import PySparkException

from local_shim.errors import DefinitionError, DefinitionErrors, ShimError
from local_shim.graph.declared_at import location_of
from local_shim.graph.elements import Flow, SourceLocation
from local_shim.jvm.java_errors import root_cause


def query_failure(flow: Flow, error: BaseException, near: Callable[[str], str]) -> ShimError:
    """Any exception of a flow's query, at the line that raised it, else at the declaration.

    `near` names the dataset that an unknown table was probably meant to be.
    """
    where = location_of(error) or flow.where
    if isinstance(error, ShimError):
        return at(error, where)
    if isinstance(error, PySparkException):
        return _analysis_error(flow, error, where, near)
    java = root_cause(error)
    if java is not None:
        condition = java.condition or java.class_name
        hint = _OF_SPARK.get(condition) or _OF_JAVA.get(java.class_name, "")
        text = f"in '{flow.name}': {java.message}"
        return DefinitionError(condition, text, where=where, hint=hint)
    return DefinitionError(
        "QUERY_FUNCTION_FAILED",
        f"the query of '{flow.name}' raised {type(error).__name__}: {error}",
        where=where,
    )


_ELSEWHERE = (
    "a local run has no connection to it: run the files without this table, and give it rows:"
    " --path CATALOG.SCHEMA.TABLE=DIR"
)
_BUCKET = "say where the bucket lies here: --path s3://BUCKET/=DIR"
# By the class of an exception of Java.
_OF_JAVA = {
    "ClassNotFoundException": _BUCKET,  # of the file system of a cloud
    "SQLException": _ELSEWHERE,
    "UnsupportedFileSystemException": _BUCKET,
}
# By the condition of an error of Spark; _LEGACY_ERROR_TEMP_1140 is a missing connector of Kafka.
_OF_SPARK = {
    "DATA_SOURCE_NOT_FOUND": _ELSEWHERE,
    "PATH_NOT_FOUND": "create it, or say where it lies here: --path FROM=TO",
    "UNRESOLVABLE_TABLE_VALUED_FUNCTION": _ELSEWHERE,
    "UNRESOLVED_ROUTINE": "what Databricks alone has can be given in a Python file:"
    " spark.udf.register(NAME, FUNCTION)",
    "_LEGACY_ERROR_TEMP_1140": _ELSEWHERE,
}


def at(error: ShimError, where: SourceLocation | None) -> ShimError:
    """The error, with a location unless it has one; several errors have theirs."""
    if error.where or where is None or isinstance(error, DefinitionErrors):
        return error
    return DefinitionError(error.condition, error.message, where=where, hint=error.hint)


def _analysis_error(
    flow: Flow, error: PySparkException, where: SourceLocation, near: Callable[[str], str]
) -> DefinitionError:
    """Spark's error in one line."""
    condition = error.getCondition() or type(error).__name__
    text = str(error).strip().split("\n\nJVM stacktrace")[0].split(";\n")[0]
    message = text.removeprefix(f"[{condition}]").strip().split(" SQLSTATE:")[0]
    hint = _OF_SPARK.get(condition, "")
    if condition == "TABLE_OR_VIEW_NOT_FOUND":
        message = message.split(" Verify the spelling")[0]  # the advice is about Spark's catalog
        hint = near((error.getMessageParameters() or {}).get("relationName", ""))
    elif condition == "UNRESOLVABLE_TABLE_VALUED_FUNCTION":
        message = message.split("\n")[0]
    return DefinitionError(condition, f"in '{flow.name}': {message}", where=where, hint=hint)
