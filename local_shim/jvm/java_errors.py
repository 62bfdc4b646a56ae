"""Exceptions that come out of the JVM, and what caused them.

Read from PySpark 4.2.0, `errors/exceptions/captured.py` (a CapturedException keeps the Java
throwable as `_origin`), Py4J 0.10.9, `protocol.py` (a Py4JJavaError has it as `java_exception`),
and Spark 4.2.0, `common/utils-java/…/SparkThrowable.java` (getCondition).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from py4j.java_gateway import is_instance_of
from py4j.protocol import Py4JError
from pyspark import SparkContext

_WRAPPERS = frozenset(
    (
        "STREAM_FAILED",
        "TASK_WRITE_FAILED",
        "FAILED_EXECUTE_UDF",
        "FOREACH_BATCH_USER_FUNCTION_ERROR",
    )
)
_DEEPEST = 30
_TEXT = re.compile(r"^\[[A-Z0-9_.]+\]\s*|\s*SQLSTATE: \w+.*", re.DOTALL)
_PYTHON_ERROR = re.compile(r"^[\w.]*(?:Error|Exception|Warning|Interrupt|Exit)\b.*", re.MULTILINE)


@dataclass(frozen=True)
class JavaCause:
    """The innermost Java exception that says something; `condition` is Spark's or Delta's name."""

    condition: str | None
    class_name: str
    message: str


def is_java_error(error: BaseException) -> bool:
    """Whether Py4J raised this: a Java exception that PySpark has no class for, or a lost JVM."""
    return isinstance(error, Py4JError)


def root_cause(error: BaseException) -> JavaCause | None:
    """What caused an exception that came out of the JVM; None for an exception of Python.

    Exceptions that only wrap another one, such as STREAM_FAILED, are passed over. The message is
    one line. Where the innermost exception has no condition, that of the exception around it is
    named and both messages are given. An exception that Python code raised within a Spark job or
    foreachBatch is given in Python's words.
    """
    causes = [_describe(throwable) for throwable in _chain(error)]
    if not causes:
        return None
    telling = [cause for cause in causes if cause.message and cause.condition not in _WRAPPERS]
    innermost = (telling or causes)[-1]
    named = next((cause for cause in reversed(telling) if cause.condition), innermost)
    if named is innermost or innermost.message in named.message:
        return named
    reason = f"{innermost.class_name}: {innermost.message}"
    return JavaCause(named.condition, innermost.class_name, f"{named.message} ({reason})")


def _chain(error: BaseException) -> list[Any]:
    """The Java throwable behind a Python exception, and its causes from the outside in."""
    throwable = getattr(error, "_origin", None) or getattr(error, "java_exception", None)
    chain: list[Any] = []
    while throwable is not None and len(chain) < _DEEPEST:
        chain.append(throwable)
        throwable = throwable.getCause()
    return chain


def _describe(throwable: Any) -> JavaCause:
    gateway = SparkContext._gateway
    has_condition = is_instance_of(gateway, throwable, "org.apache.spark.SparkThrowable")
    condition = throwable.getCondition() if has_condition else None
    name = str(throwable.getClass().getSimpleName())
    return JavaCause(condition, name, _line(str(throwable.getMessage() or "")))


def _line(message: str) -> str:
    """The first line without condition and SQLSTATE, or the last exception of a traceback."""
    if "Traceback (most recent call last)" in message:
        errors = _PYTHON_ERROR.findall(message)
        if errors:
            return str(errors[-1]).strip()
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return _TEXT.sub("", lines[0]).strip() if lines else ""
