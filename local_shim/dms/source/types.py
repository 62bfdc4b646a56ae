"""PostgreSQL types as DMS sees them: a kind, and the figures of its type modifier."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """The class of DMS data types of a type (user guide, PostgreSQL source data types)."""

    INT2 = "INT2"
    INT4 = "INT4"
    INT8 = "INT8"
    NUMERIC = "NUMERIC"
    UNBOUNDED_NUMERIC = "NUMERIC(28,6)"
    WIDE_NUMERIC = "STRING of digits"
    MONEY = "NUMERIC(38,4)"
    REAL4 = "REAL4"
    REAL8 = "REAL8"
    BOOLEAN = "BOOLEAN"
    CHAR = "WSTRING, padded"
    VARCHAR = "WSTRING"
    UNBOUNDED_VARCHAR = "WSTRING without a length"
    TEXT_LOB = "NCLOB"
    BYTES_LOB = "BLOB"
    STRING = "STRING"
    DATE = "DATE"
    TIME = "TIME"
    TIMESTAMP = "DATETIME"


@dataclass(frozen=True)
class ColumnType:
    """A column's type; precision and scale are those of NUMERIC."""

    kind: Kind
    precision: int = 0
    scale: int = 0
    has_rule: bool = True  # False: DMS has no rule for the type, its text is taken


_BY_OID = {
    16: Kind.BOOLEAN,
    17: Kind.BYTES_LOB,
    20: Kind.INT8,
    21: Kind.INT2,
    23: Kind.INT4,
    25: Kind.TEXT_LOB,
    114: Kind.TEXT_LOB,  # json
    142: Kind.TEXT_LOB,  # xml
    700: Kind.REAL4,
    701: Kind.REAL8,
    790: Kind.MONEY,
    1082: Kind.DATE,
    1083: Kind.TIME,
    1114: Kind.TIMESTAMP,
    1184: Kind.TIMESTAMP,
    1266: Kind.TIME,
    3802: Kind.TEXT_LOB,  # jsonb
}
# name, "char", oid, inet, cidr, macaddr, macaddr8, interval, bit, varbit, uuid
_STRINGS = {18, 19, 26, 869, 650, 829, 774, 1186, 1560, 1562, 2950}
_BPCHAR, _VARCHAR, _NUMERIC = 1042, 1043, 1700
_LARGEST_PRECISION = 38


@dataclass(frozen=True)
class TypeRow:
    """What pg_type says about a type that is not built in."""

    name: str
    typtype: str  # b base, c composite, d domain, e enum, r range, m multirange
    category: str  # A array, …
    base: int  # of a domain
    base_typmod: int


def column_type(oid: int, typmod: int, described: TypeRow | None) -> ColumnType:
    """DMS's view of a type; `described` is needed only for types that are not built in."""
    if oid in _BY_OID:
        kind = _BY_OID[oid]
        return ColumnType(kind, 38, 4) if kind is Kind.MONEY else ColumnType(kind)
    if oid == _NUMERIC:
        return _numeric(typmod)
    if oid == _BPCHAR:
        return ColumnType(Kind.CHAR)
    if oid == _VARCHAR:
        return ColumnType(Kind.VARCHAR if typmod >= 0 else Kind.UNBOUNDED_VARCHAR)
    if oid in _STRINGS:
        return ColumnType(Kind.STRING)
    return _described(described)


def _numeric(typmod: int) -> ColumnType:
    if typmod < 4:
        return ColumnType(Kind.UNBOUNDED_NUMERIC, 28, 6)
    precision = ((typmod - 4) >> 16) & 0xFFFF
    scale = (((typmod - 4) & 0x7FF) ^ 1024) - 1024  # eleven bits with a sign
    # numeric(3,-2) holds up to 99900, numeric(2,4) down to 0.0099: both need more digits
    precision, scale = max(precision - min(scale, 0), scale), max(scale, 0)
    if precision > _LARGEST_PRECISION:
        return ColumnType(Kind.WIDE_NUMERIC)
    return ColumnType(Kind.NUMERIC, precision, scale)


def _described(row: TypeRow | None) -> ColumnType:
    if row is None:
        return ColumnType(Kind.STRING, has_rule=False)
    if row.category == "A" or row.typtype == "c" or row.name in ("citext", "hstore"):
        return ColumnType(Kind.TEXT_LOB)
    has_rule = row.typtype in ("e", "r", "m") or row.name in ("tsvector", "tsquery", "pg_lsn")
    return ColumnType(Kind.STRING, has_rule=has_rule)
