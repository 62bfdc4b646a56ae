"""Values: PostgreSQL's output text into DMS's CSV text, and into what Parquet files are made of.

Both formats start from the same cleaned text (`cleaner`): limits of LOBs, infinities, values
that DMS's types cannot hold. CSV then prints it in DMS's way (`csv_printer`).

[choice] bytea is lower-case hexadecimal without a prefix; intervals, arrays, ranges and all other
types without a rule are PostgreSQL's text; times have six decimals in CSV.

[choice] A NUMERIC that is no number, or too large for NUMERIC(28,6), becomes NULL and a row of
awsdms_apply_exceptions; floating-point ones are the words NaN, Infinity and -Infinity.

[choice] Infinite timestamps are clamped as the guide says, with the six decimals of all others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from operator import methodcaller
from struct import Struct

from local_shim.dms.source.types import ColumnType, Kind

Text = Callable[[bytes], bytes]

_FLOAT4 = Struct("f")
_WIDE = Context(prec=1000)
_MICROSECONDS = len(b"YYYY-MM-DD HH:MM:SS.ffffff")
_SECONDS = len(b"YYYY-MM-DD HH:MM:SS")
_PLUS, _DASH = ord("+"), ord("-")
_WORDS = {b"t": b"true", b"f": b"false"}
_WITHOUT_BLANKS = methodcaller("rstrip", b" ")
# In a row without these letters no number, date or time needs a closer look.
_ODD = re.compile(rb"NaN|nfinity| BC").search
_PLAIN_ALREADY = (Kind.NUMERIC, Kind.DATE)
_NOT_A_NUMBER = {b"NaN", b"Infinity", b"-Infinity"}
_FOREVER = {
    Kind.DATE: {b"infinity": b"9999-12-31", b"-infinity": b"4713-01-01 BC"},
    Kind.TIMESTAMP: {
        b"infinity": b"9999-12-31 23:59:59",
        b"-infinity": b"4713-01-01 00:00:00 BC",
    },
}


class UnfitValue(Exception):
    """A value that DMS's type cannot hold: what is written in its place, and why."""

    def __init__(self, replacement: bytes | None, reason: str, *, truncated: bool = False):
        self.replacement = replacement
        self.reason = reason
        self.truncated = truncated
        super().__init__(reason)


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


def cleaner(type_: ColumnType, rules: ValueRules) -> Text | None:
    """What is done to a value before it is written in any format; None: nothing.

    The function raises UnfitValue for a value the type cannot hold.
    """
    kind = type_.kind
    if kind is Kind.NUMERIC:
        return _only_numbers
    if kind is Kind.UNBOUNDED_NUMERIC:
        return _six_decimals
    if kind is Kind.MONEY:
        return _money
    if kind is Kind.CHAR:
        return _WITHOUT_BLANKS if rules.trim_char else None
    if kind in _FOREVER:
        return _forever(_FOREVER[kind], _without_utc if kind is Kind.TIMESTAMP else None)
    if kind is Kind.TIME:
        return _without_zone
    if kind is Kind.BOOLEAN:
        return _WORDS.__getitem__
    if kind is Kind.BYTES_LOB:
        return _hex
    return None


def limiter(type_: ColumnType, rules: ValueRules) -> Text | None:
    """The check of a type that is cut when too long; None for the others.

    The function raises UnfitValue with the shortened value.
    """
    if type_.kind is Kind.TEXT_LOB:
        return _at_most_characters(rules.lob_bytes // 2)  # an NCLOB counts two bytes for each
    if type_.kind is Kind.BYTES_LOB:
        return _at_most_bytes(2 * rules.lob_bytes)  # hexadecimal digits
    if type_.kind is Kind.UNBOUNDED_VARCHAR:
        return _at_most_utf8(rules.varchar_bytes)
    return None


def csv_printer(type_: ColumnType) -> Text | None:
    """How a cleaned value is printed in CSV; None: as it is."""
    kind = type_.kind
    if kind is Kind.TIMESTAMP:
        return _to_microseconds
    if kind is Kind.TIME:
        return lambda text: text + b".000000" if len(text) == 8 else text.ljust(15, b"0")
    if kind is Kind.REAL8:
        return lambda text: _print_float(float(text), "%+.16e")
    if kind is Kind.REAL4:
        return lambda text: _print_float(_FLOAT4.unpack(_FLOAT4.pack(float(text)))[0], "%+.8e")
    return None


def is_ordinary(raw: bytes, rules: ValueRules) -> bool:
    """Is a whole row so short and plain that `quick` conversions do for it?"""
    return len(raw) <= rules.shortest_limit and _ODD(raw) is None


def quick(type_: ColumnType, convert: Text | None, *, csv: bool) -> Text | None:
    """The conversion of an ordinary row's value: the same result with less to look at."""
    if type_.kind in _PLAIN_ALREADY:
        return None
    if type_.kind is Kind.TIMESTAMP and csv:
        return _plain_moment
    return convert


def _plain_moment(text: bytes) -> bytes:
    """`2024-01-01 00:00:00.5+00` to `2024-01-01 00:00:00.500000`; most have all six digits."""
    if text[-3] == _PLUS:
        text = text[:-3]
    size = len(text)
    if size == _MICROSECONDS and text[4] == _DASH:
        return text
    return _to_microseconds(text)


def _only_numbers(text: bytes) -> bytes:
    if text[-1] > 57:  # not a digit: NaN, Infinity
        raise UnfitValue(None, f"{text.decode()} is no value of a NUMERIC")
    return text


def _six_decimals(text: bytes) -> bytes:
    if text in _NOT_A_NUMBER:
        raise UnfitValue(None, f"{text.decode()} is no value of a NUMERIC(28,6)")
    number = Decimal(text.decode()).quantize(Decimal("0.000001"), ROUND_HALF_UP, _WIDE)
    if abs(number) >= 10**22:
        raise UnfitValue(None, f"{text.decode()[:60]} is too large for a NUMERIC(28,6)")
    return str(abs(number) if number == 0 else number).encode()  # no "-0.000000"


def _money(text: bytes) -> bytes:
    """`-$1,234.50`, as the C locale prints it, to `-1234.5000`."""
    digits = text.translate(None, b"$,")
    if digits.startswith(b"("):
        digits = b"-" + digits.strip(b"()")
    return digits + b"00"


def _forever(names: dict[bytes, bytes], otherwise: Text | None) -> Text:
    def clamp(text: bytes) -> bytes:
        if text[-1] == 121:  # "y"
            return names[text]
        return otherwise(text) if otherwise else text

    return clamp


def _without_utc(text: bytes) -> bytes:
    """The instant without its offset, which is +00 in our sessions."""
    if text.endswith(b"+00"):
        return text[:-3]
    return text.replace(b"+00 BC", b" BC") if text.endswith(b"C") else text


def _without_zone(text: bytes) -> bytes:
    """`12:00:00.5+02` to `12:00:00.5`: DMS loses the zone."""
    for sign in (b"+", b"-"):
        text = text.partition(sign)[0]
    return text


def _hex(text: bytes) -> bytes:
    return text[2:] if text.startswith(b"\\x") else text


def _to_microseconds(text: bytes) -> bytes:
    """`2024-01-01 00:00:00.5` to six decimals, whatever the year and the era."""
    size = len(text)
    if size == _SECONDS and text[-1] < 65:
        return text + b".000000"
    body, blank, era = text.partition(b" BC")
    clock, _, fraction = body.rpartition(b":")
    seconds, _, decimals = fraction.partition(b".")
    return clock + b":" + seconds + b"." + decimals.ljust(6, b"0") + blank + era


def _print_float(value: float, form: str) -> bytes:
    if value != value:
        return b"NaN"
    if value in (float("inf"), float("-inf")):
        return b"Infinity" if value > 0 else b"-Infinity"
    return (form % value).encode()


def _at_most_characters(limit: int) -> Text:
    def check(text: bytes) -> bytes:
        if len(text) <= limit:
            return text
        characters = text.decode("utf-8", "replace")
        if len(characters) <= limit:
            return text
        raise UnfitValue(
            characters[:limit].encode(),
            f"{len(characters)} characters, LobMaxSize allows {limit}",
            truncated=True,
        )

    return check


def _at_most_bytes(limit: int) -> Text:
    def check(text: bytes) -> bytes:
        if len(text) > limit:
            reason = f"{len(text) // 2} bytes, LobMaxSize allows {limit // 2}"
            raise UnfitValue(text[:limit], reason, truncated=True)
        return text

    return check


def _at_most_utf8(limit: int) -> Text:
    def check(text: bytes) -> bytes:
        if len(text) > limit:
            shorter = text[:limit].decode("utf-8", "ignore").encode()
            reason = f"{len(text)} bytes, a varchar without a length holds {limit}"
            raise UnfitValue(shorter, reason, truncated=True)
        return text

    return check
