"""The loop over the slot: read, apply, publish, and only then confirm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg2

from local_shim.dms.changes.applier import Applier
from local_shim.dms.changes.slot_stream import SlotStream, StreamError
from local_shim.dms.clock import Clock
from local_shim.dms.errors import TaskFailed
from local_shim.dms.source.connection import Link, replication_dsn
from local_shim.dms.source.slot import heartbeat, publications
from local_shim.dms.stopping import Stop
from local_shim.dms.task import Task
from local_shim.errors import SetupError, ShimError

_MESSAGES_BETWEEN_LOOKS = 4096
_LONGEST_WAIT = 5.0  # seconds; the server ends a connection that is silent for a minute
_ASKING_WAIT = 0.02
_OBJECT_IN_USE = "55006"
_BUSY_TRIES = 50  # a killed reader's slot is free as soon as the server notices


class ConnectionLost(Exception):
    """The server went away; it may come back."""


@dataclass
class Replication:
    """One task's stream, over as many connections as it takes."""

    task: Task
    applier: Applier
    link: Link  # the ordinary connection for the catalog and look-ups
    clock: Clock
    report: Callable[[str], None]
    stop: Stop
    encoding: str = "UTF8"
    until: int | None = None  # a position at which to end; None: until stopped
    interrupt: Callable[[], bool] = lambda: False  # called between transactions
    interrupted: bool = False

    def run(self) -> None:
        """Read until stopped, interrupted or caught up, then publish everything and confirm it.

        Raises:
            TaskFailed: The slot or its WAL is missing, the disk is full, the server is away.
        """
        losses = 0
        while True:
            try:
                self._one_connection()
                return
            except ConnectionLost as error:
                losses += 1
                self.link.close()
                limit = self.task.settings.reconnects
                if 0 <= limit < losses:
                    raise TaskFailed(
                        "DMS_SOURCE_LOST",
                        f"The server went away: {error}.",
                        where=self.task.source.describe(),
                        hint="nothing is lost: start the task again when the server is back",
                    ) from None
                self.report(f"the server went away ({error}); trying again")
                self.stop.wait(self.task.settings.reconnect_seconds)
                if self.stop.wished:
                    self.applier.publish_all()
                    return

    def _one_connection(self) -> None:
        try:
            stream = SlotStream(replication_dsn(self.task.source, self.encoding))
        except StreamError as error:
            raise ConnectionLost(str(error)) from None
        try:
            self._start(stream)
            self.applier.reconnected()
            self._read(stream)
            self.applier.publish_all()
            self._confirm(stream)
        except StreamError as error:
            raise self._explained(error) from None
        except SetupError as error:  # the catalog was read and the server was gone
            raise ConnectionLost(error.message) from None
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            raise ConnectionLost(_one_line(error)) from None
        except psycopg2.DatabaseError as error:
            where = self.task.source.describe()
            raise TaskFailed("DMS_STREAM", _one_line(error), where=where) from None
        finally:
            stream.close()

    def _start(self, stream: SlotStream) -> None:
        names = ", ".join(f'"{name}"' for name in publications(self.applier.state.publication))
        options = {"proto_version": "1", "publication_names": names}
        for attempt in range(_BUSY_TRIES):
            try:
                stream.start(self.task_slot, self._resume_position(), options)
                return
            except StreamError as error:
                if error.sqlstate != _OBJECT_IN_USE or attempt == _BUSY_TRIES - 1:
                    raise
                self.stop.wait(0.1)

    @property
    def task_slot(self) -> str:
        """The slot's name."""
        return self.applier.state.slot

    def _resume_position(self) -> int:
        if self.task.stand_in.faults.replay_transactions:
            return self.applier.state.confirmed
        return self.applier.last_end

    def _read(self, stream: SlotStream) -> None:
        beat = _Heartbeat(self.task, self.link, self.clock)
        beat.beat_if_due()
        apply, read = self.applier.apply, stream.read
        messages = 0
        while True:
            message = read()
            if message is not None:
                position, payload = message
                apply(payload, position)
                messages += 1
                if messages % _MESSAGES_BETWEEN_LOOKS:
                    continue
            elif self._is_over(stream):
                return
            self._look_around(stream)
            beat.beat_if_due()
            if not self.applier.in_transaction and self.interrupt():
                self.interrupted = True
                return
            if message is None:
                self._wait(stream)

    def _is_over(self, stream: SlotStream) -> bool:
        """Whether to end, now that everything sent so far has been read."""
        self.applier.idle_at(stream.sent_to)
        if self.applier.in_transaction:
            return False
        caught_up = self.until is not None and self.applier.last_end >= self.until
        return caught_up or self.stop.wished

    def _look_around(self, stream: SlotStream) -> None:
        if not (self.applier.in_transaction and self.task.s3.preserve_transactions):
            self.applier.publish_due()
        self._confirm(stream)

    def _confirm(self, stream: SlotStream) -> None:
        """Confirm what is durable; request an answer if the run waits for a position."""
        position = self.applier.confirmable
        asking = self.until is not None and not self.applier.in_transaction
        stream.confirm(position, self.applier.last_end, reply=asking)

    def _wait(self, stream: SlotStream) -> None:
        due = self.applier.next_due
        remaining = _LONGEST_WAIT if due is None else due - self.clock.elapsed()
        limit = _LONGEST_WAIT if self.until is None else _ASKING_WAIT
        if self.stop.wished:  # in the middle of a transaction, whose end will come
            limit = _ASKING_WAIT
        self.stop.wait(min(remaining, limit), stream)

    def _explained(self, error: StreamError) -> Exception:
        """What the server's refusal means for the task."""
        text, where = str(error), self.task.source.describe()
        if text.startswith("ERROR: "):
            text = text.removeprefix("ERROR: ")
        if text.startswith("replication slot") and "does not exist" in text:
            return slot_lost(self.task_slot, where)
        if "publication" in text and "does not exist" in text:
            return publication_lost(self.applier.state.publication, where)
        if "can no longer" in text or "already been removed" in text or "invalidated" in text:
            return wal_removed(self.task_slot, where)
        if error.sqlstate == _OBJECT_IN_USE:
            return ShimError(
                "DMS_SLOT_IN_USE",
                text,
                where=where,
                hint="another reader holds the slot; stop it first",
            )
        if error.retryable:
            return ConnectionLost(text)
        return TaskFailed("DMS_STREAM", text, where=where)


class _Heartbeat:
    """Writes a message into the source's WAL now and then, if the endpoint is set so."""

    def __init__(self, task: Task, link: Link, clock: Clock):
        self._task = task
        self._link = link
        self._clock = clock
        self._next = clock.elapsed()

    def beat_if_due(self) -> None:
        """Writes the message if the interval of the endpoint has passed since the last one."""
        interval = self._task.endpoint.heartbeat_seconds
        if interval and self._clock.elapsed() >= self._next:
            self._next = self._clock.elapsed() + interval
            heartbeat(self._link.connection(), self._task.name)


def slot_lost(slot: str, where: str) -> TaskFailed:
    """The error for a slot that was dropped."""
    return TaskFailed(
        "DMS_SLOT_LOST",
        f"The slot {slot} is gone from the server; changes made since cannot be read.",
        where=where,
        hint="dlt-local dms full-load takes all tables anew",
    )


def publication_lost(name: str, where: str) -> TaskFailed:
    """The error for a publication that was dropped."""
    return TaskFailed(
        "DMS_PUBLICATION_LOST",
        f"The task's publication {name} was dropped; changes made since cannot be read.",
        where=where,
        hint="dlt-local dms full-load takes all tables anew",
    )


def wal_removed(slot: str, where: str) -> TaskFailed:
    """The error for a slot that fell behind max_slot_wal_keep_size."""
    return TaskFailed(
        "DMS_WAL_REMOVED",
        f"The server has removed WAL that the slot {slot} still needed "
        "(it fell behind max_slot_wal_keep_size).",
        where=where,
        hint="raise max_slot_wal_keep_size, then dlt-local dms full-load takes all tables anew",
    )


def _one_line(error: psycopg2.Error) -> str:
    return " ".join(str(error).split()) or type(error).__name__
