"""Publishing: finished files get their names, the state says so, then they appear.

The order is what makes a crash harmless. Files are on the disk before the state names them; the
state names them before they appear; and a position is confirmed to the server only afterwards.
A crash before the state is written loses nothing, because the server sends everything again; a
crash after it is repaired by `recover`, which finishes the renames.

[choice] DMS delivers at least once. The stand-in delivers once, whatever kills it, since the state
knows how far each table is published; repeats are had on request (`replay_transactions`).

[choice] When a name exists in its folder, the millisecond is raised until one is free.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from local_shim.dms.clock import Clock
from local_shim.dms.publishing.state import Move, State, Store, TableState
from local_shim.dms.publishing.statistics import write_statistics
from local_shim.dms.s3.bucket import Bucket
from local_shim.dms.s3.control import EXCEPTIONS, Exceptions
from local_shim.dms.s3.object_keys import cdc_name, folder_name, transaction_name
from local_shim.dms.task import Task
from local_shim.durable_files import write_atomically


@dataclass(frozen=True)
class Finished:
    """A closed CDC file: its folder, the tables of its rows, and their number by Op."""

    origin: str
    folder: tuple[str, ...]  # below the prefix
    owner: str  # the source table, empty for a file of all tables
    letters: dict[str, dict[str, int]]  # source table → Op → rows


class Publisher:
    """Keeps the task's state in step with the files that can be seen."""

    def __init__(
        self,
        task: Task,
        state: State,
        clock: Clock,
        on_published: Callable[[Move], None] = lambda move: None,
    ):
        self.task = task
        self.state = state
        self.bucket: Bucket = task.bucket()
        self.store = Store(self.bucket.work)
        self.exceptions = Exceptions(self.bucket.work, task.name, clock)
        self._clock = clock
        self._on_published = on_published

    def recover(self) -> None:
        """Finish what a crash interrupted, and deliver what a fault held back."""
        self.bucket.open()
        on_their_way = (*self.state.moves, *self.state.held)
        self._deliver(on_their_way)
        self.bucket.sweep()
        if on_their_way:  # the work folder's names are about to be used again
            self.state = replace(self.state, moves=(), held=())
            self.store.save(self.state)
        write_statistics(self.bucket.work, self.state)

    def publish(self, files: Sequence[Finished], state: State) -> None:
        """Make files visible together with the state that counts them."""
        moves: list[Move] = []
        for file in (*files, *self._control_files()):
            move, state = self._name(file, state, {move.key for move in moves})
            moves.append(move)
            tables = dict(state.tables)
            for table, letters in file.letters.items():
                table_state = tables.get(table, TableState())
                tables[table] = replace(table_state, counts=table_state.counts.plus(letters))
            state = replace(state, tables=tables)
        self._commit(moves, state)

    def deliver_load(self, moves: Sequence[Move], state: State) -> None:
        """Make the files of a full load visible; their names are fixed."""
        self._commit(list(moves), state, faultless=True)

    def save(self, state: State) -> None:
        """Remember a state that concerns no file."""
        self._commit([], state)

    def _deliver(self, moves: Sequence[Move]) -> None:
        delivered = self.bucket.deliver(moves)
        for move in delivered:
            self._on_published(move)

    def _commit(self, moves: list[Move], state: State, *, faultless: bool = False) -> None:
        delayed = list(state.held)
        if not faultless:
            moves = [*moves, *self._empty_files(moves)]
            moves, delayed = self._held_back(moves)
        self.state = replace(state, moves=tuple(moves), held=tuple(delayed))
        self.store.save(self.state)
        self._deliver(moves)
        write_statistics(self.bucket.work, self.state)

    def _name(self, file: Finished, state: State, used_keys: set[str]) -> tuple[Move, State]:
        """A name by our own clock, later than the table's last one and not taken in its folder."""
        table_state = state.tables.get(file.owner, TableState())
        last = table_state.last_name if file.owner in state.tables else state.last_name
        step = -1 if self.task.stand_in.faults.reverse_names and last else 1
        millisecond = last - 1 if step < 0 else max(self._clock.now() // 1000, last + 1)
        used_keys = used_keys | {move.key for move in state.held}
        rows = dict(sum(map(Counter, file.letters.values()), Counter[str]()))
        key = self._key(file, millisecond)
        while key in used_keys or self.bucket.exists(key):
            millisecond += step
            key = self._key(file, millisecond)
        if file.owner in state.tables:
            named = {**state.tables, file.owner: replace(table_state, last_name=millisecond)}
            return Move(file.origin, key, rows=rows), replace(state, tables=named)
        return Move(file.origin, key, rows=rows), replace(state, last_name=millisecond)

    def _key(self, file: Finished, millisecond: int) -> str:
        s3 = self.task.s3
        if s3.preserve_transactions and not file.owner:
            name = transaction_name(millisecond, s3.timezone, ".csv.gz" if s3.gzip else ".csv")
        else:
            extension = ".csv" if file.owner == EXCEPTIONS else s3.extension
            name = cdc_name(millisecond, s3.timezone, extension)
        return self.bucket.key(*file.folder, name)

    def _control_files(self) -> list[Finished]:
        """Exception rows go to the bucket only if the task names a schema for control tables."""
        schema = self.task.settings.control_schema
        pending = self.exceptions.take()
        if not schema or not pending:
            return []
        file = self.bucket.new_file()
        write_atomically(file, pending)
        return [Finished(file.name, (folder_name(schema), EXCEPTIONS), EXCEPTIONS, {})]

    def _held_back(self, moves: list[Move]) -> tuple[list[Move], list[Move]]:
        """With the fault `delay_files` the first file waits for the next publication."""
        if not self.task.stand_in.faults.delay_files or not moves:
            return moves, list(self.state.held)
        return [*moves[1:], *self.state.held], moves[:1]

    def _empty_files(self, moves: list[Move]) -> list[Move]:
        """With the fault `empty_files` a file of zero bytes follows each batch."""
        if not self.task.stand_in.faults.empty_files or not moves:
            return []
        empty = self.bucket.new_file()
        empty.touch()
        folder, _, name = moves[-1].key.rpartition("/")
        stem, dot, ending = name.partition(".")
        key = f"{folder}/{stem[:-9]}{(int(stem[-9:]) + 1) % 10**9:09d}{dot}{ending}"
        return [Move(empty.name, key)]
