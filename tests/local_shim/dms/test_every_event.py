"""Every row event of the WAL is in the files, once, whatever interrupts the task.

A second replication slot, the witness, says which events there are. Each round commits
transactions on five tables, then runs the task and interrupts it at a random point. At the end
the positions of all rows in the files are compared with the positions of all events.

`make fuzz` runs it longer: DMS_SEEDS seeds of DMS_ROUNDS rounds for each kind of files.
"""

from __future__ import annotations

import csv
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow.parquet as pq
import pytest

from local_shim.dms import server as postgres
from local_shim.dms.errors import TaskFailed
from local_shim.dms.source.change import Relation, RowChange
from local_shim.dms.source.decode import decode
from tests.local_shim.dms.crashing import calls_of, interrupted_at, killed_at
from tests.local_shim.dms.lab import PROFILE, Lab

FIRST_SEED = int(os.environ.get("DMS_FIRST_SEED", "0"))
SEEDS = int(os.environ.get("DMS_SEEDS", "1"))
ROUNDS = int(os.environ.get("DMS_ROUNDS", "12"))
TABLES = ("a", "b", "c", "d", "e")
WITHOUT_NAMES = {key: value for key, value in PROFILE.items() if key != "AddColumnName"}
FILES = {
    "csv": {**PROFILE, "CdcMinFileSize": 1},
    "parquet": {**PROFILE, "CdcMinFileSize": 1, "DataFormat": "parquet"},
    "date-folders": {**PROFILE, "CdcMinFileSize": 1, "DatePartitionEnabled": True},
    "transactions": {
        **WITHOUT_NAMES, "CdcMinFileSize": 1, "PreserveTransactions": True, "CdcPath": "cdc",
    },
}  # fmt: skip
WITNESS = (
    "SELECT lsn::text, data FROM pg_logical_slot_peek_binary_changes('witness', NULL, NULL,"
    " 'proto_version', '1', 'publication_names', 'witness')"
)

Events = Counter[tuple[str, str]]  # table and position


@pytest.fixture
def patience(lab: Lab) -> Iterator[Callable[[str], None]]:
    """Sets wal_sender_timeout for the connections to come."""

    def set_timeout(text: str) -> None:
        lab.sql(f"ALTER ROLE CURRENT_USER SET wal_sender_timeout = '{text}'")

    yield set_timeout
    lab.sql("ALTER ROLE CURRENT_USER RESET wal_sender_timeout")


@pytest.mark.dms(52)
@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SEEDS))
@pytest.mark.parametrize("files", FILES)
def test_every_event_is_in_the_files_once(
    lab: Lab,
    server: postgres.Server,
    patience: Callable[[str], None],
    files: str,
    seed: int,
) -> None:
    rng = random.Random(f"{files} {seed}")
    lab.set_up(s3=FILES[files], task={"ErrorBehavior": {"RecoverableErrorInterval": 0}})
    lab.sql(*(f"CREATE TABLE {name} (id int PRIMARY KEY, v text)" for name in TABLES))
    lab.load()
    lab.sql(
        f"CREATE PUBLICATION witness FOR TABLE {', '.join(TABLES)}",
        "SELECT pg_create_logical_replication_slot('witness', 'pgoutput')",
    )
    business(lab, rng)
    points = calls_of(lab.cdc)
    interruptions = 0
    for _ in range(ROUNDS):
        patience(rng.choice(["1s", "3s", "60s"]))
        business(lab, rng)
        interruptions += interrupted(lab, server, rng, points)
    lab.cdc()
    assert interruptions >= ROUNDS // 4, f"seed {seed}"
    print(f"{files}, seed {seed}: {interruptions} interruptions")  # noqa: T201
    due, written = events_due(lab), events_written(lab, files)
    assert (due - written, written - due) == (Counter(), Counter()), f"seed {seed}"


def business(lab: Lab, rng: random.Random) -> None:
    """Transactions of different sizes on tables of different rates, one of them over others."""
    with lab.connection() as long_connection, long_connection.cursor() as long_one:
        if rng.random() < 0.5:  # begins first, commits last
            long_one.execute(change("e", rng, rng.choice([3, 400])))
        for _ in range(rng.randint(1, 4)):
            tables = rng.choices(TABLES, weights=[8, 4, 2, 1, 1], k=rng.randint(1, 6))
            changes = (change(name, rng, rng.choice([1, 1, 3, 60])) for name in tables)
            lab.transaction(*(text for text in changes if " e " not in text))
        long_connection.commit()


def change(table: str, rng: random.Random, rows: int) -> str:
    first = rng.randint(1, 500)
    last = first + rows - 1
    text = f"repeat('{rng.choice('xyz')}', {rng.choice([1, 40, 300])})"
    return rng.choice(
        [
            f"INSERT INTO {table} SELECT g, {text} FROM generate_series({first}, {last}) g"
            " ON CONFLICT (id) DO UPDATE SET v = excluded.v",
            f"UPDATE {table} SET v = {text} WHERE id BETWEEN {first} AND {last}",
            f"DELETE FROM {table} WHERE id BETWEEN {first} AND {first + rows // 4}",
        ]
    )


def interrupted(lab: Lab, server: postgres.Server, rng: random.Random, points: int) -> bool:
    """Runs the task and interrupts it at a random point; was it still running then?"""
    point = rng.randint(1, points)
    kind = rng.choice(["kill", "kill", "kill", "cut", "cut", "crash of the server"])
    if kind == "kill":
        return killed_at(lab.cdc, point)
    if kind == "cut":
        return interrupted_at(lab.cdc, point, lambda: cut_line(lab))
    try:
        return interrupted_at(lab.cdc, point, lambda: crash(server))
    except TaskFailed:  # the server was gone when the catalog was asked; the next round goes on
        return True


def cut_line(lab: Lab) -> None:
    lab.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active")


def crash(server: postgres.Server) -> None:
    """The server forgets what it has not written: slots fall back to an older position."""
    postgres.stop(server, mode="immediate")
    postgres.start(server.data, durable=False, binaries=server.binaries)


def events_due(lab: Lab) -> Events:
    """Every row event, as the witness sees it."""
    lab.sql("SELECT pg_logical_emit_message(true, 'end', 'of the WAL')")
    names: dict[int, str] = {}
    events: Events = Counter()
    for lsn, data in lab.sql(WITNESS):
        message = decode(bytes(data))
        if isinstance(message, Relation):
            names[message.oid] = message.table
        elif isinstance(message, RowChange):
            high, _, low = lsn.partition("/")
            events[names[message.oid], f"{high:>08}/{low:>08}"] += 1
    return events


def events_written(lab: Lab, files: str) -> Events:
    """Every row of the files of changes."""
    if files == "transactions":
        return Counter(
            (row[1], next(cell for cell in row if cell[8:9] == "/"))
            for key in lab.objects("cdc/*")
            for row in csv.reader(lab.text(key).splitlines())
        )
    return Counter((table, row["pos"]) for table in TABLES for row in changed(lab, table, files))


def changed(lab: Lab, table: str, files: str) -> list[dict[str, Any]]:
    if files != "parquet":
        return lab.changed(table)
    tables = (pq.read_table(lab.target / key) for key in lab.cdc_keys(table))
    return [row for each in tables for row in each.to_pylist()]
