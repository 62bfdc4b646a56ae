"""Tables that appear while the task lives: each row arrives once, by the load or by the stream."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from local_shim.dms import run_task
from local_shim.dms.changes.new_tables import NewTables
from local_shim.dms.source.catalog import Catalog
from local_shim.dms.stopping import Stop
from local_shim.errors import UsageError
from tests.local_shim.dms.lab import INCLUDE, PROFILE, SEQUENCE, Lab, transformation

TABLE = "CREATE TABLE t (id int PRIMARY KEY)"


@pytest.fixture
def t(lab: Lab) -> Lab:
    """A task that has loaded one table."""
    lab.sql(TABLE)
    lab.load()
    return lab


def rows(lab: Lab, table: str) -> list[tuple[str, str]]:
    """Operation and id of every row in the table's files, load files first."""
    return [(row["Op"], row["id"]) for row in lab.loaded(table) + lab.changed(table)]


@contextmanager
def running(lab: Lab) -> Iterator[None]:
    """The task replicates in a thread of its own until the block ends."""
    failures: list[BaseException] = []
    with closing(Stop()) as stop:

        def replicate() -> None:
            try:
                with lab.session() as session:
                    run_task.replicate(session, stop)
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=replicate)
        thread.start()
        try:
            wait_until(lambda: lab.sql("SELECT true FROM pg_replication_slots WHERE active") != [])
            yield
        finally:
            stop.wish()
            thread.join(60)
    assert not failures, failures


def wait_until(condition: Callable[[], Any]) -> None:
    while not condition():
        os.sched_yield()


def test_a_table_made_while_the_task_is_stopped_is_loaded_at_the_next_start(t: Lab) -> None:
    t.sql("CREATE TABLE u (id int PRIMARY KEY)", "INSERT INTO u VALUES (1), (2)")
    t.cdc()
    t.sql("UPDATE u SET id = 3 WHERE id = 1")
    t.cdc()
    assert rows(t, "u") == [("I", "1"), ("I", "2"), ("U", "3")]
    words = "public.u is new: 2 rows that it held were loaded, its changes are taken from here on"
    assert t.reports.count(words) == 1
    statistics = t.statistics("public.u")
    assert (statistics["FullLoadRows"], statistics["Updates"]) == (2, 1)


def test_a_table_made_while_the_task_runs_is_loaded_and_followed(t: Lab) -> None:
    with running(t):
        t.sql("CREATE TABLE u (id int PRIMARY KEY)", "INSERT INTO u VALUES (1), (2)")
        wait_until(lambda: any("public.u is new: 2 rows" in text for text in t.reports))
        t.sql("UPDATE u SET id = 3 WHERE id = 1", "INSERT INTO t VALUES (7)")
    t.cdc()
    assert rows(t, "u") == [("I", "1"), ("I", "2"), ("U", "3")]
    assert rows(t, "t") == [("I", "7")]


def test_rows_that_are_written_while_a_table_is_taken_arrive_once(t: Lab) -> None:
    t.sql("CREATE TABLE u (id int PRIMARY KEY)")
    stop = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        with t.connection() as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                while not stop.is_set():
                    written += 1
                    cursor.execute("INSERT INTO u VALUES (%s)", [written])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_until(lambda: written > 100)
        t.cdc()
    finally:
        stop.set()
        writer.join(60)
    t.cdc()
    assert [int(id_) for _, id_ in rows(t, "u")] == list(range(1, written + 1))
    assert 0 < len(t.loaded("u")) < written


def test_an_attempt_that_was_killed_after_publishing_repeats_no_row(t: Lab) -> None:
    t.sql("CREATE TABLE u (id int PRIMARY KEY)", "INSERT INTO u VALUES (1)")
    # What is left when the process dies between the publication and the load.
    publication = t.state["publication"]
    t.sql(f"ALTER PUBLICATION {publication} ADD TABLE ONLY u", "INSERT INTO u VALUES (2)")
    t.cdc()
    t.sql("INSERT INTO u VALUES (3)")
    t.cdc()
    assert rows(t, "u") == [("I", "1"), ("I", "2"), ("I", "3")]


def test_a_table_made_anew_under_its_old_name_is_loaded(t: Lab) -> None:
    t.sql("INSERT INTO t VALUES (1)")
    t.cdc()
    t.sql("DROP TABLE t", TABLE, "INSERT INTO t VALUES (5)")
    t.cdc()
    assert rows(t, "t") == [("I", "5"), ("I", "1")]
    t.sql("INSERT INTO t VALUES (6)")
    t.cdc()
    assert rows(t, "t")[-1] == ("I", "6")


@pytest.mark.parametrize("changes", [[], ["INSERT INTO t VALUES (1)"]])
def test_a_renamed_table_is_not_taken_for_a_new_one(t: Lab, changes: list[str]) -> None:
    t.sql(*changes, "ALTER TABLE t RENAME TO u", "INSERT INTO u VALUES (2)")
    t.cdc()
    t.cdc()
    assert rows(t, "u") == [("I", "2")]
    assert not [text for text in t.reports if "is new" in text]


def test_a_new_table_in_a_shared_folder_replaces_no_file(lab: Lab) -> None:
    rename = transformation(5, "table", "rename", value="all")
    lab.set_up(rules=[INCLUDE, rename])
    lab.sql(TABLE, "INSERT INTO t VALUES (1)")
    lab.load()
    lab.sql("CREATE TABLE u (id int PRIMARY KEY)", "INSERT INTO u VALUES (2)")
    lab.cdc()
    assert rows(lab, "all") == [("I", "1"), ("I", "2")]


def test_a_locked_new_table_is_reported_and_loaded_later(t: Lab) -> None:
    t.sql("CREATE TABLE u (id int PRIMARY KEY)")
    with t.connection() as connection, connection.cursor() as cursor:
        cursor.execute("SET application_name = 'importer'; INSERT INTO u VALUES (1)")
        t.cdc()
        (report,) = [text for text in t.reports if "public.u is new" in text]
        assert "cannot be taken yet: it is locked (pid" in report and "importer" in report
        connection.commit()
    t.cdc()
    assert rows(t, "u") == [("I", "1")]


PARTITIONED = (
    "CREATE TABLE entry (id int, booked date, PRIMARY KEY (id, booked))"
    " PARTITION BY RANGE (booked)",
    "CREATE TABLE entry_2024 PARTITION OF entry FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
    "CREATE TABLE entry_2025 PARTITION OF entry FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
    "INSERT INTO entry VALUES (1, '2024-03-01'), (2, '2025-03-01')",
)


def test_partitions_are_tables_of_their_own_and_a_move_is_a_delete_and_an_insert(lab: Lab) -> None:
    lab.sql(*PARTITIONED)
    lab.load()
    lab.sql("UPDATE entry SET booked = '2025-05-05' WHERE id = 1")
    lab.cdc()
    assert rows(lab, "entry_2024") == [("I", "1"), ("D", "1")]
    assert rows(lab, "entry_2025") == [("I", "2"), ("I", "1")]
    (delete,), (insert,) = lab.changed("entry_2024"), lab.changed("entry_2025")
    assert delete["ts"] == insert["ts"]


def test_a_partition_made_later_is_taken_with_its_first_rows(lab: Lab) -> None:
    lab.sql(*PARTITIONED)
    lab.load()
    lab.sql(
        "CREATE TABLE entry_2026 PARTITION OF entry"
        " FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "INSERT INTO entry VALUES (4, '2026-04-04')",
    )
    lab.cdc()
    assert rows(lab, "entry_2026") == [("I", "4")]


def test_a_partitioned_parent_alone_is_refused_by_its_right_name(lab: Lab) -> None:
    lab.sql(*PARTITIONED)
    parent = {**INCLUDE, "object-locator": {"schema-name": "public", "table-name": "entry"}}
    lab.set_up(rules=[parent])
    with pytest.raises(UsageError) as caught:
        lab.load()
    assert "public.entry is a partitioned table, whose rows are in its partitions" in str(
        caught.value
    )
    assert "public.entry_2024, public.entry_2025" in str(caught.value)


@pytest.mark.parametrize(
    ("ddl", "kind"),
    [
        ("CREATE VIEW odd AS SELECT id FROM t", "a view"),
        ("CREATE MATERIALIZED VIEW odd AS SELECT id FROM t", "a materialized view"),
        ("CREATE UNLOGGED TABLE odd (id int)", "an unlogged table, whose changes are not in"),
        ("CREATE TABLE odd (id int) PARTITION BY RANGE (id)", "a partitioned table, whose rows"),
    ],
)
def test_tables_without_readable_changes_are_reported(lab: Lab, ddl: str, kind: str) -> None:
    lab.sql(TABLE, ddl)
    lab.load()
    assert [
        text for text in lab.reports if text.startswith(f"not replicated: public.odd is {kind}")
    ]


def test_a_look_at_the_source_is_due_every_few_seconds_only(t: Lab) -> None:
    now = 0.0
    t.clock = type(t.clock)(t.clock.now, lambda: now)
    t.set_up(rules=[INCLUDE, SEQUENCE])
    with t.session() as session:
        new_tables = NewTables(session, Catalog(session.link))
        t.sql("CREATE TABLE u (id int PRIMARY KEY)")
        assert not new_tables.are_due()
        now = 10.0
        assert new_tables.are_due()
        assert not new_tables.are_due()


def test_rows_between_two_new_tables_are_not_taken_for_repeats(t: Lab) -> None:
    with t.session() as session:
        new_tables = NewTables(session, Catalog(session.link))
        t.sql("CREATE TABLE u (id int PRIMARY KEY)")
        new_tables.take()
        t.sql("INSERT INTO u VALUES (1), (2), (3)", "CREATE TABLE w (id int PRIMARY KEY)")
        new_tables.take()
    t.cdc()
    assert rows(t, "u") == [("I", "1"), ("I", "2"), ("I", "3")]


def test_a_transaction_whose_first_table_waits_in_an_open_file_is_replayed_whole(lab: Lab) -> None:
    lab.set_up(s3={**PROFILE, "CdcMinFileSize": 1})
    lab.sql(TABLE, "CREATE TABLE u (id int PRIMARY KEY, v text)")
    lab.load()
    long_row = "INSERT INTO u VALUES (1, repeat('x', 2000))"  # its file is published by size
    lab.transaction("INSERT INTO t VALUES (1), (2), (3)", long_row)
    with lab.feed() as feed:
        feed.give(feed.messages())
        assert (rows(lab, "t"), rows(lab, "u")) == ([], [("I", "1")])
    lab.cdc()
    assert rows(lab, "t") == [("I", "1"), ("I", "2"), ("I", "3")]
    assert rows(lab, "u") == [("I", "1")]
