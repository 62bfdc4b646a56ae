"""Infers a column's type from its texts, as Spark's CSV inference does."""

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

_INTEGER = re.compile(r"[+-]?\d+")
_DOUBLE = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|NaN|[+-]?Inf(inity)?")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_TIME = r"\d{1,2}:\d{1,2}(:\d{1,2}(\.\d{1,9})?)?"
_TIMESTAMP = re.compile(rf"(\d{{4}})-(\d{{1,2}})-(\d{{1,2}})[T ]{_TIME}\s?(Z|UTC|[+-]\d\d:?\d\d)?")
_FIELDS = {"yyyy": 4, "MM": 2, "dd": 2, "HH": 2, "hh": 2, "mm": 2, "ss": 2}
_NUMBERS: list[type[DataType]] = [IntegerType, LongType, DecimalType, DoubleType]


@dataclass(frozen=True)
class Patterns:
    """The user's date and timestamp patterns, empty for ISO."""

    date: str = ""
    timestamp: str = ""


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
        return max(one, other, key=_rank)
    return StringType()


def _rank(kind: DataType) -> tuple[int, int]:
    return _NUMBERS.index(type(kind)), getattr(kind, "precision", 0)


def _type_of(text: str, patterns: Patterns) -> DataType:
    if _INTEGER.fullmatch(text):
        return _whole_number(text)
    if _DOUBLE.fullmatch(text):
        return DoubleType()
    if _is_date(text, patterns.date):
        return DateType()
    if _is_timestamp(text, patterns.timestamp):
        return TimestampType()
    return BooleanType() if text.lower() in ("true", "false") else StringType()


def _whole_number(text: str) -> DataType:
    number = int(text)
    if -(2**31) <= number < 2**31:
        return IntegerType()
    if -(2**63) <= number < 2**63:
        return LongType()
    digits = len(str(abs(number)))
    return DecimalType(digits, 0) if digits <= 38 else DoubleType()


def _is_date(text: str, pattern: str) -> bool:
    if pattern:
        return bool(_regular(pattern).fullmatch(text))
    return _is_calendar_day(_DATE.fullmatch(text))


def _is_timestamp(text: str, pattern: str) -> bool:
    if pattern:
        return bool(_regular(pattern).fullmatch(text))
    return _is_calendar_day(_TIMESTAMP.fullmatch(text))


def _is_calendar_day(match: re.Match[str] | None) -> bool:
    if not match:
        return False
    try:
        date(int(match.group(1)), int(match.group(2)), int(match.group(3)))
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
