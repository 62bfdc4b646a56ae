"""Turns what a query raised into an error that names its cause in one line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyspark.errors import PySparkException

from local_shim.autoloader.schema import schema_change_in
from local_shim.engine.expectations import violation
from local_shim.engine.flows.after_commit import FailedAfterCommit
from local_shim.errors import FlowError, ShimError
from local_shim.graph.graph import ResolvedFlow
from local_shim.jvm.java_errors import is_java_error, root_cause

# A lost race or a disk error may pass; every other error would come again.
_RETRYABLE = re.compile(
    r"Concurrent(Append|Write|DeleteRead|DeleteDelete|Transaction|Modification)Exception"
    r"|DELTA_CONCURRENT_|java\.io\.IOException|java\.net\.|java\.nio\.file\.FileSystemException"
)
_NETWORK = (ConnectionError, TimeoutError)  # from a user's function that talks to a service


@dataclass(frozen=True)
class Failure:
    """Why a flow stopped."""

    flow: str
    error: ShimError
    retryable: bool = False

    @property
    def message(self) -> str:
        """The cause in one line."""
        return f"Flow '{self.flow}' failed: [{self.error.condition}] {self.error.message}"


def as_failure(error: BaseException, flow: ResolvedFlow, attempt: int = 1) -> Failure:
    """The cause of a failure, typed, with the place of the flow's declaration.

    An error that may pass says which attempt it was.
    """
    if isinstance(error, FailedAfterCommit):
        return Failure(flow.name, _after_commit(error, flow), _may_pass(error.__cause__ or error))
    broken = violation(error, flow.where)
    if broken is not None:
        return Failure(flow.name, broken)
    if isinstance(error, ShimError):
        return Failure(flow.name, error)
    changed = schema_change_in(error)
    if changed is not None:
        return Failure(flow.name, changed)
    condition, message = cause(error)
    retryable = _may_pass(error)
    counted = f"{message} (attempt {attempt})" if retryable else message
    hint = _hint(condition, flow)
    return Failure(flow.name, FlowError(condition, counted, where=flow.where, hint=hint), retryable)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, _NETWORK) or bool(_RETRYABLE.search(str(error)))


def _after_commit(error: FailedAfterCommit, flow: ResolvedFlow) -> FlowError:
    condition, message = cause(error.__cause__ or error)
    return FlowError(
        "FAILED_AFTER_COMMIT",
        f"the rows of '{flow.target}' are committed; what followed failed: [{condition}] {message}",
        where=flow.where,
        hint="run the update again; it goes on from the committed rows",
    )


_SOURCE_CHANGED = (
    "--full-refresh {target} empties the table and reads its source again; "
    "--reset-checkpoint {flow} reads it again and keeps the rows; "
    'option("skipChangeCommits", "true") on the read ignores such commits; '
    "a table that every update replaces is to be read in batch"
)
_OF_ANSI = (
    "code written for NULL in such cases, as classic compute gives it:"
    " --conf spark.sql.ansi.enabled=false"
)
# By the beginning of an error's condition. Spark's and Delta's other messages say what to do.
_HINTS = {
    # What a stream cannot follow: its source was changed, replaced or emptied.
    "DELTA_SOURCE_TABLE_IGNORE_CHANGES": _SOURCE_CHANGED,
    "DELTA_SOURCE_IGNORE_DELETE": _SOURCE_CHANGED,
    "DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE": _SOURCE_CHANGED,
    "DELTA_VERSIONS_NOT_CONTIGUOUS": _SOURCE_CHANGED,
    # What ANSI mode raises instead of giving NULL; other messages of this kind name the key.
    "CAST_INVALID_INPUT": _OF_ANSI,
    "CAST_OVERFLOW": _OF_ANSI,
    "DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES": (
        "give the column an alias, or the table the property delta.columnMapping.mode = name"
    ),
    "DELTA_DUPLICATE_COLUMNS_FOUND": "give one of them an alias, or leave it out",
    "DELTA_UNSUPPORTED_DATA_TYPES": "cast it to a type that Delta stores; an INTERVAL is none",
    "DELTA_COMPLEX_TYPE_COLUMN_CONTAINS_NULL_TYPE": (
        "cast the column to a type with elements, such as ARRAY<STRING>"
    ),
    "DELTA_NOT_NULL_CONSTRAINT_VIOLATED": (
        "drop such rows by an expectation, or leave NOT NULL out of the schema"
    ),
    "DELTA_EXCEED_CHAR_VARCHAR_LIMIT": (
        "drop such rows by an expectation, or declare the column as STRING"
    ),
}


def _hint(condition: str, flow: ResolvedFlow) -> str:
    hints = (hint for start, hint in _HINTS.items() if condition.startswith(start))
    return next(hints, "").format(target=flow.target, flow=flow.name)


def cause(error: BaseException) -> tuple[str, str]:
    """Condition and message of what caused an error: Spark's or Delta's, Java's or Python's."""
    java = root_cause(error)
    if java is not None:
        return java.condition or java.class_name, java.message
    if isinstance(error, PySparkException):
        return error.getCondition() or type(error).__name__, _line(str(error))
    if is_java_error(error):  # without an exception: the connection to the JVM was lost
        return "JAVA_ERROR", _line(str(error))
    return type(error).__name__, _line(str(error))


def _line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else text
