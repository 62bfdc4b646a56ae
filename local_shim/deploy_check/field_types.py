"""Checks a value of a bundle against the type of its field."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from local_shim.deploy_check.resource_types import Record, record_of
from local_shim.errors import close_match
from local_shim.pipeline_spec.document.node import Node
from local_shim.pipeline_spec.document.problems import Problems

_BOOLS = {"true", "false", "yes", "no", "on", "off", "y", "n"}


def check_value(node: Node, kind: Any, name: str, problems: Problems) -> None:
    """Notes every field below `node` that is unknown, missing, or of another type than `kind`.

    A kind is a Record, a list of one kind, or a type hint of the SDK. Null is an unset field.
    """
    kind = _without_none(kind)
    if node.value is None:
        return
    if isinstance(kind, Record) or dataclasses.is_dataclass(kind):
        record = kind if isinstance(kind, Record) else record_of(kind)
        _check_record(node, record, name, problems)
    elif isinstance(kind, list) or typing.get_origin(kind) is list:
        _check_list(node, kind[0] if isinstance(kind, list) else _argument(kind, 0), name, problems)
    elif typing.get_origin(kind) is dict:
        if _is(node, Mapping, "a mapping", name, problems):
            for key, child in node.items():
                check_value(child, _argument(kind, 1), f"{name}.{key}", problems)
    else:
        _check_scalar(node, kind, name, problems)


def _check_record(node: Node, record: Record, name: str, problems: Problems) -> None:
    if not _is(node, Mapping, "a mapping", name, problems):
        return
    for key, child in node.items():
        if key in record.types:
            check_value(child, record.types[key], f"{name}.{key}", problems)
        else:
            problems.add(
                "UNKNOWN_FIELD",
                f"{name} has no field '{key}'.",
                child.place,
                close_match(key, record.types),
            )
    for key in sorted(record.required):
        if node.at(key) is None:
            problems.add("FIELD_MISSING", f"{name} needs '{key}'.", node.place)


def _check_list(node: Node, kind: Any, name: str, problems: Problems) -> None:
    if _is(node, tuple, "a list", name, problems):
        for element in node.elements():
            check_value(element, kind, name, problems)


def _check_scalar(node: Node, kind: Any, name: str, problems: Problems) -> None:
    if isinstance(node.value, Mapping | tuple):
        what = "a mapping" if isinstance(node.value, Mapping) else "a list"
        expected = "one word" if isinstance(kind, type) and issubclass(kind, Enum) else _noun(kind)
        problems.add("WRONG_TYPE", f"{name} is {what}; it must be {expected}.", node.place)
    elif isinstance(kind, type) and issubclass(kind, Enum):
        check_choice(node, [str(each.value) for each in kind], name, problems)
    elif not _fits(node, kind):
        problems.add(
            "WRONG_TYPE",
            f"{name} is '{node.text()}'; it must be {_noun(kind)}.",
            node.place,
        )


def check_choice(node: Node, allowed: Sequence[str], name: str, problems: Problems) -> None:
    """Adds a problem if the text of the node is none of the allowed ones."""
    if node.text() not in allowed:
        problems.add(
            "WRONG_VALUE",
            f"{name} cannot be '{node.text()}'.",
            node.place,
            close_match(node.text(), allowed),
        )


def _fits(node: Node, kind: Any) -> bool:
    """Whether the CLI turns the value into this type: 'yes' is a bool, 7 is a text."""
    if kind is bool:
        return node.text().lower() in _BOOLS
    if kind in (int, float) and not isinstance(node.value, bool):
        try:
            return kind(node.text()) is not None
        except ValueError:
            return False
    return kind not in (int, float)


def _is(node: Node, kind: type, noun: str, name: str, problems: Problems) -> bool:
    if isinstance(node.value, kind):
        return True
    what = "a mapping" if isinstance(node.value, Mapping) else "a list"
    what = what if isinstance(node.value, Mapping | tuple) else f"'{node.text()}'"
    problems.add("WRONG_TYPE", f"{name} is {what}; it must be {noun}.", node.place)
    return False


def _noun(kind: Any) -> str:
    return {bool: "true or false", int: "a whole number", float: "a number"}.get(kind, "a text")


def _without_none(kind: Any) -> Any:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return next(each for each in typing.get_args(kind) if each is not type(None))
    return kind


def _argument(kind: Any, place: int) -> Any:
    arguments = typing.get_args(kind)
    return arguments[place] if len(arguments) > place else str
