"""Messages of the stream into rows of open files, and files into publications.

[choice] A file never holds two layouts: a change of a table closes what is open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from local_shim.dms.changes.sequence import ChangeSequence
from local_shim.dms.changes.table_stream import RecordIgnored, Streams, TableStream
from local_shim.dms.clock import Clock, timestamp_text
from local_shim.dms.publishing.publisher import Finished, Publisher
from local_shim.dms.publishing.state import State, TableState
from local_shim.dms.s3.data_file import DataFile, open_file
from local_shim.dms.s3.file_schema import Facts, FileColumn
from local_shim.dms.s3.object_keys import date_folder, folder_name
from local_shim.dms.source.change import (
    Begin,
    Commit,
    Message,
    Relation,
    RowChange,
    Truncate,
)
from local_shim.dms.source.decode import decode
from local_shim.dms.task import Task


@dataclass
class OpenFile:
    """A file that is growing, and the facts about its rows."""

    data: DataFile
    folder: tuple[str, ...]
    owner: str
    columns: tuple[FileColumn, ...]
    resume_from: int  # end of the last transaction before its first row
    opened: float
    letters: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, table: str, op: str) -> None:
        """One more row."""
        counts = self.letters.setdefault(table, {})
        counts[op] = counts.get(op, 0) + 1

    def finish(self) -> Finished:
        """Close the file; its bytes are on the disk."""
        self.data.close()
        return Finished(self.data.path.name, self.folder, self.owner, self.letters)


class Applier:
    """Takes the stream's messages in their order; knows nothing of the network."""

    def __init__(
        self,
        task: Task,
        publisher: Publisher,
        streams: Streams,
        clock: Clock,
        report: Callable[[str], None],
    ):
        state = publisher.state
        self.last_end = state.confirmed  # end of the newest complete transaction
        self.in_transaction = False
        self._task = task
        self._publisher = publisher
        self._streams = streams
        self._clock = clock
        self._report = report
        self._sequence = ChangeSequence(state.sequence_time, state.sequence_counter)
        self._files: dict[tuple[str, str], OpenFile] = {}
        self._begin = Begin(0, 0, 0)
        self._stamp = b""
        self._date = ""
        self._positions = list(state.positions)
        self._drops = _dropped_operations(task)
        self._batch_bytes = task.s3.batch_bytes
        self._together = task.s3.preserve_transactions  # rows of all tables in one file
        self.reconnected()

    @property
    def state(self) -> State:
        """The state as it was last published."""
        return self._publisher.state

    @property
    def confirmable(self) -> int:
        """The position up to which every change is in a published file."""
        keep = self._task.stand_in.faults.replay_transactions
        if keep:
            return self._positions[-keep - 1] if len(self._positions) > keep else 0
        return min((f.resume_from for f in self._files.values()), default=self.last_end)

    @property
    def next_due(self) -> float | None:
        """When the oldest open file must be published, by the rising clock."""
        opened = min((file.opened for file in self._files.values()), default=None)
        return None if opened is None else opened + self._task.s3.batch_seconds

    def reconnected(self) -> None:
        """The stream starts again: rows that were written already will come once more."""
        self._streams.restart()
        self.in_transaction = False

    def apply(self, payload: bytes, lsn: int) -> None:
        """Take one message."""
        message = decode(payload)
        if type(message) is RowChange:
            self._row(message, lsn, payload)
        elif message is not None:
            self._seldom(message)

    def idle_at(self, lsn: int) -> None:
        """The server has nothing more for us up to this position."""
        if not self.in_transaction and lsn > self.last_end:
            self.last_end = lsn

    def publish_due(self) -> None:
        """Publish the files whose time has come."""
        horizon = self._clock.elapsed() - self._task.s3.batch_seconds
        self._publish([key for key, file in self._files.items() if file.opened <= horizon])

    def publish_all(self) -> None:
        """Publish everything that is open."""
        self._publish(list(self._files))

    def abandon(self) -> None:
        """Forget what is not published; the server will send it again."""
        for file in self._files.values():
            file.data.discard()
        self._files.clear()

    def _seldom(self, message: Message) -> None:
        if isinstance(message, Begin):
            self._start_transaction(message)
        elif isinstance(message, Commit):
            self._end_transaction(message)
        elif isinstance(message, Relation):
            self._streams.described(message)
        elif isinstance(message, Truncate):
            for oid in message.oids:
                self._truncate(self._streams.of(oid))

    def _start_transaction(self, begin: Begin) -> None:
        self._begin = begin
        self.in_transaction = True
        self._sequence.begin(begin.commit_time)
        self._stamp = timestamp_text(begin.commit_time, self._task.stand_in.timestamp_precision)
        s3 = self._task.s3
        if s3.partition:
            self._date = date_folder(begin.commit_time, s3.partition, s3.timezone)

    def _end_transaction(self, commit: Commit) -> None:
        self.in_transaction = False
        self.last_end = commit.end_lsn
        if self._task.stand_in.faults.replay_transactions:
            keep = self._task.stand_in.faults.replay_transactions + 1
            self._positions = [*self._positions, commit.end_lsn][-keep:]
        if self._together:
            self._publish_large()

    def _row(self, change: RowChange, lsn: int, payload: bytes) -> None:
        stream = self._streams.of(change.oid)
        position = stream.next_row(self._begin.final_lsn)
        if not stream.is_replayed(position) and change.op not in self._drops:
            self._write(stream, change, lsn, payload)
        stream.advance(position)  # not before: a row that failed to be written must come again
        file = self._files.get(self._file_key(stream))
        if file and file.data.size >= self._batch_bytes and not self._together:
            self._publish([self._file_key(stream)])

    def _write(self, stream: TableStream, change: RowChange, lsn: int, payload: bytes) -> None:
        if stream.relation_is_new:
            self._adopt(stream)
        facts = Facts(self._stamp, self._sequence.next(), b"%08X/%08X" % divmod(lsn, 1 << 32))
        try:
            fields = stream.fields(change, facts, payload)
        except RecordIgnored:
            return
        file = self._file(stream)
        file.data.append(fields)
        file.count(stream.name, change.op)

    def _truncate(self, stream: TableStream) -> None:
        """A TRUNCATE of PostgreSQL deletes nothing in the target (DMS behaviour 37)."""
        position = stream.next_row(self._begin.final_lsn)
        if not stream.is_replayed(position):
            self._report(f"TRUNCATE of {stream.name} is not carried to the target, as with DMS")
            self._recount(stream, truncates_ignored=1)
        stream.advance(position)

    def _adopt(self, stream: TableStream) -> None:
        """Take a new shape of a table: what is open has the old one and is published first."""
        if stream.adopt():
            self._publish([key for key, file in self._files.items() if key[0] == stream.name])
            self._report(f"{stream.name} has changed its columns")
            self._recount(stream, ddls=1)

    def _recount(self, stream: TableStream, *, ddls: int = 0, truncates_ignored: int = 0) -> None:
        state = self.state
        table_state = state.tables.get(stream.name, TableState())
        counts = replace(
            table_state.counts,
            ddls=table_state.counts.ddls + ddls,
            truncates_ignored=table_state.counts.truncates_ignored + truncates_ignored,
        )
        table_state = replace(
            table_state, oid=stream.oid, counts=counts, columns=stream.columns, key=stream.key
        )
        self._publisher.save(replace(state, tables={**state.tables, stream.name: table_state}))

    def _file_key(self, stream: TableStream) -> tuple[str, str]:
        return ("", "") if self._together else (stream.name, self._date)

    def _folder(self, stream: TableStream) -> tuple[str, ...]:
        plan = stream.file_schema.plan
        return folder_name(plan.schema), folder_name(plan.table)

    def _file(self, stream: TableStream) -> OpenFile:
        """The open file for rows of these columns; one of other columns is published first."""
        key = self._file_key(stream)
        file = self._files.get(key)
        if file is not None and not self._takes(file, stream.file_schema.columns):
            self._publish([key])
            file = None
        if file is None:
            file = self._files[key] = self._open(stream, key[0])
        return file

    def _takes(self, file: OpenFile, columns: tuple[FileColumn, ...]) -> bool:
        return self._together or file.columns is columns or file.columns == columns

    def _open(self, stream: TableStream, owner: str) -> OpenFile:
        path = self._task.s3.cdc_path
        folder = (path,) if self._together else (*self._folder(stream), self._date)
        data = open_file(
            self._publisher.bucket.new_file(),
            stream.file_schema,
            self._task.s3,
            boolean=self._task.endpoint.boolean_as_boolean,
            on_bad_text=stream.bad_text,
        )
        opened = self._clock.elapsed()
        return OpenFile(data, folder, owner, stream.file_schema.columns, self.last_end, opened)

    def _publish_large(self) -> None:
        limit = self._batch_bytes
        self._publish([key for key, file in self._files.items() if file.data.size >= limit])

    def _publish(self, keys: list[tuple[str, str]]) -> None:
        """Publish files, and with them the other date folders' files of the same tables.

        A table's mark says up to where its rows are published, so none may stay behind it.
        """
        if not keys:
            return
        owners = {owner for owner, _ in keys}
        keys = [key for key in self._files if key[0] in owners]
        finished = [self._files.pop(key).finish() for key in keys]
        committed_at = self.state.committed_at if self.in_transaction else self._begin.commit_time
        self._publisher.publish(
            finished,
            replace(
                self.state,
                tables=self._streams.states(self.state.tables, set(self._open_tables())),
                confirmed=self.confirmable,
                committed_at=committed_at,
                sequence_time=self._sequence.time,
                sequence_counter=self._sequence.counter,
                positions=tuple(self._positions),
            ),
        )

    def _open_tables(self) -> list[str]:
        return [table for file in self._files.values() for table in file.letters]


def _dropped_operations(task: Task) -> frozenset[str]:
    if task.s3.inserts_only:
        return frozenset("UD")
    return frozenset("D") if task.s3.inserts_and_updates else frozenset()
