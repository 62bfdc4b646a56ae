"""Single values: PostgreSQL's output text, changed for one rule of DMS's types.

A conversion raises UnfitValue for a value that DMS's type cannot hold.

[choice] bytea is lower-case hexadecimal without a prefix; times have six decimals in CSV.

[choice] A NUMERIC that is no number, or too large for NUMERIC(28,6), becomes NULL and a row of
awsdms_apply_exceptions; floating-point ones are the words NaN, Infinity and -Infinity.

[choice] Infinite timestamps are clamped as the guide says, with the six decimals of all others.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from operator import methodcaller
from struct import Struct

Text = Callable[[bytes], bytes]

_FLOAT4 = Struct("f")
_WIDE = Context(prec=1000)
_MICROSECONDS = len(b"YYYY-MM-DD HH:MM:SS.ffffff")
_SECONDS = len(b"YYYY-MM-DD HH:MM:SS")
_PLUS, _DASH = ord("+"), ord("-")
_NOT_A_NUMBER = {b"NaN", b"Infinity", b"-Infinity"}
_INFINITE_DATES = {b"infinity": b"9999-12-31", b"-infinity": b"4713-01-01 BC"}
_INFINITE_TIMESTAMPS = {
    b"infinity": b"9999-12-31 23:59:59",
    b"-infinity": b"4713-01-01 00:00:00 BC",
}

without_blanks: Text = methodcaller("rstrip", b" ")
boolean_word: Text = {b"t": b"true", b"f": b"false"}.__getitem__


class UnfitValue(Exception):
    """A value that DMS's type cannot hold: what is written in its place, and why."""

    def __init__(self, replacement: bytes | None, reason: str, *, truncated: bool = False):
        self.replacement = replacement
        self.reason = reason
        self.truncated = truncated
        super().__init__(reason)


def plain_moment(text: bytes) -> bytes:
    """`2024-01-01 00:00:00.5+00` to `2024-01-01 00:00:00.500000`; most have all six digits."""
    if text[-3] == _PLUS:
        text = text[:-3]
    size = len(text)
    if size == _MICROSECONDS and text[4] == _DASH:
        return text
    return six_decimal_seconds(text)


def finite_number(text: bytes) -> bytes:
    """The digits of a NUMERIC."""
    if text[-1] > 57:  # not a digit: NaN, Infinity
        raise UnfitValue(None, f"{text.decode()} is no value of a NUMERIC")
    return text


def six_decimals(text: bytes) -> bytes:
    """A NUMERIC without precision as NUMERIC(28,6)."""
    if text in _NOT_A_NUMBER:
        raise UnfitValue(None, f"{text.decode()} is no value of a NUMERIC(28,6)")
    number = Decimal(text.decode()).quantize(Decimal("0.000001"), ROUND_HALF_UP, _WIDE)
    if abs(number) >= 10**22:
        raise UnfitValue(None, f"{text.decode()[:60]} is too large for a NUMERIC(28,6)")
    return str(abs(number) if number == 0 else number).encode()  # no "-0.000000"


def money(text: bytes) -> bytes:
    """`-$1,234.50`, as the C locale prints it, to `-1234.5000`."""
    digits = text.translate(None, b"$,")
    if digits.startswith(b"("):
        digits = b"-" + digits.strip(b"()")
    return digits + b"00"


def finite_date(text: bytes) -> bytes:
    """A date, `infinity` replaced by the last or first one that DMS knows."""
    return _INFINITE_DATES[text] if text[-1] == 121 else text  # "y"


def finite_timestamp(text: bytes) -> bytes:
    """A timestamp without its offset, `infinity` replaced as in dates."""
    return _INFINITE_TIMESTAMPS[text] if text[-1] == 121 else _without_utc(text)


def _without_utc(text: bytes) -> bytes:
    """The instant without its offset, which is +00 in our sessions."""
    if text.endswith(b"+00"):
        return text[:-3]
    return text.replace(b"+00 BC", b" BC") if text.endswith(b"C") else text


def without_zone(text: bytes) -> bytes:
    """`12:00:00.5+02` to `12:00:00.5`: DMS loses the zone."""
    for sign in (b"+", b"-"):
        text = text.partition(sign)[0]
    return text


def hexadecimal(text: bytes) -> bytes:
    r"""`\x00ff` to `00ff`."""
    return text[2:] if text.startswith(b"\\x") else text


def six_decimal_seconds(text: bytes) -> bytes:
    """`2024-01-01 00:00:00.5` to six decimals, whatever the year and the era."""
    size = len(text)
    if size == _SECONDS and text[-1] < 65:
        return text + b".000000"
    body, blank, era = text.partition(b" BC")
    clock, _, fraction = body.rpartition(b":")
    seconds, _, decimals = fraction.partition(b".")
    return clock + b":" + seconds + b"." + decimals.ljust(6, b"0") + blank + era


def six_decimal_time(text: bytes) -> bytes:
    """`12:00:00.5` to `12:00:00.500000`."""
    return text + b".000000" if len(text) == 8 else text.ljust(15, b"0")


def double(text: bytes) -> bytes:
    """A double precision number in CSV, 17 significant digits."""
    return _printed_float(float(text), "%+.16e")


def single(text: bytes) -> bytes:
    """A real number in CSV, nine significant digits of its four bytes."""
    return _printed_float(_FLOAT4.unpack(_FLOAT4.pack(float(text)))[0], "%+.8e")


def _printed_float(value: float, form: str) -> bytes:
    if value != value:
        return b"NaN"
    if value in (float("inf"), float("-inf")):
        return b"Infinity" if value > 0 else b"-Infinity"
    return (form % value).encode()


def at_most_characters(limit: int) -> Text:
    """A check of the length in characters."""

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


def at_most_bytes(limit: int) -> Text:
    """A check of the length of bytes in hexadecimal digits."""

    def check(text: bytes) -> bytes:
        if len(text) > limit:
            reason = f"{len(text) // 2} bytes, LobMaxSize allows {limit // 2}"
            raise UnfitValue(text[:limit], reason, truncated=True)
        return text

    return check


def at_most_utf8_bytes(limit: int) -> Text:
    """A check of the length in bytes of UTF-8."""

    def check(text: bytes) -> bytes:
        if len(text) > limit:
            shorter = text[:limit].decode("utf-8", "ignore").encode()
            reason = f"{len(text)} bytes, a varchar without a length holds {limit}"
            raise UnfitValue(shorter, reason, truncated=True)
        return text

    return check
