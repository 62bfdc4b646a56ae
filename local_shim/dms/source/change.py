"""The messages of the stream: transactions, table descriptions and row changes."""

from __future__ import annotations

from typing import Final, NamedTuple


class Unchanged:
    """The marker of a value that was stored apart (TOAST) and not sent, since it is the same."""

    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED: Final = Unchanged()

# The server's text of a value, NULL, or "as it was".
Value = bytes | None | Unchanged


class Begin(NamedTuple):
    """A transaction begins: where it committed, and when (microseconds since 1970, UTC)."""

    final_lsn: int
    commit_time: int
    xid: int


class Commit(NamedTuple):
    """The transaction is complete; reading may resume at `end_lsn`."""

    end_lsn: int


class ColumnShape(NamedTuple):
    """A column as the stream describes it."""

    name: str
    type_oid: int
    typmod: int
    identity: bool  # part of the replica identity


class Relation(NamedTuple):
    """A table's shape, sent before its first change and again after DDL."""

    oid: int
    schema: str
    table: str
    identity: str  # d default, n nothing, f full, i index
    columns: tuple[ColumnShape, ...]


class RowChange(NamedTuple):
    """One row: I, U or D; `old` is the old key or row if the server sent one."""

    op: str
    oid: int
    old: list[Value] | None
    old_is_key: bool
    new: list[Value] | None


class Truncate(NamedTuple):
    """Tables that were emptied."""

    oids: tuple[int, ...]


Message = Begin | Commit | Relation | RowChange | Truncate
