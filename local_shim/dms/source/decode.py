"""pgoutput, protocol version 1: bytes of the stream into messages (PostgreSQL manual, 55.9).

[choice] DMS reads test_decoding or pglogical; pgoutput says the same and is in every server. Its
stream has no stored generated columns, so the full load leaves them out too.
"""

from __future__ import annotations

from struct import Struct

from local_shim.dms.source.change import (
    UNCHANGED,
    Begin,
    ColumnShape,
    Commit,
    Message,
    Relation,
    RowChange,
    Truncate,
    Value,
)

_2000 = 946_684_800_000_000  # PostgreSQL's epoch in microseconds of 1970
_BEGIN = Struct(">xqqi")
_COMMIT = Struct(">xBqqq")
_OID = Struct(">I")
_SHORT = Struct(">h")
_COLUMN_END = Struct(">Ii")
_LENGTH = _OID.unpack_from
_NULL, _SAME, _TEXT = ord("n"), ord("u"), ord("t")
_OLD_KEY, _OLD_ROW = ord("K"), ord("O")
_INSERT, _UPDATE, _DELETE = ord("I"), ord("U"), ord("D")


def decode(data: bytes) -> Message | None:
    """The message in these bytes; None for kinds that carry no data (type, origin, message)."""
    kind = data[0]
    if kind == _INSERT:
        return RowChange("I", _LENGTH(data, 1)[0], None, False, _row(data, 6)[0])
    if kind == _UPDATE:
        return _update(data)
    if kind == _DELETE:
        is_key = data[5] == _OLD_KEY
        return RowChange("D", _LENGTH(data, 1)[0], _row(data, 6)[0], is_key, None)
    return _seldom(data)


def _update(data: bytes) -> RowChange:
    oid = _LENGTH(data, 1)[0]
    mark = data[5]
    if mark not in (_OLD_KEY, _OLD_ROW):
        return RowChange("U", oid, None, False, _row(data, 6)[0])
    old, position = _row(data, 6)
    return RowChange("U", oid, old, mark == _OLD_KEY, _row(data, position + 1)[0])


def _row(data: bytes, position: int) -> tuple[list[Value], int]:
    """The values of a tuple, and where it ends. The hottest loop of the stand-in."""
    values: list[Value] = []
    add = values.append
    (count,) = _SHORT.unpack_from(data, position)
    position += 2
    for _ in range(count):
        kind = data[position]
        if kind == _TEXT:
            start = position + 5
            position = start + _LENGTH(data, position + 1)[0]
            add(data[start:position])
        else:
            position += 1
            add(None if kind == _NULL else UNCHANGED)
    return values, position


def _seldom(data: bytes) -> Message | None:
    kind = chr(data[0])
    if kind == "B":
        final_lsn, commit_time, xid = _BEGIN.unpack(data)
        return Begin(final_lsn, commit_time + _2000, xid)
    if kind == "C":
        return Commit(_COMMIT.unpack(data)[2])
    if kind == "R":
        return _relation(data)
    if kind == "T":
        count = _LENGTH(data, 1)[0]
        return Truncate(tuple(_LENGTH(data, 6 + 4 * i)[0] for i in range(count)))
    return None


def _relation(data: bytes) -> Relation:
    oid = _LENGTH(data, 1)[0]
    schema, position = _name(data, 5)
    table, position = _name(data, position)
    identity = chr(data[position])
    (count,) = _SHORT.unpack_from(data, position + 1)
    position += 3
    columns = []
    for _ in range(count):
        is_identity = data[position] == 1
        name, position = _name(data, position + 1)
        type_oid, typmod = _COLUMN_END.unpack_from(data, position)
        position += _COLUMN_END.size
        columns.append(ColumnShape(name, type_oid, typmod, is_identity))
    # An empty namespace stands for pg_catalog.
    return Relation(oid, schema or "pg_catalog", table, identity, tuple(columns))


def _name(data: bytes, position: int) -> tuple[str, int]:
    end = data.index(0, position)
    return data[position:end].decode("utf-8", "replace"), end + 1
