"""What DMS does with the values of each type: one table, a row a type.

A value starts as PostgreSQL's output text. It is cleaned, which makes it what both formats write;
CSV then prints it in DMS's way, and Parquet takes the Arrow type. Intervals, arrays, ranges and
all types without a rule are PostgreSQL's text [choice].
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from local_shim.dms.s3 import conversions as convert
from local_shim.dms.s3.conversions import Text
from local_shim.dms.source.types import ColumnType, Kind

# In a row without these letters no number, date or time needs a closer look.
_ODD = re.compile(rb"NaN|nfinity| BC").search


@dataclass(frozen=True)
class ValueRules:
    """The settings that values depend on."""

    lob_bytes: int
    varchar_bytes: int
    trim_char: bool

    @property
    def shortest_limit(self) -> int:
        """No value of a row shorter than this is ever cut."""
        return min(self.lob_bytes // 2, self.varchar_bytes)


@dataclass(frozen=True)
class TypeRule:
    """The conversions of one type; None: the value stays as it is.

    `arrow` is an alias of `pyarrow.type_for_alias`; decimals take the column's precision and
    scale, booleans and timestamps depend on settings (see arrow_columns).
    """

    arrow: str = "string"
    clean: Text | None = None  # in both formats
    limit: Callable[[ValueRules], Text] | None = None  # the check of a type that is cut
    csv: Text | None = None  # of a cleaned value
    ordinary_is_clean: bool = False  # an ordinary row's values need no cleaning and printing
    ordinary_csv: Text | None = None  # faster than cleaning and printing, for ordinary rows


def _characters(rules: ValueRules) -> Text:
    return convert.at_most_characters(rules.lob_bytes // 2)  # an NCLOB counts two bytes for each


def _digits(rules: ValueRules) -> Text:
    return convert.at_most_bytes(2 * rules.lob_bytes)  # hexadecimal digits


def _utf8(rules: ValueRules) -> Text:
    return convert.at_most_utf8_bytes(rules.varchar_bytes)


TYPE_RULES = {
    Kind.INT2: TypeRule("int16"),
    Kind.INT4: TypeRule("int32"),
    Kind.INT8: TypeRule("int64"),
    Kind.NUMERIC: TypeRule("decimal128", convert.finite_number, ordinary_is_clean=True),
    Kind.UNBOUNDED_NUMERIC: TypeRule("decimal128", convert.six_decimals),
    Kind.WIDE_NUMERIC: TypeRule(),
    Kind.MONEY: TypeRule("decimal128", convert.money),
    Kind.REAL4: TypeRule("float", csv=convert.single),
    Kind.REAL8: TypeRule("double", csv=convert.double),
    Kind.BOOLEAN: TypeRule("bool", convert.boolean_word),
    Kind.CHAR: TypeRule(clean=convert.without_blanks),  # unless TrimSpaceInChar is false
    Kind.VARCHAR: TypeRule(),
    Kind.UNBOUNDED_VARCHAR: TypeRule(limit=_utf8),
    Kind.TEXT_LOB: TypeRule(limit=_characters),
    Kind.BYTES_LOB: TypeRule("binary", convert.hexadecimal, _digits),
    Kind.STRING: TypeRule(),
    Kind.DATE: TypeRule("date32", convert.finite_date, ordinary_is_clean=True),
    Kind.TIME: TypeRule("time32[ms]", convert.without_zone, csv=convert.six_decimal_time),
    Kind.TIMESTAMP: TypeRule(
        "timestamp",
        convert.finite_timestamp,
        csv=convert.six_decimal_seconds,
        ordinary_csv=convert.plain_moment,
    ),
}


def converter(type_: ColumnType, rules: ValueRules, *, csv: bool) -> Text | None:
    """From PostgreSQL's text to what the format writes; raises UnfitValue."""
    rule = TYPE_RULES[type_.kind]
    clean, show = rule.clean, rule.csv if csv else None
    if type_.kind is Kind.CHAR and not rules.trim_char:
        clean = None
    if clean is None or show is None:
        return clean or show
    return lambda text: show(clean(text))


def limiter(type_: ColumnType, rules: ValueRules) -> Text | None:
    """The check of a type that is cut when too long; raises UnfitValue with the shorter value."""
    limit = TYPE_RULES[type_.kind].limit
    return limit(rules) if limit else None


def is_ordinary(raw: bytes, rules: ValueRules) -> bool:
    """Whether a row is so short and plain that `ordinary_converter` serves all its values."""
    return len(raw) <= rules.shortest_limit and _ODD(raw) is None


def ordinary_converter(type_: ColumnType, rules: ValueRules, *, csv: bool) -> Text | None:
    """The conversion of an ordinary row's value: the same result in less time."""
    rule = TYPE_RULES[type_.kind]
    if rule.ordinary_is_clean:
        return None
    if csv and rule.ordinary_csv:
        return rule.ordinary_csv
    return converter(type_, rules, csv=csv)
