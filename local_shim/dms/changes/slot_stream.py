"""The messages of a replication slot, read with libpq's COPY functions.

psycopg2 has a replication cursor, but it raises the confirmed position by itself: at a keepalive
it counts everything as flushed if the last flush is beyond the last message's position
(psycopg/pqpath.c of 2.9, pq_read_replication_message). The rows of a long transaction have early
positions, so that this is true while rows of shorter transactions still lie in open files. Here
the server hears only the positions that `confirm` is given.
"""

from __future__ import annotations

import time
from struct import Struct

import psycopg
from psycopg import pq

_DATA = Struct(">xQQq")  # start of the data, end of the WAL, time of sending
_KEEPALIVE = Struct(">xQqB")  # end of the WAL, time of sending, reply wanted
_STATUS = Struct(">cQQQqB")  # written, flushed, applied, time, reply wanted
_2000 = 946_684_800  # PostgreSQL's epoch in seconds of 1970
_KEEPALIVE_KIND = ord("k")
_RETRYABLE = ("08", "57P")  # classes of SQLSTATE: connection exceptions, operator intervention


class StreamError(Exception):
    """The server refused or ended the stream; `retryable` if another connection may succeed."""

    def __init__(self, text: str, sqlstate: str = "", *, retryable: bool = False):
        super().__init__(" ".join(text.split()) or "the connection was closed")
        self.sqlstate = sqlstate
        self.retryable = retryable


class SlotStream:
    """One connection that streams a slot."""

    def __init__(self, dsn: str):
        self._connection = pq.PGconn.connect(f"{dsn} replication=database".encode())
        if self._connection.status != pq.ConnStatus.OK:
            raise StreamError(self._message(), retryable=True)
        self.sent_to = 0  # the server has sent everything up to here
        self._written = self._flushed = 0

    def start(self, slot: str, position: int, options: dict[str, str]) -> None:
        """Starts streaming after `position`, or after what the slot has confirmed if that is later.

        Raises StreamError.
        """
        listed = ", ".join(f"{key} '{value}'" for key, value in options.items())
        lsn = f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"
        command = f'START_REPLICATION SLOT "{slot}" LOGICAL {lsn} ({listed})'
        result = self._connection.exec_(command.encode())
        if result.status != pq.ExecStatus.COPY_BOTH:
            raise self._error(result)

    def read(self) -> tuple[int, bytes] | None:
        """The next message that has arrived, as position and payload; None if there is none.

        Raises StreamError if the stream has ended.
        """
        while (data := self._next()) is not None:
            if data[0] != _KEEPALIVE_KIND:
                start, self.sent_to, _ = _DATA.unpack_from(data)
                return start, data[_DATA.size :]
            self.sent_to, _, reply_wanted = _KEEPALIVE.unpack(data)
            if reply_wanted:
                self.confirm(self._flushed, self._written)
        return None

    def confirm(self, flushed: int, written: int, *, reply: bool = False) -> None:
        """Tells the server which position is durable here; with `reply` it answers at once."""
        self._flushed, self._written = flushed, written
        now = int((time.time() - _2000) * 1_000_000)
        try:
            self._connection.put_copy_data(
                _STATUS.pack(b"r", written, flushed, flushed, now, reply)
            )
            self._connection.flush()
        except psycopg.Error as error:
            raise StreamError(str(error), retryable=True) from None

    def fileno(self) -> int:
        """What becomes readable when the server has sent something."""
        return self._connection.socket

    def close(self) -> None:
        """Ends the connection."""
        self._connection.finish()

    def _next(self) -> bytes | None:
        try:
            count, data = self._connection.get_copy_data(1)
            if count == 0:
                self._connection.consume_input()
                count, data = self._connection.get_copy_data(1)
        except psycopg.Error as error:
            raise StreamError(str(error), retryable=True) from None
        if count < 0:
            raise self._error(self._connection.get_result())
        return bytes(data) if count else None

    def _error(self, result: pq.abc.PGresult | None) -> StreamError:
        field = result.error_field(pq.DiagnosticField.SQLSTATE) if result else None
        sqlstate = (field or b"").decode()
        text = result.error_message.decode() if result else ""
        broken = self._connection.status != pq.ConnStatus.OK
        connection_lost = broken or not sqlstate or sqlstate.startswith(_RETRYABLE)
        return StreamError(text or self._message(), sqlstate, retryable=connection_lost)

    def _message(self) -> str:
        return self._connection.error_message.decode("utf-8", "replace")
