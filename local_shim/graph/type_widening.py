"""Which types of a column Delta can widen to which, without rewriting the table."""

from __future__ import annotations

from pyspark.sql import types as T

PROPERTY = "delta.enableTypeWidening"

_WIDTHS: dict[type[T.DataType], int] = {
    T.ByteType: 3,  # decimal digits that hold every value
    T.ShortType: 5,
    T.IntegerType: 10,
    T.LongType: 20,
}
_DOUBLE_HOLDS = (T.ByteType, T.ShortType, T.IntegerType, T.FloatType)


def widens(stored: T.DataType, new: T.DataType) -> bool:
    """Whether a stored column may get the new type (docs.databricks.com, Delta type widening)."""
    if isinstance(new, T.DoubleType):
        return isinstance(stored, _DOUBLE_HOLDS)
    if isinstance(new, T.DecimalType):
        return _fits_decimal(stored, new)
    if isinstance(stored, T.DateType):
        return isinstance(new, T.TimestampNTZType)
    whole = (type(stored), type(new))
    return all(each in _WIDTHS for each in whole) and _WIDTHS[whole[0]] < _WIDTHS[whole[1]]


def _fits_decimal(stored: T.DataType, new: T.DecimalType) -> bool:
    if isinstance(stored, T.DecimalType):
        digits = new.precision - new.scale >= stored.precision - stored.scale
        return digits and new.scale >= stored.scale
    width = _WIDTHS.get(type(stored))
    return width is not None and new.precision - new.scale >= width
