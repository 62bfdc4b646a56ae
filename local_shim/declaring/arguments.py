"""What a call with wrong arguments is told: all its faults at once, at the line of the caller."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from local_shim.errors import DefinitionError, DefinitionErrors, ShimError, close_match
from local_shim.graph.registry import active_registry, declared_here

P = ParamSpec("P")
R = TypeVar("R")

# Documented, but not there on this machine. Shrugging them off would change what is written.
_ONLY_ON_DATABRICKS = frozenset(
    ["replace_using", "replace_where", "depends_on", "import_checkpoint", "sequence_by"]
)


def documented(function: Callable[P, R]) -> Callable[P, R]:
    """Gives a public function its error messages; its signature stays the documented one.

    Python alone would tell the first fault only. A required argument that is missing arrives as
    None, so that the function itself can say what it is for.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        known = {name: value for name, value in kwargs.items() if name in signature.parameters}
        faults = [_unknown(function, name, signature) for name in kwargs if name not in known]
        try:
            bound = _bound(function, signature, args, known)
            result: R = function(*bound.args, **bound.kwargs)
        except ShimError as error:
            if not faults:
                raise
            faults += getattr(error, "errors", [error])
        raise_any(faults)
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


def raise_any(faults: Sequence[ShimError]) -> None:
    """Raises the faults of one declaration together, if there are any."""
    if faults:
        raise faults[0] if len(faults) == 1 else DefinitionErrors(faults)


def fault(function: str, condition: str, message: str, hint: str = "") -> DefinitionError:
    """What is wrong with a call of `function`, at the line of the caller."""
    return DefinitionError(condition, f"{function}: {message}", where=declared_here(), hint=hint)


def missing_texts(function: str, **given: object) -> Iterator[ShimError]:
    """A fault for each required name that is missing or is no text."""
    for argument, value in given.items():
        if not isinstance(value, str) or not value.strip():
            kind = "is missing" if value is None else f"must be text, not {value!r}"
            hint = f'write {argument}="…"'
            yield fault(function, "MISSING_ARGUMENT", f"{argument} {kind}.", hint)


def wrong_kinds(function: str, kind: type, **given: object) -> Iterator[ShimError]:
    """A fault for each optional argument that is given and is not of the kind."""
    for argument, value in given.items():
        if value is not None and (isinstance(value, str) or not isinstance(value, kind)):
            wanted = "a dict" if kind is Mapping else "a list of column names"
            message = f"{argument} must be {wanted}, not {value!r}."
            yield fault(function, "INVALID_ARGUMENT_TYPE", message)


def _bound(
    function: Callable[..., Any],
    signature: inspect.Signature,
    args: tuple[Any, ...],
    known: dict[str, Any],
) -> inspect.BoundArguments:
    try:
        bound = signature.bind_partial(*args, **known)
    except TypeError as error:  # more positional arguments than there are, or one given twice
        raise fault(function.__name__, "WRONG_ARGUMENTS", f"{error}.") from error
    for name, parameter in signature.parameters.items():
        if parameter.default is parameter.empty:
            bound.arguments.setdefault(name, None)
    return bound


def _unknown(function: Callable[..., Any], name: str, signature: inspect.Signature) -> ShimError:
    if name in _ONLY_ON_DATABRICKS:
        message = f"{name} works on Databricks only; nothing here takes its place."
        return fault(function.__name__, "NOT_SUPPORTED_LOCALLY", message)
    return fault(
        function.__name__,
        "UNKNOWN_ARGUMENT",
        f"there is no argument '{name}'.",
        close_match(name, signature.parameters),
    )
