"""What each operation on a table carries: items 31 to 38."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg2
import pytest

from tests.local_shim.dms.lab import INCLUDE, PROFILE, Lab

TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text, n int)"
BIG = "(SELECT string_agg(md5(g::text), '') FROM generate_series({0}, {0} + 299) g)"  # 9.6 kB


@pytest.fixture
def t(lab: Lab) -> Iterator[Lab]:
    """A loaded task on a table with one row."""
    lab.sql(TABLE, "INSERT INTO t VALUES (1, 'one', 1)")
    lab.load()
    yield lab


def short(row: dict[str, str]) -> tuple[str, ...]:
    return (row["Op"], row["id"], row["v"], row["n"])


@pytest.mark.dms(31)
def test_one_row_for_each_change_in_commit_order(t: Lab) -> None:
    t.transaction(
        "INSERT INTO t VALUES (2, 'a', 1)",
        "UPDATE t SET v = 'b' WHERE id = 2",
        "DELETE FROM t WHERE id = 2",
        "INSERT INTO t VALUES (2, 'c', 2)",
    )
    t.cdc()
    assert [short(row) for row in t.changed()] == [
        ("I", "2", "a", "1"),
        ("U", "2", "b", "1"),
        ("D", "2", "\\N", "\\N"),
        ("I", "2", "c", "2"),
    ]


@pytest.mark.dms(31)
def test_the_transaction_that_commits_first_comes_first(t: Lab) -> None:
    with t.connection() as early, t.connection() as late:
        early.cursor().execute("INSERT INTO t VALUES (10)")
        late.cursor().execute("INSERT INTO t VALUES (20)")
        late.commit()
        early.cursor().execute("INSERT INTO t VALUES (11)")
        early.commit()
    t.cdc()
    rows = t.changed()
    assert [row["id"] for row in rows] == ["20", "10", "11"]
    assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)
    assert rows[1]["pos"] < rows[0]["pos"]  # commit order is not the order of positions


@pytest.mark.dms(31)
def test_copy_and_upserts_are_inserts_and_updates(t: Lab) -> None:
    t.sql(
        "INSERT INTO t VALUES (1, 'up', 9), (3, 'in', 9)"
        " ON CONFLICT (id) DO UPDATE SET v = excluded.v",
        "INSERT INTO t VALUES (3, 'nothing', 0) ON CONFLICT DO NOTHING",
        "COPY t FROM PROGRAM 'printf ''7\\tcopied\\t7\\n8\\tcopied\\t8\\n'''",
    )
    t.cdc()
    assert [short(row)[:3] for row in t.changed()] == [
        ("U", "1", "up"),
        ("I", "3", "in"),
        ("I", "7", "copied"),
        ("I", "8", "copied"),
    ]


@pytest.mark.dms(32)
def test_what_was_rolled_back_leaves_nothing(t: Lab) -> None:
    with t.connection() as connection:
        connection.cursor().execute("INSERT INTO t VALUES (2)")
        connection.rollback()
    t.transaction(
        "INSERT INTO t VALUES (3)",
        "SAVEPOINT s",
        "INSERT INTO t VALUES (4)",
        "UPDATE t SET v = 'gone'",
        "ROLLBACK TO s",
        "INSERT INTO t VALUES (5)",
    )
    t.cdc()
    assert [row["id"] for row in t.changed()] == ["3", "5"]


@pytest.mark.dms(33)
def test_a_delete_has_the_key_alone_or_under_full_everything(t: Lab) -> None:
    t.sql("INSERT INTO t VALUES (2, 'two', 2)", "DELETE FROM t WHERE id = 1")
    t.sql("ALTER TABLE t REPLICA IDENTITY FULL", "DELETE FROM t WHERE id = 2")
    t.cdc()
    deletes = [short(row) for row in t.changed() if row["Op"] == "D"]
    assert deletes == [("D", "1", "\\N", "\\N"), ("D", "2", "two", "2")]


@pytest.mark.dms(33)
def test_an_index_as_identity_gives_its_columns(lab: Lab) -> None:
    lab.sql(
        "CREATE TABLE t (id int, v text NOT NULL UNIQUE, n int)",
        "ALTER TABLE t REPLICA IDENTITY USING INDEX t_v_key",
        "INSERT INTO t VALUES (1, 'one', 1)",
    )
    lab.load()
    lab.sql("DELETE FROM t")
    lab.cdc()
    assert [short(row) for row in lab.changed()] == [("D", "\\N", "one", "\\N")]


@pytest.mark.dms(34)
def test_a_key_update_is_one_update_with_the_new_key(t: Lab) -> None:
    t.sql("UPDATE t SET id = 100")
    t.cdc()
    assert [(*short(row), row["BI_id"]) for row in t.changed()] == [
        ("U", "100", "one", "1", "1"),
    ]


@pytest.mark.dms(35)
def test_an_update_that_changes_nothing_is_an_update(t: Lab) -> None:
    t.sql("UPDATE t SET v = v")
    t.cdc()
    assert [short(row) for row in t.changed()] == [("U", "1", "one", "1")]


@pytest.mark.dms(36)
def test_a_table_without_a_key_sends_inserts_and_counts_the_rest(lab: Lab) -> None:
    lab.sql("CREATE TABLE t (id int, v text, n int)", "INSERT INTO t VALUES (1), (2)")
    lab.load()
    lab.sql("INSERT INTO t VALUES (3)")
    lab.sql("UPDATE t SET n = 0")  # must not fail at the source
    lab.sql("DELETE FROM t WHERE id = 1")
    lab.cdc()
    assert [short(row)[:2] for row in lab.changed()] == [("I", "3")]
    statistics = lab.statistics()
    assert statistics["Inserts"] == 1 and statistics["Updates"] == statistics["Deletes"] == 0
    assert (statistics["IgnoredUpdates"], statistics["IgnoredDeletes"]) == (3, 1)


@pytest.mark.dms(37)
def test_truncate_is_not_replicated_but_reported(t: Lab) -> None:
    t.sql("TRUNCATE t", "INSERT INTO t VALUES (1)")
    t.cdc()
    assert t.objects("**/LOAD*") == ["public/t/LOAD00000001.csv"]
    assert [row["Op"] for row in t.changed()] == ["I"]
    assert t.statistics()["TruncatesIgnored"] == 1
    assert "TRUNCATE of public.t is not carried to the target, as with DMS" in t.reports


@pytest.mark.dms(38)
@pytest.mark.parametrize("mode", ["lookup", "null"])
def test_a_large_value_left_alone_is_looked_up_or_null(lab: Lab, mode: str) -> None:
    lab.set_up(stand_in={"toast": mode})
    lab.sql(TABLE, f"INSERT INTO t VALUES (1, {BIG.format(1)}, 1)")
    lab.load()
    (value,) = [row["v"] for row in lab.loaded()]
    lab.sql("UPDATE t SET n = 2")
    lab.cdc()
    assert len(value) == 9600
    assert [row["v"] for row in lab.changed()] == [value if mode == "lookup" else "\\N"]


@pytest.mark.dms(38)
def test_a_looked_up_value_may_be_newer_and_null_when_the_row_is_gone(lab: Lab) -> None:
    lab.sql(TABLE, f"INSERT INTO t VALUES (1, {BIG.format(1)}, 1), (2, {BIG.format(2)}, 1)")
    lab.load()
    lab.sql("UPDATE t SET n = 2", "UPDATE t SET v = 'newer' WHERE id = 1")
    lab.sql("DELETE FROM t WHERE id = 2")
    lab.cdc()
    updates = {row["id"]: row["v"] for row in lab.changed() if row["n"] == "2"}
    assert updates["2"] == "\\N" and updates["1"] == "newer"


@pytest.mark.dms(38)
@pytest.mark.parametrize(
    ("type_", "key"),
    [
        ("ltree", "'a.b'"),
        ("citext", "'Aa'"),
        ("bytea", "'\\x00ff5c27'"),
        ("char(6)", "'ab'"),
        ("numeric", "1.10"),
        ("double precision", "0.1::float8 + 0.2"),
        ("kind", "'HOME'"),
        ("domain_of_ltree", "'a.b'"),
        ("timestamptz", "'2024-03-31 01:30:00.123456+00'"),
    ],
)
def test_a_value_is_looked_up_by_keys_of_any_type(lab: Lab, type_: str, key: str) -> None:
    lab.sql(
        "DROP EXTENSION IF EXISTS ltree CASCADE; CREATE EXTENSION ltree SCHEMA public",
        "DROP EXTENSION IF EXISTS citext CASCADE; CREATE EXTENSION citext SCHEMA public",
        "CREATE TYPE kind AS ENUM ('MOTOR', 'HOME')",
        "CREATE DOMAIN domain_of_ltree AS ltree",
        f'CREATE TABLE t ("k%s" {type_} PRIMARY KEY, "b%" text, n int)',
        f"INSERT INTO t VALUES ({key}, {BIG.format(1)}, 0)",
    )
    lab.load()
    lab.sql("UPDATE t SET n = 1")
    lab.cdc()
    (value,) = [row["b%"] for row in lab.changed()]
    assert value == lab.loaded()[0]["b%"] and len(value) == 9600


@pytest.mark.dms(38)
def test_a_look_up_that_fails_gives_null_an_exception_row_and_a_warning(lab: Lab) -> None:
    lab.sql(
        "CREATE SCHEMA odd",
        "CREATE FUNCTION odd.refuse(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS"
        " $$ BEGIN RAISE EXCEPTION 'not today'; END $$",
        TABLE,
        f"INSERT INTO t VALUES (1, {BIG.format(1)}, 1)",
    )
    lab.load()
    lab.sql("UPDATE t SET n = 2")
    # A view in the table's place: reading the value raises an error of the server.
    lab.sql("ALTER TABLE t RENAME TO old")
    lab.sql("CREATE VIEW t AS SELECT id, odd.refuse(v) AS v, n FROM old")
    lab.cdc()
    lab.cdc()
    assert [row["v"] for row in lab.changed()] == ["\\N"]
    exceptions = next(lab.target.glob("_emulator/*/awsdms_apply_exceptions.csv")).read_text()
    assert "look-up failed: not today" in exceptions
    assert any("public.t: v could not be looked up and is NULL" in text for text in lab.reports)


@pytest.mark.dms(38)
def test_under_full_identity_the_old_row_has_the_value(lab: Lab) -> None:
    lab.set_up(stand_in={"toast": "null"})
    lab.sql(TABLE, "ALTER TABLE t REPLICA IDENTITY FULL")
    lab.sql(f"INSERT INTO t VALUES (1, {BIG.format(1)}, 1)")
    lab.load()
    lab.sql("UPDATE t SET n = 2")
    lab.cdc()
    assert lab.changed()[0]["v"] == lab.loaded()[0]["v"]


@pytest.mark.dms(31)
def test_the_operations_are_those_of_test_decoding(lab: Lab) -> None:
    """pgoutput is what we read, test_decoding what DMS reads: they must agree."""
    lab.set_up(s3=PROFILE, rules=[INCLUDE])
    lab.sql(TABLE, "CREATE TABLE u (id int PRIMARY KEY)")
    try:
        lab.sql("SELECT pg_create_logical_replication_slot('witness', 'test_decoding')")
    except psycopg2.Error:
        pytest.skip("this server has no test_decoding")
    lab.load()
    lab.transaction("INSERT INTO t SELECT g, 'x', g FROM generate_series(1, 5) g")
    lab.transaction("UPDATE t SET id = id + 10 WHERE id > 3", "DELETE FROM t WHERE n = 1")
    lab.transaction("INSERT INTO u VALUES (1)", "UPDATE t SET v = NULL", "DELETE FROM u")
    lab.cdc()
    messages = lab.sql("SELECT data FROM pg_logical_slot_get_changes('witness', NULL, NULL)")
    for table in ("t", "u"):
        words = [d.split()[2] for (d,) in messages if d.startswith(f"table public.{table}:")]
        assert [word[0] for word in words] == [row["Op"] for row in lab.changed(table)]
