"""A cache for the names of Java classes, packages and static methods.

Py4J sends each part of `jvm.org.apache.spark…` to the JVM at every use, and the JVM searches the
class path, jar by jar, for a class `org`, a class `org.apache`, and so on. PySpark uses such names
for each column expression: an update spent a tenth of its time on them.

Read from Py4J 0.10.9, `java_gateway.py`: the `__getattr__` of JVMView, JavaPackage and JavaClass.
"""

from __future__ import annotations

import functools
from typing import Any

from py4j.java_gateway import JavaClass, JavaMember, JavaPackage, JVMView


@functools.cache
def cache_java_names() -> None:
    """Makes Py4J keep each name as an attribute of the object in which it was looked up."""
    for owner in (JVMView, JavaPackage, JavaClass):
        owner.__getattr__ = _caching(owner.__getattr__)


def _caching(look_up: Any) -> Any:
    @functools.wraps(look_up)
    def call(self: Any, name: str) -> Any:
        value = look_up(self, name)
        # Values of static fields change; a short name may be imported into the view later.
        is_package = isinstance(value, JavaPackage) and name.islower()
        if is_package or isinstance(value, JavaClass | JavaMember):
            self.__dict__[name] = value
        return value

    return call
