"""A database, a task on it, and a bucket: everything a test of the stand-in touches."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from local_shim.dms import run_task
from local_shim.dms.changes.applier import Applier
from local_shim.dms.changes.table_stream import Streams
from local_shim.dms.clock import Clock
from local_shim.dms.publishing.statistics import table_statistics
from local_shim.dms.source.catalog import Catalog
from local_shim.dms.source.slot import flush_wal
from local_shim.dms.stopping import Stop
from local_shim.dms.task import load_task
from local_shim.dms.task_session import Session, opened

csv.field_size_limit(1 << 27)
NOON = 1_700_000_000_000_000  # 2023-11-14 22:13:20 UTC, in microseconds

INCLUDE = {
    "rule-type": "selection",
    "rule-id": "1",
    "rule-name": "all",
    "rule-action": "include",
    "object-locator": {"schema-name": "public", "table-name": "%"},
}
EVERYWHERE = {"schema-name": "%", "table-name": "%"}
SEQUENCE = {
    "rule-type": "transformation",
    "rule-id": "10",
    "rule-target": "column",
    "rule-action": "add-column",
    "object-locator": EVERYWHERE,
    "value": "seq",
    "expression": "$AR_H_CHANGE_SEQ",
    "data-type": {"type": "string", "length": 50},
}
POSITION = {**SEQUENCE, "rule-id": "11", "value": "pos", "expression": "$AR_H_STREAM_POSITION"}
BEFORE = {
    "rule-type": "transformation",
    "rule-id": "20",
    "rule-target": "column",
    "rule-action": "add-before-image-columns",
    "object-locator": EVERYWHERE,
    "before-image-def": {"column-prefix": "BI_", "column-suffix": "", "column-filter": "pk-only"},
}
# The profile of the project: header, Op everywhere, a timestamp, \N for NULL.
PROFILE = {
    "AddColumnName": True,
    "IncludeOpForFullLoad": True,
    "TimestampColumnName": "ts",
    "UseTaskStartTimeForFullLoadTimestamp": True,
    "CsvNullValue": "\\N",
}


def added(rule_id: int, name: str, expression: str) -> dict[str, Any]:
    """An add-column rule."""
    return {**SEQUENCE, "rule-id": str(rule_id), "value": name, "expression": expression}


def transformation(rule_id: int, target: str, action: str, **more: Any) -> dict[str, Any]:
    """A renaming rule; `locator` overrides parts of the object-locator."""
    locator = {**EVERYWHERE, **more.pop("locator", {})}
    return {
        "rule-type": "transformation",
        "rule-id": str(rule_id),
        "rule-target": target,
        "rule-action": action,
        "object-locator": locator,
        **{key.replace("_", "-"): value for key, value in more.items()},
    }


def steady(start: int = NOON, step: int = 1000) -> Clock:
    """A clock that moves by `step` microseconds whenever it is asked."""
    ticks = itertools.count(start, step)
    return Clock(lambda: next(ticks), lambda: 0.0)


@dataclass
class Lab:
    """One task; its documents are rewritten by `set_up`."""

    uri: str
    folder: Path
    target: Path
    clock: Clock = field(default_factory=Clock)
    reports: list[str] = field(default_factory=list)

    def set_up(
        self,
        *,
        rules: list[dict[str, Any]] | None = None,
        s3: dict[str, Any] | None = None,
        task: dict[str, Any] | None = None,
        source: dict[str, Any] | None = None,
        stand_in: dict[str, Any] | None = None,
    ) -> Lab:
        """Write the task's documents; what is not given is the project's profile."""
        self.folder.mkdir(exist_ok=True)
        documents = {
            "table-mappings": {"rules": rules or [INCLUDE, SEQUENCE, POSITION, BEFORE]},
            "s3-settings": PROFILE if s3 is None else s3,
            "task-settings": task or {},
            "postgresql-settings": source or {},
            "stand-in": stand_in or {},
        }
        for name, document in documents.items():
            (self.folder / f"{name}.json").write_text(json.dumps(document))
        return self

    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        """Statements, each its own transaction; the rows of the last."""
        rows: list[tuple[Any, ...]] = []
        with self.connection() as connection:
            connection.autocommit = True
            for statement in statements:
                with connection.cursor() as cursor:
                    cursor.execute(statement)
                    rows = cursor.fetchall() if cursor.description else []
        return rows

    def transaction(self, *statements: str) -> None:
        """Statements in one transaction."""
        with self.connection() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            connection.commit()

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """A connection of the test's own."""
        connection = psycopg2.connect(self.uri)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """The task, held by this process."""
        task = load_task(self.folder, self.uri, self.target)
        with opened(task, self.clock, self.reports.append) as session:
            yield session

    def load(self) -> None:
        """A full load."""
        with self.session() as session:
            run_task.full_load(session)

    def cdc(self) -> None:
        """All changes that are there now."""
        with self.session() as session, closing(Stop()) as stop:
            run_task.replicate(session, stop, until_caught_up=True)

    def drop(self) -> None:
        """Forget the task."""
        run_task.drop(load_task(self.folder, self.uri, self.target), self.reports.append)

    @contextmanager
    def feed(self) -> Iterator[Feed]:
        """The applier of the loaded task, fed by the test instead of a connection."""
        with self.session() as session:
            context = session.context(Catalog(session.link))
            streams = Streams(context, session.state.tables)
            applier = Applier(
                session.task, session.publisher, streams, session.clock, session.report
            )
            yield Feed(session, applier)
            applier.abandon()

    def objects(self, pattern: str = "**/*") -> list[str]:
        """Every object in the bucket, without the stand-in's own folder."""
        paths = (p for p in self.target.glob(pattern) if p.is_file())
        keys = (p.relative_to(self.target).as_posix() for p in paths)
        return sorted(key for key in keys if not key.startswith("_emulator/"))

    def cdc_keys(self, table: str = "t") -> list[str]:
        """The CDC files of a table in the order of their names."""
        return [k for k in self.objects(f"**/{table}/**/*") if "/LOAD" not in k]

    def text(self, key: str) -> str:
        """A text object."""
        data = (self.target / key).read_bytes()
        return (gzip.decompress(data) if key.endswith(".gz") else data).decode()

    def rows(self, *keys: str) -> list[dict[str, str]]:
        """The rows of CSV objects with a header."""
        texts = (io.StringIO(self.text(key), newline="") for key in keys)
        return [row for text in texts for row in csv.DictReader(text)]

    def loaded(self, table: str = "t") -> list[dict[str, str]]:
        """The rows of a table's full load."""
        return self.rows(*self.objects(f"**/{table}/LOAD*"))

    def changed(self, table: str = "t") -> list[dict[str, str]]:
        """The rows of a table's CDC files."""
        return self.rows(*self.cdc_keys(table))

    def statistics(self, table: str = "public.t") -> dict[str, Any]:
        """A table's published statistics."""
        path = next(self.target.glob("_emulator/*/table_statistics.json"))
        entries = json.loads(path.read_text())["TableStatistics"]
        return next(e for e in entries if f"{e['SchemaName']}.{e['TableName']}" == table)

    @property
    def state(self) -> dict[str, Any]:
        """The saved state, read as JSON."""
        path = next(self.target.glob("_emulator/*/state.json"))
        return dict(json.loads(path.read_text()))


@dataclass
class Feed:
    """An applier and the WAL of its slot, message by message."""

    session: Session
    applier: Applier

    def messages(self) -> list[tuple[bytes, int]]:
        """What the slot holds: payloads with their positions. The slot does not move."""
        state = self.session.state
        names = f"{state.publication},{state.publication}_inserts"
        flush_wal(self.session.connection)
        with self.session.connection.cursor() as cursor:
            cursor.execute(
                "SELECT data, lsn::text FROM pg_logical_slot_peek_binary_changes"
                "(%s, NULL, NULL, 'proto_version', '1', 'publication_names', %s)",
                [state.slot, names],
            )
            rows = cursor.fetchall()
        return [(bytes(data), _lsn(lsn)) for data, lsn in rows]

    def transactions(self) -> list[list[tuple[bytes, int]]]:
        """The messages, cut after each commit."""
        cut: list[list[tuple[bytes, int]]] = [[]]
        for payload, lsn in self.messages():
            cut[-1].append((payload, lsn))
            if payload[:1] == b"C":
                cut.append([])
        return cut[:-1]

    def give(self, messages: list[tuple[bytes, int]]) -> None:
        """Let the applier take messages."""
        for payload, lsn in messages:
            self.applier.apply(payload, lsn)

    def statistics(self) -> dict[str, Any]:
        """The statistics of the state as published."""
        return table_statistics(self.applier.state)


def _lsn(text: str) -> int:
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)
