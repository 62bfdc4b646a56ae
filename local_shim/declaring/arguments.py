"""Checks the arguments of a declaring call and reports all that is wrong, at its line."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ParamSpec, TypeVar

from local_shim.errors import DefinitionError, ShimError, close_match, raise_all
from local_shim.graph.declared_at import declared_here
from local_shim.graph.registry import active_registry

P = ParamSpec("P")
R = TypeVar("R")

# Documented arguments without an equivalent here. Ignoring them would change what is written.
_ONLY_ON_DATABRICKS = frozenset(["import_checkpoint"])


def arguments_checked(function: Callable[P, R]) -> Callable[P, R]:
    """Reports unknown and missing arguments of a public function as DefinitionErrors.

    Python itself would raise a TypeError for the first of them only. A missing required argument
    arrives as None, so that the function can say what the argument is for.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        accepted = {name: value for name, value in kwargs.items() if name in signature.parameters}
        faults = [_unknown(function, name, signature) for name in kwargs if name not in accepted]
        try:
            bound = _bound(function, signature, args, accepted)
            result: R = function(*bound.args, **bound.kwargs)
        except ShimError as error:
            if not faults:
                raise
            faults += getattr(error, "errors", [error])
        raise_all(faults)
        return result

    return call


def deprecated(function: Callable[P, R], name: str) -> Callable[P, R]:
    """The function under an old name; every use of it is noted for a `deprecation` event."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        active_registry().deprecated(f"PYTHON_{name.upper()}")
        return function(*args, **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Old name of `{function.__name__}`."
    return call


def fault(function: str, condition: str, message: str, hint: str = "") -> DefinitionError:
    """What is wrong with a call of `function`, at the line of the caller."""
    return DefinitionError(condition, f"{function}: {message}", where=declared_here(), hint=hint)


def missing_texts(function: str, **arguments: object) -> Iterator[ShimError]:
    """A fault for each required name that is missing or is no text."""
    for argument, value in arguments.items():
        if not isinstance(value, str) or not value.strip():
            kind = "is missing" if value is None else f"must be text, not {value!r}"
            hint = f'write {argument}="…"'
            yield fault(function, "MISSING_ARGUMENT", f"{argument} {kind}.", hint)


def wrong_kinds(function: str, kind: type, **arguments: object) -> Iterator[ShimError]:
    """A fault for each optional argument of another kind."""
    for argument, value in arguments.items():
        if value is not None and (isinstance(value, str) or not isinstance(value, kind)):
            expected = "a dict" if kind is Mapping else "a list of column names"
            message = f"{argument} must be {expected}, not {value!r}."
            yield fault(function, "INVALID_ARGUMENT_TYPE", message)


def _bound(
    function: Callable[..., Any],
    signature: inspect.Signature,
    args: tuple[Any, ...],
    accepted: dict[str, Any],
) -> inspect.BoundArguments:
    try:
        bound = signature.bind_partial(*args, **accepted)
    except TypeError as error:  # more positional arguments than there are, or one given twice
        raise fault(function.__name__, "WRONG_ARGUMENTS", f"{error}.") from error
    for name, parameter in signature.parameters.items():
        if parameter.default is parameter.empty:
            bound.arguments.setdefault(name, None)
    return bound


def _unknown(function: Callable[..., Any], name: str, signature: inspect.Signature) -> ShimError:
    if name in _ONLY_ON_DATABRICKS:
        message = f"{name} works on Databricks only."
        return fault(function.__name__, "NOT_SUPPORTED_LOCALLY", message)
    return fault(
        function.__name__,
        "UNKNOWN_ARGUMENT",
        f"there is no argument '{name}'.",
        close_match(name, signature.parameters),
    )
