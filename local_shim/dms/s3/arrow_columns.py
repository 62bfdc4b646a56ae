"""Parquet types of DMS, and columns of cleaned text turned into them.

The type comes from the catalog, never from the values: a batch of NULLs has the same schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from local_shim.dms.s3.type_rules import TYPE_RULES
from local_shim.dms.source.types import ColumnType

Texts = Sequence[bytes | None]

_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86_400_000_000
_MOMENT = re.compile(rb"(\d+)-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d+))?)?( BC)?")


def arrow_type(type_: ColumnType, *, boolean: bool, milliseconds: bool) -> pa.DataType:
    """The Arrow type whose Parquet form is the one DMS writes for a column."""
    alias = TYPE_RULES[type_.kind].arrow
    if alias == "decimal128":
        return pa.decimal128(type_.precision, type_.scale)
    if alias == "timestamp":
        return pa.timestamp("ms" if milliseconds else "us", tz="UTC")
    if alias == "bool" and not boolean:
        return pa.string()
    return pa.type_for_alias(alias)


def arrow_column(texts: Texts, type_: pa.DataType) -> pa.Array:
    """One column of a row group."""
    return _BUILDERS.get(type_.id, _cast)(texts, type_)


def _cast(texts: Texts, type_: pa.DataType) -> pa.Array:
    return pa.array(texts, pa.binary()).cast(pa.string()).cast(type_)


def _strings(texts: Texts, type_: pa.DataType) -> pa.Array:
    return pa.array(texts, pa.binary()).cast(type_)


def _per_value(convert: Callable[[bytes], Any]) -> Callable[[Texts, pa.DataType], pa.Array]:
    def build(texts: Texts, type_: pa.DataType) -> pa.Array:
        return pa.array([None if text is None else convert(text) for text in texts], type_)

    return build


def _days(text: bytes) -> int:
    """Days since 1970 of a proleptic Gregorian date in any year, before Christ too."""
    year, month, day, era = _parts(text, 1, 2, 3, 8)
    return _day_number(1 - year if era else year, month, day)


def _microseconds(text: bytes) -> int:
    year, month, day, hour, minute, second, era = _parts(text, 1, 2, 3, 4, 5, 6, 8)
    fraction = _MOMENT.fullmatch(text)
    micros = int((fraction[7] or b"").ljust(6, b"0")[:6]) if fraction else 0
    days = _day_number(1 - year if era else year, month, day)
    return days * _DAY + ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros


def _parts(text: bytes, *groups: int) -> list[int]:
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError(f"not a date or time: {text!r}")
    return [1 if match[g] == b" BC" else int(match[g] or 0) for g in groups]


def _day_number(year: int, month: int, day: int) -> int:
    """The calendar repeats every 400 years (146,097 days), so any year maps into date's range."""
    cycles, within = divmod(year - 1, 400)
    return date(within + 1, month, day).toordinal() + cycles * 146_097 - _EPOCH


def _milliseconds_of_day(text: bytes) -> int:
    hour, minute, rest = text.split(b":")
    second, _, fraction = rest.partition(b".")
    millis = int(fraction.ljust(3, b"0")[:3])
    return (int(hour) * 60 + int(minute)) * 60_000 + int(second) * 1000 + millis


def _timestamps(texts: Texts, type_: pa.DataType) -> pa.Array:
    plain = pa.array(texts, pa.binary()).cast(pa.string())
    try:
        exact = plain.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:  # a year before 1 or after 9999
        numbers = [None if text is None else _microseconds(text) for text in texts]
        exact = pa.array(numbers, pa.int64()).cast(pa.timestamp("us"))
    floored = exact.cast(pa.timestamp(type_.unit), safe=False)
    return floored.cast(type_)


_BUILDERS: dict[int, Callable[[Texts, pa.DataType], pa.Array]] = {
    pa.string().id: _strings,
    pa.binary().id: _per_value(lambda text: bytes.fromhex(text.decode())),
    pa.date32().id: _per_value(_days),
    pa.time32("ms").id: _per_value(_milliseconds_of_day),
    pa.timestamp("us").id: _timestamps,
}
