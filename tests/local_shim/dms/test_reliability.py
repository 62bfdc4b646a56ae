"""Nothing lost, nothing torn: items 51 to 56."""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest

from local_shim.dms.errors import TaskFailed
from tests.local_shim.dms.crashing import calls_of, killed_at
from tests.local_shim.dms.lab import PROFILE, Lab

SEED = int(os.environ.get("DMS_FIRST_SEED", "0"))
TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)"
LOB = {"TargetMetadata": {"LobMaxSize": 1}}


class DuringTheLoad(list[str]):
    """Reports of a task; inserts a row as soon as the slot is there."""

    def __init__(self, lab: Lab):
        super().__init__()
        self._lab = lab

    def append(self, text: str) -> None:
        super().append(text)
        if text.startswith("slot "):
            self._lab.sql("INSERT INTO t VALUES (2)")


@pytest.mark.dms(51)
@pytest.mark.parametrize(("mode", "loaded"), [("clean", ["1"]), ("overlap", ["1", "2"])])
def test_the_load_is_the_slot_s_snapshot_or_overlaps_on_request(
    lab: Lab, mode: str, loaded: list[str]
) -> None:
    lab.set_up(stand_in={"full_load": mode})
    lab.sql(TABLE, "INSERT INTO t VALUES (1)")
    lab.reports = DuringTheLoad(lab)
    lab.load()
    lab.cdc()
    assert [row["id"] for row in lab.loaded()] == loaded
    assert [row["id"] for row in lab.changed()] == ["2"]


def business(rng: random.Random) -> list[str]:
    """A transaction of a few statements, each on one row."""
    statements = []
    for _ in range(rng.randint(1, 6)):
        key = rng.randint(1, 12)
        statements.append(
            rng.choice(
                [
                    f"INSERT INTO t VALUES ({key}, 'i{rng.random()}')"
                    f" ON CONFLICT (id) DO UPDATE SET v = excluded.v",
                    f"UPDATE t SET v = repeat('u', {rng.randint(1, 400)}) WHERE id = {key}",
                    f"UPDATE u SET n = n + 1 WHERE id <= {key}",
                    f"DELETE FROM t WHERE id = {key}",
                ]
            )
        )
    return statements


def folded(lab: Lab, table: str) -> dict[str, tuple[str, ...]]:
    """The source's rows, as a reader of the files finds them."""
    rows: dict[str, tuple[str, ...]] = {}
    for row in lab.loaded(table) + sorted(lab.changed(table), key=lambda r: r["seq"]):
        rows.pop(row["BI_id"], None)
        if row["Op"] != "D":
            rows[row["id"]] = tuple(row.values())[2:-3]
    return rows


def source(lab: Lab, table: str) -> dict[str, tuple[str, ...]]:
    return {str(row[0]): tuple(map(str, row)) for row in lab.sql(f"SELECT * FROM {table}")}


@pytest.mark.dms(52, 55)
def test_killed_at_sixty_points_of_the_stream_everything_arrives_once(lab: Lab) -> None:
    rng = random.Random(SEED)
    lab.set_up(s3={**PROFILE, "CdcMinFileSize": 1})  # files end in the middle of transactions
    lab.sql(TABLE, "CREATE TABLE u (id int PRIMARY KEY, n int)")
    lab.sql("INSERT INTO u SELECT g, 0 FROM generate_series(1, 12) g")
    lab.load()
    lab.transaction(*business(rng))
    points = calls_of(lab.cdc)
    deaths = 0
    for _ in range(60):
        lab.transaction(*business(rng))
        deaths += killed_at(lab.cdc, rng.randint(1, points * 2))
    lab.cdc()
    assert deaths > 5, f"seed {SEED}"  # else the points lie behind the end of the work
    for table in ("t", "u"):
        assert folded(lab, table) == source(lab, table), f"seed {SEED}"
        rows = lab.changed(table)
        assert max(Counter(row["pos"] for row in rows).values()) == 1, f"seed {SEED}: twice"
        counted = Counter(row["Op"] for row in rows)
        statistics = lab.statistics(f"public.{table}")
        assert (counted["I"], counted["U"], counted["D"]) == (
            statistics["Inserts"],
            statistics["Updates"],
            statistics["Deletes"],
        ), f"seed {SEED}"


@pytest.mark.dms(52)
def test_killed_at_forty_points_of_the_load_no_half_of_it_is_seen(lab: Lab) -> None:
    rng = random.Random(SEED)
    lab.set_up(s3={**PROFILE, "MaxFileSize": 1})
    lab.sql(TABLE, "CREATE TABLE u (id int PRIMARY KEY)")
    lab.sql("INSERT INTO t SELECT g, repeat('x', 300) FROM generate_series(1, 12) g")
    lab.sql("INSERT INTO u SELECT generate_series(1, 3)")
    points = calls_of(lab.load)
    whole = len(lab.objects())
    for attempt in range(40):
        fresh = Lab(lab.uri, lab.folder, lab.target.parent / f"lake{attempt}")
        killed_at(fresh.load, rng.randint(1, points))
        objects = len(fresh.objects())
        if 0 < objects < whole:  # between two renames: the next start finishes them
            assert fresh.state["moves"], f"seed {SEED}"
        if objects == 0 or fresh.state["phase"] != "running":
            fresh.load()
        fresh.sql("UPDATE t SET v = 'changed' WHERE id = 1")
        fresh.cdc()
        assert len(fresh.loaded("t")) == 12 and len(fresh.loaded("u")) == 3, f"seed {SEED}"
        assert [row["id"] for row in fresh.changed("t")] == ["1"], f"seed {SEED}"
        fresh.drop()


@pytest.mark.dms(52)
def test_a_position_is_confirmed_only_when_the_file_is_there(lab: Lab) -> None:
    lab.sql(TABLE)
    lab.load()
    confirmed = "SELECT confirmed_flush_lsn FROM pg_replication_slots"
    before = lab.sql(confirmed)
    lab.sql("INSERT INTO t VALUES (1)")
    with lab.feed() as feed:
        feed.give(feed.messages())
        assert lab.sql(confirmed) == before
    lab.cdc()
    assert lab.sql(confirmed) > before
    assert len(lab.changed()) == 1


@pytest.mark.dms(53)
def test_a_file_can_be_delayed_and_arrives_with_the_next(lab: Lab) -> None:
    lab.set_up(stand_in={"faults": {"delay_files": True}})
    lab.sql(TABLE)
    lab.load()
    lab.sql("INSERT INTO t VALUES (1)")
    lab.cdc()
    assert lab.cdc_keys() == []
    lab.sql("INSERT INTO t VALUES (2)")
    lab.cdc()  # the start delivers what was held back, and the next file is held back
    assert [row["id"] for row in lab.changed()] == ["1"]
    lab.set_up()
    lab.cdc()
    assert [row["id"] for row in lab.changed()] == ["1", "2"]


@pytest.mark.dms(53)
def test_names_can_run_against_the_order_of_production(lab: Lab) -> None:
    lab.set_up(stand_in={"faults": {"reverse_names": True}})
    lab.sql(TABLE)
    lab.load()
    for number in (1, 2, 3):
        lab.sql(f"INSERT INTO t VALUES ({number})")
        lab.cdc()
    assert [row["id"] for row in lab.changed()] == ["3", "2", "1"]


@pytest.mark.dms(53)
def test_empty_files_can_be_dropped_among_the_others(lab: Lab) -> None:
    lab.set_up(stand_in={"faults": {"empty_files": True}})
    lab.sql(TABLE)
    lab.load()
    lab.sql("INSERT INTO t VALUES (1)")
    lab.cdc()
    assert [bool(lab.text(key)) for key in lab.cdc_keys()] == [True, False]


@pytest.mark.dms(53)
def test_a_reload_overwrites_the_load_file_under_its_key(lab: Lab) -> None:
    lab.set_up(task={"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"}})
    lab.sql(TABLE, "INSERT INTO t VALUES (1)")
    lab.load()
    lab.sql("UPDATE t SET id = 2")
    lab.load()
    assert lab.objects() == ["public/t/LOAD00000001.csv"]
    assert [row["id"] for row in lab.loaded()] == ["2"]


@pytest.mark.dms(54)
def test_each_task_has_a_slot_of_its_own_until_it_is_dropped(lab: Lab) -> None:
    lab.sql(TABLE)
    other = Lab(lab.uri, lab.folder, lab.target.parent / "other")
    lab.load()
    other.load()
    slots = "SELECT slot_name FROM pg_replication_slots ORDER BY 1"
    publications = "SELECT count(*) FROM pg_publication"
    assert len(lab.sql(slots)) == 2 and lab.sql(publications) == [(4,)]
    lab.sql("INSERT INTO t VALUES (1)")
    lab.cdc()
    lab.drop()
    other.cdc()
    assert [row["id"] for row in other.changed()] == [row["id"] for row in lab.changed()] == ["1"]
    assert lab.sql(slots) == [(other.state["slot"],)] and lab.sql(publications) == [(2,)]


@pytest.mark.dms(54)
def test_the_slot_takes_the_name_the_endpoint_gives(lab: Lab) -> None:
    lab.set_up(source={"SlotName": "insurance_slot"})
    lab.sql(TABLE)
    lab.load()
    assert lab.sql("SELECT slot_name FROM pg_replication_slots") == [("insurance_slot",)]


@pytest.mark.dms(54)
def test_the_heartbeat_is_a_message_in_the_wal(lab: Lab) -> None:
    lab.set_up(source={"HeartbeatEnable": True})
    lab.sql(TABLE)
    lab.load()
    lab.sql("SELECT pg_create_logical_replication_slot('witness', 'pgoutput')")
    lab.cdc()
    lab.cdc()  # its commit brings the message to the disk, where slots can read it
    wal = lab.sql(
        "SELECT data FROM pg_logical_slot_get_binary_changes('witness', NULL, NULL,"
        f" 'proto_version', '1', 'messages', 'true',"
        f" 'publication_names', '{lab.state['publication']}')"
    )
    messages = [bytes(data) for (data,) in wal if bytes(data)[:1] == b"M"]
    assert any(b"dlt-local dms\0" in text and text.endswith(b"task") for text in messages)


@pytest.mark.dms(55)
def test_statistics_equal_the_rows_in_the_files(lab: Lab) -> None:
    lab.sql(TABLE, "INSERT INTO t SELECT g FROM generate_series(1, 5) g")
    lab.load()
    lab.sql("INSERT INTO t VALUES (6)", "UPDATE t SET v = 'x'", "DELETE FROM t WHERE id < 3")
    lab.cdc()
    lab.sql("ALTER TABLE t ADD w int", "INSERT INTO t VALUES (7)")
    lab.cdc()
    statistics = lab.statistics()
    counted = Counter(row["Op"] for row in lab.changed())
    assert statistics["FullLoadRows"] == len(lab.loaded()) == 5
    assert (
        statistics["Inserts"],
        statistics["Updates"],
        statistics["Deletes"],
        statistics["Ddls"],
    ) == (2, 6, 2, 1)
    assert counted == {"I": 2, "U": 6, "D": 2}


@pytest.mark.dms(55)
@pytest.mark.parametrize(
    ("mode", "expected"), [("DO_NOTHING", (1, 2)), ("DROP_AND_CREATE", (0, 3))]
)
def test_statistics_follow_a_reload(lab: Lab, mode: str, expected: tuple[int, int]) -> None:
    lab.set_up(task={"FullLoadSettings": {"TargetTablePrepMode": mode}})
    lab.sql(TABLE, "INSERT INTO t VALUES (1), (2)")
    lab.load()
    lab.sql("INSERT INTO t VALUES (3)")
    lab.cdc()
    lab.sql("DELETE FROM t WHERE id = 1") if mode == "DO_NOTHING" else None
    lab.load()
    statistics = lab.statistics()
    assert (statistics["Inserts"], statistics["FullLoadRows"]) == expected
    assert (len(lab.changed()), len(lab.loaded())) == expected


@pytest.mark.dms(56)
def test_control_tables_stay_out_of_the_prefix_unless_a_schema_is_named(lab: Lab) -> None:
    lab.sql(TABLE, "INSERT INTO t VALUES (1, repeat('x', 600))", "CREATE TABLE awsdms_ddl (a int)")
    lab.set_up(task=LOB)
    lab.load()
    assert {key.split("/")[1] for key in lab.objects()} == {"t"}
    control = {"ControlTablesSettings": {"ControlSchema": "control"}}
    lab.set_up(task={**LOB, **control}, s3={**PROFILE, "BucketFolder": "lake"})
    lab.sql("UPDATE t SET v = v || 'y'")
    lab.cdc()
    (key,) = lab.objects("lake/control/**/*")
    assert key.startswith("lake/control/awsdms_apply_exceptions/") and key.endswith(".csv")
    (row,) = lab.rows(key)
    assert (row["TABLE_OWNER"], row["TABLE_NAME"]) == ("public", "t")


def test_a_second_process_is_kept_away_from_a_running_task(lab: Lab) -> None:
    lab.sql(TABLE)
    with lab.session(), pytest.raises(Exception, match="DMS_TASK_RUNNING"):
        lab.load()


def test_another_server_s_state_is_not_mistaken_for_ours(lab: Lab) -> None:
    lab.sql(TABLE)
    lab.load()
    path = next(lab.target.glob("_emulator/*/state.json"))
    path.write_text(path.read_text().replace(lab.state["system"], "1234567890"))
    with pytest.raises(Exception, match="DMS_OTHER_SOURCE"):
        lab.cdc()


def test_changes_without_a_load_begin_now(lab: Lab) -> None:
    lab.sql(TABLE, "INSERT INTO t VALUES (1)")
    lab.cdc()
    lab.sql("INSERT INTO t VALUES (2)")
    lab.cdc()
    assert lab.loaded() == [] and [row["id"] for row in lab.changed()] == ["2"]


def test_a_load_that_stopped_is_not_replicated_from(lab: Lab) -> None:
    lab.set_up(task={**LOB, "ErrorBehavior": {"DataTruncationErrorPolicy": "STOP_TASK"}})
    lab.sql(TABLE, "INSERT INTO t VALUES (1, repeat('x', 600))")
    with pytest.raises(TaskFailed):
        lab.load()
    assert lab.sql("SELECT count(*) FROM pg_replication_slots") == [(0,)]  # it holds no WAL back
    with pytest.raises(Exception, match="DMS_LOAD_UNFINISHED"):
        lab.cdc()
    assert lab.objects() == []
