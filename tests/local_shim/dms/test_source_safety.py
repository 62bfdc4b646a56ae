"""The source goes on working: keys that vanish, transactions that stay open."""

from __future__ import annotations

import os
import threading

import pytest

from local_shim.dms.errors import TaskFailed
from tests.local_shim.dms.lab import Lab

TABLE = "CREATE TABLE t (id int CONSTRAINT pk PRIMARY KEY, v text)"


@pytest.mark.parametrize(
    ("lose", "regain"),
    [
        ("ALTER TABLE t DROP CONSTRAINT pk", "ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY (id)"),
        ("ALTER TABLE t REPLICA IDENTITY NOTHING", "ALTER TABLE t REPLICA IDENTITY DEFAULT"),
        (
            "ALTER TABLE t DROP CONSTRAINT pk, ADD CONSTRAINT pk PRIMARY KEY (id) DEFERRABLE",
            "ALTER TABLE t DROP CONSTRAINT pk, ADD CONSTRAINT pk PRIMARY KEY (id)",
        ),
    ],
)
def test_the_source_can_write_to_a_table_that_loses_its_key(
    lab: Lab, lose: str, regain: str
) -> None:
    lab.sql(TABLE, "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    lab.load()
    lab.sql("UPDATE t SET v = 'a2' WHERE id = 1", lose)
    lab.sql("UPDATE t SET v = 'b2' WHERE id = 2", "INSERT INTO t VALUES (3, 'c')")
    lab.sql("DELETE FROM t WHERE id = 1", regain, "UPDATE t SET v = 'c2' WHERE id = 3")
    lab.cdc()
    changes = [(row["Op"], row["id"], row["v"]) for row in lab.changed()]
    assert changes == [("U", "1", "a2"), ("I", "3", "c"), ("U", "3", "c2")]
    statistics = lab.statistics()
    assert (statistics["IgnoredUpdates"], statistics["IgnoredDeletes"]) == (1, 1)
    words = "public.t lost its key: 1 updates and 1 deletes are not in the stream"
    lab.cdc()
    assert lab.reports.count(words) == 1


def test_an_identity_index_may_be_dropped_too(lab: Lab) -> None:
    lab.sql("CREATE TABLE t (id int NOT NULL, v text)", "CREATE UNIQUE INDEX i ON t (id)")
    lab.sql("ALTER TABLE t REPLICA IDENTITY USING INDEX i", "INSERT INTO t VALUES (1, 'a')")
    lab.load()
    lab.sql("DROP INDEX i", "UPDATE t SET v = 'b'", "INSERT INTO t VALUES (2, 'c')")
    lab.cdc()
    assert [(row["Op"], row["id"]) for row in lab.changed()] == [("I", "2")]


def test_a_deferrable_key_is_no_identity_from_the_start(lab: Lab) -> None:
    lab.sql("CREATE TABLE t (id int PRIMARY KEY DEFERRABLE, v text)", "INSERT INTO t VALUES (1)")
    lab.load()
    lab.sql("UPDATE t SET v = 'x'", "INSERT INTO t VALUES (2)")  # the UPDATE must not fail
    lab.cdc()
    assert [row["id"] for row in lab.changed()] == ["2"]
    assert lab.statistics()["IgnoredUpdates"] == 1


def test_without_an_event_trigger_the_risk_is_reported_and_the_next_start_repairs_it(
    lab: Lab,
) -> None:
    lab.set_up(source={"CaptureDdls": False})
    lab.sql(TABLE, "INSERT INTO t VALUES (1, 'a')")
    lab.load()
    assert any("no event trigger could be made in the source" in text for text in lab.reports)
    assert lab.sql("SELECT evtname FROM pg_event_trigger") == []
    lab.sql("ALTER TABLE t DROP CONSTRAINT pk")
    lab.cdc()
    lab.sql("UPDATE t SET v = 'b'")


def test_drop_leaves_nothing_of_ours_in_the_source(lab: Lab) -> None:
    lab.sql(TABLE, "CREATE SCHEMA ops")
    lab.set_up(source={"DdlArtifactsSchema": "ops"})
    lab.load()
    query = (
        "SELECT (SELECT count(*) FROM pg_event_trigger), (SELECT count(*) FROM pg_publication),"
        " (SELECT count(*) FROM pg_replication_slots), (SELECT count(*) FROM pg_proc p"
        " JOIN pg_namespace n ON n.oid = p.pronamespace WHERE nspname = 'ops')"
    )
    assert lab.sql(query) == [(1, 2, 1, 1)]
    lab.drop()
    assert lab.sql(query) == [(0, 0, 0, 0)]


def test_a_full_load_that_waits_for_a_transaction_says_for_which(lab: Lab) -> None:
    lab.sql(TABLE, "INSERT INTO t VALUES (1, 'done')")
    with lab.connection() as connection, connection.cursor() as cursor:
        cursor.execute("SET application_name = 'clerk'; INSERT INTO t VALUES (2, 'open')")
        loader = threading.Thread(target=lab.load)
        loader.start()
        while not any("the new slot waits for pid" in text for text in lab.reports):
            os.sched_yield()
        (words,) = [text for text in lab.reports if "the new slot waits" in text]
        assert f"pid {connection.info.backend_pid} (clerk, postgres, idle in transaction)" in words
        assert "open since 20" in words
        connection.commit()
        loader.join(60)
    assert [row["id"] for row in lab.loaded()] == ["1", "2"]


def test_a_transaction_that_stays_open_ends_the_wait_at_the_time_out(lab: Lab) -> None:
    lab.set_up(task={"FullLoadSettings": {"TransactionConsistencyTimeout": 1}})
    lab.sql(TABLE)
    with lab.connection() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (1, 'open')")
        with pytest.raises(TaskFailed) as caught:
            lab.load()
        assert caught.value.condition == "DMS_OPEN_TRANSACTIONS"
        assert f"pid {connection.info.backend_pid}" in str(caught.value)
        assert lab.sql("SELECT slot_name FROM pg_replication_slots") == []
        connection.commit()
    lab.load()
    assert [row["id"] for row in lab.loaded()] == ["1"]


def test_a_user_without_superuser_rights_is_served_with_a_report(lab: Lab) -> None:
    lab.sql(
        "DROP ROLE IF EXISTS copier",
        "CREATE ROLE copier LOGIN REPLICATION",
        "GRANT CREATE ON DATABASE postgres TO copier",
        "GRANT ALL ON SCHEMA public TO copier",
    )
    superuser, lab.uri = lab.uri, lab.uri.replace("postgres@", "copier@")
    try:
        lab.sql(TABLE, "INSERT INTO t VALUES (1, 'a')")
        lab.load()
        lab.sql("INSERT INTO t VALUES (2, 'b')", "CREATE TABLE u (id int PRIMARY KEY)")
        lab.sql("INSERT INTO u VALUES (3)")
        lab.cdc()
        assert [row["id"] for row in lab.changed() + lab.loaded("u")] == ["2", "3"]
        assert any("no event trigger could be made" in text for text in lab.reports)
        lab.drop()
    finally:
        lab.uri = superuser
        lab.sql("DROP OWNED BY copier CASCADE", "DROP ROLE copier")
