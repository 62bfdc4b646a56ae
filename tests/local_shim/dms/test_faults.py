"""A source or a target in trouble: what is said, and that nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg2
import pytest

from local_shim.dms import run_task
from local_shim.dms import server as postgres
from local_shim.dms.errors import TaskFailed
from local_shim.dms.stopping import Stop
from local_shim.errors import ShimError
from tests.local_shim.dms.crashing import peak_memory, with_file_limit
from tests.local_shim.dms.lab import INCLUDE, PROFILE, Lab

TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)"


def soon(condition: Callable[[], bool]) -> None:
    """Wait until something is so; half a minute is never needed."""
    limit = time.monotonic() + 30
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < limit, "it did not happen"
        pause.wait(0.01)


@contextmanager
def replicating(lab: Lab) -> Iterator[Stop]:
    """The task running in a thread until the test is over."""
    stop = Stop()
    failures: list[Exception] = []

    def work() -> None:
        try:
            with lab.session() as session:
                run_task.replicate(session, stop)
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield stop
    finally:
        stop.wish()
        thread.join()
        stop.close()
    if failures:
        raise failures[0]


def test_a_running_task_publishes_by_its_interval_and_stops_cleanly(lab: Lab) -> None:
    lab.set_up(s3={**PROFILE, "CdcMaxBatchInterval": 0})
    lab.sql(TABLE)
    lab.load()
    with replicating(lab):
        lab.sql("INSERT INTO t VALUES (1)")
        soon(lambda: len(lab.cdc_keys()) == 1)
        lab.sql("INSERT INTO t VALUES (2)")
        soon(lambda: len(lab.cdc_keys()) == 2)
    assert [row["id"] for row in lab.changed()] == ["1", "2"]


def test_a_stop_publishes_what_is_open(lab: Lab) -> None:
    lab.sql(TABLE)
    lab.load()
    with replicating(lab):
        lab.sql("INSERT INTO t VALUES (1)")
        soon(lambda: bool(list(lab.target.glob("_emulator/*/making/*"))))
        assert lab.cdc_keys() == []
    assert [row["id"] for row in lab.changed()] == ["1"]
    slot = lab.sql("SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots")
    assert slot == [(lab.state["confirmed"],)]


def test_the_task_outlives_a_restart_of_the_server(lab: Lab, server: postgres.Server) -> None:
    lab.set_up(
        s3={**PROFILE, "CdcMaxBatchInterval": 0},
        task={"ErrorBehavior": {"RecoverableErrorInterval": 0}},
    )
    lab.sql(TABLE)
    lab.load()
    with replicating(lab):
        lab.sql("INSERT INTO t VALUES (1)")
        soon(lambda: len(lab.cdc_keys()) == 1)
        postgres.stop(server, mode="immediate")
        postgres.start(server.data, durable=False, binaries=server.binaries)
        lab.sql("INSERT INTO t VALUES (2)")
        soon(lambda: len(lab.cdc_keys()) == 2)
    assert any(text.startswith("the server went away") for text in lab.reports)
    assert [row["id"] for row in lab.changed()] == ["1", "2"]


def test_a_lost_connection_repeats_no_row_that_waits_in_an_open_file(lab: Lab) -> None:
    lab.set_up(task={"ErrorBehavior": {"RecoverableErrorInterval": 0}})
    lab.sql(TABLE)
    lab.load()
    with replicating(lab):
        lab.sql("INSERT INTO t VALUES (1)")
        soon(lambda: bool(list(lab.target.glob("_emulator/*/making/*"))))
        lab.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")
        soon(lambda: any("the server went away" in text for text in lab.reports))
        lab.sql("INSERT INTO t VALUES (2)")
    lab.cdc()
    assert [row["id"] for row in lab.changed()] == ["1", "2"]


def test_a_server_that_cannot_be_reached_ends_the_task_after_its_retries(
    lab: Lab, server: postgres.Server
) -> None:
    patience = {"RecoverableErrorCount": 2, "RecoverableErrorInterval": 0}
    lab.set_up(task={"ErrorBehavior": patience})
    lab.sql(TABLE)
    lab.load()
    try:
        with pytest.raises(TaskFailed) as caught, replicating(lab):
            soon(lambda: lab.sql("SELECT active FROM pg_replication_slots") == [(True,)])
            postgres.stop(server)
            soon(lambda: "trying again" in str(lab.reports[-2:]) and len(lab.reports) >= 4)
    finally:
        postgres.start(server.data, durable=False, binaries=server.binaries)
    assert caught.value.condition == "DMS_SOURCE_LOST"
    assert "nothing is lost" in str(caught.value)


def test_a_dropped_slot_is_named_with_what_to_do(lab: Lab) -> None:
    lab.sql(TABLE)
    lab.load()
    lab.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    with pytest.raises(TaskFailed) as caught:
        lab.cdc()
    assert caught.value.condition == "DMS_SLOT_LOST"
    assert "dlt-local dms full-load" in caught.value.hint
    lab.load()  # and that is what helps
    lab.sql("INSERT INTO t VALUES (1)")
    lab.cdc()
    assert [row["id"] for row in lab.changed()] == ["1"]


def test_removed_wal_is_named_with_what_to_do(lab: Lab) -> None:
    lab.sql(TABLE)
    lab.load()
    lab.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'", "SELECT pg_reload_conf()")
    try:
        for number in range(4):
            lab.sql(f"INSERT INTO t VALUES ({number})", "SELECT pg_switch_wal()")
        lab.sql("CHECKPOINT")
        with pytest.raises(TaskFailed) as caught:
            lab.cdc()
    finally:
        lab.sql("ALTER SYSTEM RESET max_slot_wal_keep_size", "SELECT pg_reload_conf()")
    assert caught.value.condition == "DMS_WAL_REMOVED"
    assert "max_slot_wal_keep_size" in str(caught.value)


def test_a_dropped_publication_is_named(lab: Lab) -> None:
    lab.sql(TABLE)
    lab.load()
    for name in (lab.state["publication"], lab.state["publication"] + "_inserts"):
        lab.sql(f"DROP PUBLICATION {name}")
    lab.sql("INSERT INTO t VALUES (1)")
    with pytest.raises(TaskFailed) as caught:
        lab.cdc()
    assert caught.value.condition == "DMS_PUBLICATION_LOST"


def test_a_full_disk_is_reported_and_nothing_is_lost(lab: Lab) -> None:
    lab.sql(TABLE)
    lab.load()
    lab.sql("INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 500) g")
    code, message = with_file_limit(lab.cdc, 100_000)
    assert code == 1
    assert "[DMS_TARGET_UNWRITABLE]" in message and "make room" in message
    assert lab.objects() == []
    lab.cdc()
    assert len(lab.changed()) == 500


@pytest.fixture
def bytes_database(server: postgres.Server) -> Iterator[str]:
    """A database that does not know what its bytes mean."""
    connection = psycopg2.connect(server.uri)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE bytes ENCODING 'SQL_ASCII' TEMPLATE template0")
        yield server.database("bytes")
        cursor.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
            " WHERE database = 'bytes'"
        )
        cursor.execute("DROP DATABASE bytes WITH (FORCE)")
    connection.close()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_invalid_utf8_is_replaced_and_reported_or_stops_the_task(
    lab: Lab, bytes_database: str, form: str
) -> None:
    import pyarrow.parquet as pq

    lab.uri = bytes_database
    lab.set_up(s3={**PROFILE, "DataFormat": form}, rules=[INCLUDE])
    lab.sql(TABLE, "INSERT INTO t VALUES (1, E'caf\\xe9')")
    lab.load()
    lab.sql("UPDATE t SET v = v || '!'")
    lab.cdc()
    if form == "csv":
        texts = [row["v"] for row in lab.loaded() + lab.changed()]
    else:
        texts = [pq.read_table(lab.target / k)["v"].to_pylist()[0] for k in lab.objects()[::-1]]
    assert texts == ["caf\ufffd", "caf\ufffd!"]
    exceptions = lab.rows("_emulator/task/awsdms_apply_exceptions.csv")
    assert len(exceptions) == 2 and all("0xe9" in str(row.values()) for row in exceptions)
    lab.set_up(task={"ErrorBehavior": {"DataErrorPolicy": "STOP_TASK"}})
    with pytest.raises(TaskFailed, match="UTF-8"):
        lab.load()


def test_a_latin1_database_arrives_as_utf8(lab: Lab, server: postgres.Server) -> None:
    lab.sql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    try:
        latin = Lab(server.database("latin"), lab.folder, lab.target)
        latin.sql(TABLE, "INSERT INTO t VALUES (1, 'café')")
        latin.load()
        latin.sql("UPDATE t SET v = v || '!'")
        latin.cdc()
        assert [row["v"] for row in latin.loaded() + latin.changed()] == ["café", "café!"]
        latin.drop()
    finally:
        lab.sql("DROP DATABASE latin WITH (FORCE)")


def test_a_server_without_logical_wal_is_reported_the_command(
    lab: Lab, server: postgres.Server
) -> None:
    lab.sql("ALTER SYSTEM SET wal_level = 'replica'")
    postgres.stop(server)
    postgres.start(server.data, durable=False, binaries=server.binaries)
    try:
        with pytest.raises(ShimError) as caught:
            lab.load()
    finally:
        lab.sql("ALTER SYSTEM RESET wal_level")
        postgres.stop(server)
        postgres.start(server.data, durable=False, binaries=server.binaries)
    assert caught.value.condition == "DMS_WAL_LEVEL"
    assert "ALTER SYSTEM SET wal_level = 'logical'" in caught.value.hint


def test_a_server_without_a_free_slot_says_so(lab: Lab) -> None:
    lab.sql(TABLE)
    lab.sql(
        "SELECT pg_create_logical_replication_slot('s' || g, 'pgoutput')"
        " FROM generate_series(1, current_setting('max_replication_slots')::int) g"
    )
    with pytest.raises(ShimError) as caught:
        lab.load()
    assert caught.value.condition == "DMS_SLOT_LIMIT"


def test_a_user_who_may_not_replicate_is_reported(lab: Lab) -> None:
    lab.sql(TABLE, "DROP ROLE IF EXISTS clerk", "CREATE ROLE clerk LOGIN")
    lab.uri = lab.uri.replace("postgres@", "clerk@")
    with pytest.raises(ShimError) as caught:
        lab.load()
    assert caught.value.condition == "DMS_SOURCE_DENIED"
    assert caught.value.exit_code == 2


def test_a_large_transaction_takes_no_more_memory_than_a_small_one(lab: Lab) -> None:
    lab.sql(TABLE)
    lab.load()
    insert = "INSERT INTO t SELECT g, repeat('x', 400) FROM generate_series({}, {}) g"
    lab.sql(insert.format(1, 100))
    small = peak_memory(lab.cdc)
    lab.sql(insert.format(101, 50_000))  # 20 MB
    large = peak_memory(lab.cdc)
    assert large - small < 8 << 20
    assert len(lab.changed()) == 50_000


def test_a_large_table_takes_no_more_memory_than_a_small_one(lab: Lab) -> None:
    insert = "INSERT INTO t SELECT g, repeat('x', 400) FROM generate_series({}, {}) g"
    lab.sql(TABLE, insert.format(1, 100))
    small = peak_memory(lab.load)
    lab.sql(insert.format(101, 50_000))
    large = peak_memory(lab.load)
    assert large - small < 8 << 20
    assert len(lab.loaded()) == 50_000
