"""Names of Java classes, packages and static methods, looked up once in a process.

Py4J asks the JVM anew for every part of `jvm.org.apache.spark…` at every use, and the JVM looks
through the class path, jar by jar, for a class `org`, a class `org.apache`, and so on. PySpark
needs some for each column expression: an update spent a tenth of its time on it.
"""

from __future__ import annotations

import functools
from typing import Any

from py4j.java_gateway import JavaClass, JavaMember, JavaPackage, JVMView


@functools.cache
def remember_names() -> None:
    """Makes every name that Py4J finds an attribute of what it was found in."""
    for owner in (JVMView, JavaPackage, JavaClass):
        owner.__getattr__ = _remembering(owner.__getattr__)


def _remembering(look_up: Any) -> Any:
    @functools.wraps(look_up)
    def call(self: Any, name: str) -> Any:
        found = look_up(self, name)
        # Values of static fields change; a short name may be imported into the view later on.
        is_package = isinstance(found, JavaPackage) and name.islower()
        if is_package or isinstance(found, JavaClass | JavaMember):
            self.__dict__[name] = found
        return found

    return call
