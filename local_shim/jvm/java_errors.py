"""Exceptions that come out of the JVM."""

from __future__ import annotations

from py4j.protocol import Py4JError


def is_java_error(error: BaseException) -> bool:
    """Whether Py4J raised this: a Java exception that PySpark has no class for, or a lost JVM."""
    return isinstance(error, Py4JError)
