"""Reads the arguments of one AUTO CDC call in the user's file, one by one.

Each method returns the value of an argument. If the argument is wrong, it notes an error and
returns a harmless value, so that all errors of one call are reported together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from local_shim.errors import DefinitionError, ShimError, raise_all
from local_shim.graph.elements import ScdType, SourceLocation
from local_shim.graph.names import parts
from local_shim.jvm.spark_parser import check_expression
from local_shim.jvm.spark_plan import column_name

_SCD_TYPES = {"1": ScdType.ONE, "2": ScdType.TWO, "BITEMPORAL": ScdType.BITEMPORAL}
_NAME = re.compile(r"(?:\w+|`[^`]+`)(?:\.(?:\w+|`[^`]+`))*")
_T = TypeVar("_T")


@dataclass
class ArgumentReader:
    """One call in the user's file, its arguments, and its errors so far.

    An argument that is not among `arguments` was left out; its value is None.
    """

    function: str
    where: SourceLocation
    arguments: Mapping[str, object]
    errors: list[ShimError] = field(default_factory=list)

    def refuse(self, condition: str, message: str, hint: str = "") -> None:
        """Note an error."""
        text = f"{self.function}: {message}"
        self.errors.append(DefinitionError(condition, text, where=self.where, hint=hint))

    def attempt(self, make: Callable[[], _T], otherwise: _T) -> _T:
        """What `make` returns, or `otherwise` after noting the error that it raised."""
        try:
            return make()
        except ShimError as error:
            self.refuse(error.condition, error.message, error.hint)
            return otherwise

    def finish(self) -> None:
        """Raise the errors: DefinitionError for one, DefinitionErrors for several."""
        raise_all(self.errors)

    def columns(self, argument: str) -> tuple[str, ...]:
        """Plain column names out of texts and Columns; an empty list is no list."""
        value = self.arguments.get(argument)
        if value is None:
            return ()
        if isinstance(value, str | Column) or not isinstance(value, Sequence):
            self.refuse(
                "INVALID_ARGUMENT_TYPE",
                f"{argument} must be a list of column names, not {type(value).__name__}.",
                f'write {argument}=["a", "b"]',
            )
            return ()
        names = [self._name(argument, one) for one in value]
        valid = [name for name in names if name]
        for name in sorted({name for name in valid if _folded(valid).count(name.lower()) > 1}):
            self.refuse("DUPLICATE_COLUMN", f"{argument} names '{name}' twice.", "name it once")
        return tuple(valid)

    def column(self, argument: str) -> str | None:
        """A plain column name out of a text or a Column; None stays None."""
        value = self.arguments.get(argument)
        return None if value is None else self._name(argument, value) or None

    def _name(self, argument: str, value: object) -> str:
        """The name in one text or Column; qualified names and expressions are refused."""
        name = _name_parts(value)
        if len(name) == 1:
            return name[0]
        if len(name) > 1:
            self.refuse(
                "AUTOCDC_MULTIPART_COLUMN_IDENTIFIER",
                f"{argument} must hold unqualified column names, not '{'.'.join(name)}'.",
                f"write '{name[-1]}', or backquote a name that has a dot in it",
            )
        else:
            self.refuse(
                "INVALID_ARGUMENT_TYPE",
                f"{argument} takes column names as text or col(), not {value!r}.",
                'write "a" or col("a")',
            )
        return ""

    def expression(self, argument: str) -> Column | None:
        """A Column out of SQL text or a Column; None stays None."""
        value = self.arguments.get(argument)
        if value is None or isinstance(value, Column):
            return value
        if isinstance(value, str) and value.strip():
            self._parse(argument, value)
            return F.expr(value)
        self.refuse(
            "INVALID_ARGUMENT_TYPE",
            f"{argument} takes SQL text or a Column, not {value!r}.",
            f"write {argument}=\"op = 'D'\" or {argument}=expr(\"op = 'D'\")",
        )
        return None

    def _parse(self, argument: str, text: str) -> None:
        session = SparkSession.getActiveSession()
        if session is None:
            return
        try:
            check_expression(session, text)
        except Exception as error:  # PySpark wraps the parser's error in several ways
            reason = str(error).strip().split("\n")[0]
            self.refuse("PARSE_SYNTAX_ERROR", f"{argument} is not valid SQL: {text!r} ({reason})")

    def flag(self, argument: str) -> bool:
        """True or False; None is False."""
        value = self.arguments.get(argument)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.refuse("INVALID_ARGUMENT_TYPE", f"{argument} must be True or False, not {value!r}.")
        return False

    def scd_type(self, allowed: Sequence[str]) -> ScdType:
        """A storage type by number or text; None is type 1."""
        value = self.arguments.get("stored_as_scd_type")
        text = "1" if value is None else str(value).upper()
        if text in allowed and not isinstance(value, bool | float):
            return _SCD_TYPES[text]
        words = ", ".join(f'{word}, "{word}"' for word in allowed if word.isdigit())
        more = ', "bitemporal"' if "BITEMPORAL" in allowed else ""
        self.refuse(
            "INVALID_SCD_TYPE",
            f"stored_as_scd_type={value!r} is not a storage type.",
            f"allowed: {words}{more}",
        )
        return ScdType.ONE

    def exclusive(self, first: str, second: str, a: object, b: object, condition: str) -> None:
        """Note an error if both arguments have a value."""
        if a and b:
            self.refuse(condition, f"{first} and {second} exclude each other.", "give one of them")

    def flow_name(self, default: str) -> str:
        """The flow's name, by either of its arguments."""
        name, flow_name = self.arguments.get("name"), self.arguments.get("flow_name")
        if name is not None and flow_name is not None and name != flow_name:
            self.refuse(
                "CANNOT_SET_TOGETHER",
                f"name={name!r} and flow_name={flow_name!r} name one flow differently.",
                "give one of them",
            )
        value = name if name is not None else flow_name
        return str(value) if value else default


def _name_parts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        plain = value.strip()
        if not plain:
            return ()
        try:
            return parts(plain) if "." in plain or "`" in plain else (plain,)
        except DefinitionError:
            return ()
    if isinstance(value, Column):
        return _column_parts(value)
    return ()


def _column_parts(column: Column) -> tuple[str, ...]:
    """The parts of a plain column reference; () for any other expression."""
    name = column_name(column)
    if isinstance(name, str):  # the text of expr("a")
        return _name_parts(name) if _NAME.fullmatch(name.strip()) else ()
    return name or ()


def _folded(names: Sequence[str]) -> list[str]:
    return [name.lower() for name in names]
