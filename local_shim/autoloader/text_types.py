"""Infers a column's type from its texts, as Spark's CSV inference does.

[choice] A time without a date (`10:20:30`) is text, where Spark takes it for a moment of the day
on which it reads the file. Digits of other scripts are text, as Spark's casts do not read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from pyspark.sql.types import (
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    TimestampType,
)

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?[0-9]+\.?")
_EXPONENT = r"([eE][+-]?[0-9]+)?"
_DOUBLE = re.compile(
    rf"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+){_EXPONENT}[dDfF]?|[+-]?(NaN|Infinity)|[+-]?Inf"
)
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_HOUR, _MINUTE = r"([01]?\d|2[0-3])", r"[0-5]?\d"
_TIME = rf"{_HOUR}(:{_MINUTE}(:{_MINUTE}(\.\d{{1,9}})?)?)?\s?(Z|UTC|[+-]\d\d:?\d\d)?"
_TIMESTAMP = re.compile(rf"(\d{{4}})-(\d{{1,2}})(?:-(\d{{1,2}})(?:[T ]{_TIME})?)?")
_FIELDS = {"yyyy": 4, "MM": 2, "dd": 2, "HH": 2, "hh": 2, "mm": 2, "ss": 2}
_WHOLE_DIGITS: dict[type[DataType], int] = {IntegerType: 10, LongType: 20}
_NUMBERS: list[type[DataType]] = [IntegerType, LongType, DecimalType, DoubleType]


@dataclass(frozen=True)
class Patterns:
    """The user's date and timestamp patterns, empty for ISO.

    Without `prefer_date` a date is a timestamp.
    """

    date: str = ""
    timestamp: str = ""
    prefer_date: bool = True


def type_of(texts: Iterable[str], patterns: Patterns) -> DataType:
    """The narrowest type that all texts have; text if there are none."""
    common_type: DataType | None = None
    for text in texts:
        kind = _type_of(text, patterns)
        common_type = kind if common_type is None else common(common_type, kind)
        if isinstance(common_type, StringType):
            break
    return common_type or StringType()


def common(one: DataType, other: DataType) -> DataType:
    """The type that holds values of both."""
    if one == other:
        return one
    if {type(one), type(other)} == {DateType, TimestampType}:
        return TimestampType()
    if type(one) in _NUMBERS and type(other) in _NUMBERS:
        wider = max(one, other, key=lambda kind: _NUMBERS.index(type(kind)))
        digits = max(_digits(one), _digits(other))
        return DecimalType(digits, 0) if isinstance(wider, DecimalType) else wider
    return StringType()


def _digits(kind: DataType) -> int:
    """How many digits a decimal needs for the whole numbers of the type."""
    if isinstance(kind, DecimalType):
        return kind.precision
    return _WHOLE_DIGITS.get(type(kind), 0)


def _type_of(text: str, patterns: Patterns) -> DataType:
    if _INTEGER.fullmatch(text):
        return _whole_number(text)
    if _DECIMAL.fullmatch(text):
        return _decimal(int(text.removesuffix(".")))
    if _DOUBLE.fullmatch(text.strip()):
        return DoubleType()
    if patterns.prefer_date and _is_date(text, patterns.date):
        return DateType()
    if is_timestamp(text, patterns.timestamp):
        return TimestampType()
    return BooleanType() if text.lower() in ("true", "false") else StringType()


def _whole_number(text: str) -> DataType:
    number = int(text)
    if -(2**31) <= number < 2**31:
        return IntegerType()
    if -(2**63) <= number < 2**63:
        return LongType()
    return _decimal(number)


def _decimal(number: int) -> DataType:
    digits = len(str(abs(number)))
    return DecimalType(digits, 0) if digits <= 38 else DoubleType()


def _is_date(text: str, pattern: str) -> bool:
    if pattern:
        return bool(_regular(pattern).fullmatch(text))
    return _is_calendar_day(_DATE.fullmatch(text))


def is_timestamp(text: str, pattern: str) -> bool:
    """Whether the text is a moment, written by the pattern, or in ISO without one."""
    if pattern:
        return bool(_regular(pattern).fullmatch(text))
    return _is_calendar_day(_TIMESTAMP.fullmatch(text.strip()))


def _is_calendar_day(match: re.Match[str] | None) -> bool:
    if not match:
        return False
    try:
        date(int(match.group(1)), int(match.group(2)), int(match.group(3) or 1))
    except ValueError:
        return False
    return True


@lru_cache(maxsize=100)
def _regular(pattern: str) -> re.Pattern[str]:
    """Java's date pattern as a regular expression; letters it does not know match nothing."""
    out = ""
    for token in re.finditer(r"'([^']*)'|(([A-Za-z])\3*)|([^A-Za-z'])", pattern):
        quoted, run, _, other = token.groups()
        if run:
            out += rf"\d{{{_FIELDS[run]}}}" if run in _FIELDS else _fraction_or_none(run)
        else:
            out += re.escape(other if other else (quoted or "'"))
    return re.compile(out)


def _fraction_or_none(run: str) -> str:
    if set(run) == {"S"}:
        return rf"\d{{{len(run)}}}"
    return r"\d{1,2}" if run in ("M", "d", "H", "h", "m", "s") else "(?!)"
