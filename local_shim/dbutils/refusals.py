"""Functions of `dbutils` that do not run here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from local_shim.errors import DefinitionError


def refused(function: str, hint: str) -> Callable[..., NoReturn]:
    """A function that raises DefinitionError, whatever its arguments are."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise DefinitionError("NOT_SUPPORTED_LOCALLY", f"{function} does not run here.", hint=hint)

    return refuse
