"""Scala's collections, options and objects as Python values.

Read from the Scala 2.13 library (`scala.collection.Seq`, `scala.Option`) that Spark 4.2.0 brings.
"""

from __future__ import annotations

from typing import Any


def listed(sequence: Any) -> list[Any]:
    """The elements of a Scala `Seq`."""
    return [sequence.apply(index) for index in range(sequence.size())]


def mapping(scala_map: Any) -> dict[Any, Any]:
    """The entries of a Scala `Map`."""
    return {pair._1(): pair._2() for pair in listed(scala_map.toSeq())}


def optional(option: Any) -> Any:
    """The value of a Scala `Option`; None if it is empty."""
    return option.get() if option.isDefined() else None


def scala_object(jvm: Any, name: str) -> Any:
    """A Scala `object` by its full name: the Java field MODULE$ of its class."""
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    java_class = jvm.java.lang.Class.forName(f"{name}$", True, loader)
    return java_class.getField("MODULE$").get(None)
