"""Commit times, change sequences, and sameness: items 21 to 24, 26 and 57."""

from __future__ import annotations

import re

import pytest

from tests.local_shim.dms.lab import NOON, PROFILE, Lab, steady

TABLES = ("CREATE TABLE t (id int PRIMARY KEY, v text)", "CREATE TABLE u (id int PRIMARY KEY)")
_2000 = 946_684_800_000_000
Messages = list[tuple[bytes, int]]


def at(messages: Messages, microsecond: int) -> Messages:
    """The transaction, with another commit time."""
    (begin, lsn), *rest = messages
    moment = (microsecond - _2000).to_bytes(8, "big", signed=True)
    return [(begin[:9] + moment + begin[17:], lsn), *rest]


@pytest.mark.dms(21)
def test_rows_of_a_transaction_share_the_commit_time_of_the_wal(lab: Lab) -> None:
    lab.sql(*TABLES)
    lab.load()
    lab.transaction("INSERT INTO t VALUES (1)", "INSERT INTO u VALUES (1)", "UPDATE t SET v = 'x'")
    lab.sql("INSERT INTO t VALUES (2)")
    with lab.feed() as feed:
        first, second = feed.transactions()
        feed.give(at(first, NOON + 123_456))
        feed.give(at(second, NOON + 123_457))
        feed.applier.publish_all()
    assert [row["ts"] for row in lab.changed("u")] == ["2023-11-14 22:13:20.123456"]
    assert [row["ts"] for row in lab.changed("t")] == [
        "2023-11-14 22:13:20.123456",
        "2023-11-14 22:13:20.123456",
        "2023-11-14 22:13:20.123457",
    ]


@pytest.mark.dms(21)
def test_the_commit_time_lies_between_the_clocks_before_and_after(lab: Lab) -> None:
    clock = "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    lab.sql(*TABLES)
    lab.load()
    before = lab.sql(clock)[0][0]
    lab.sql("INSERT INTO t VALUES (1)")
    after = lab.sql(clock)[0][0]
    lab.cdc()
    assert before <= lab.changed()[0]["ts"] <= after


@pytest.mark.dms(22)
@pytest.mark.parametrize(
    ("precision", "fraction"), [("us", "123456"), ("ms", "123000"), ("s", "000000")]
)
def test_a_coarser_engine_leaves_zeros(lab: Lab, precision: str, fraction: str) -> None:
    lab.set_up(stand_in={"timestamp_precision": precision})
    lab.sql(*TABLES)
    lab.load()
    lab.sql("INSERT INTO t VALUES (1)")
    with lab.feed() as feed:
        feed.give(at(feed.messages(), NOON + 123_456))
        feed.applier.publish_all()
    assert lab.changed()[0]["ts"] == f"2023-11-14 22:13:20.{fraction}"


@pytest.mark.dms(23)
def test_sequences_are_commit_time_to_hundredths_and_a_counter_over_all_tables(lab: Lab) -> None:
    lab.sql(*TABLES)
    lab.load()
    lab.transaction(
        "INSERT INTO t VALUES (1)", "INSERT INTO u VALUES (1)", "INSERT INTO t VALUES (2)"
    )
    with lab.feed() as feed:
        feed.give(at(feed.messages(), NOON + 129_999))
        feed.applier.publish_all()
    first, third = [row["seq"] for row in lab.changed("t")]
    (second,) = [row["seq"] for row in lab.changed("u")]
    assert first < second < third
    assert {len(first), len(second), len(third)} == {35}
    assert {one[:16] for one in (first, second, third)} == {"2023111422132012"}
    assert int(second[16:]) - int(first[16:]) > 1  # with gaps


@pytest.mark.dms(24)
def test_the_sequence_rises_though_commit_times_go_back(lab: Lab) -> None:
    lab.sql(*TABLES)
    lab.load()
    lab.sql(*(f"INSERT INTO t VALUES ({number})" for number in range(4)))
    hours = (0, -3_600_000_000, -1, 10_000)
    with lab.feed() as feed:
        for shift, messages in zip(hours, feed.transactions(), strict=True):
            feed.give(at(messages, NOON + shift))
        feed.applier.publish_all()
    rows = lab.changed()
    sequences = [row["seq"] for row in rows]
    assert sequences == sorted(set(sequences))
    assert [row["ts"][11:19] for row in rows] == ["22:13:20", "21:13:20", "22:13:19", "22:13:20"]
    assert [one[:16] for one in sequences[:3]] == ["2023111422132000"] * 3


@pytest.mark.dms(24, 26)
def test_a_resumed_task_goes_on_counting_from_where_it_was(lab: Lab) -> None:
    lab.sql(*TABLES)
    lab.load()
    for number, shift in enumerate((0, -3_600_000_000)):
        lab.sql(f"INSERT INTO t VALUES ({number})")
        with lab.feed() as feed:
            for messages in feed.transactions():
                feed.give(at(messages, NOON + shift))
            feed.applier.publish_all()
    first, second = [row["seq"] for row in lab.changed()]
    assert first < second


@pytest.mark.dms(26, 53)
def test_replayed_rows_get_new_numbers_and_keep_time_and_position(lab: Lab) -> None:
    lab.set_up(stand_in={"faults": {"replay_transactions": 2}})
    lab.sql(*TABLES)
    lab.load()
    lab.sql(*(f"INSERT INTO t VALUES ({number})" for number in (1, 2, 3)))
    lab.cdc()
    lab.cdc()
    (first, again) = [lab.rows(key) for key in lab.cdc_keys()]
    assert [row["id"] for row in first] == ["1", "2", "3"]
    assert [row["id"] for row in again] == ["2", "3"]
    assert [(r["ts"], r["pos"]) for r in again] == [(r["ts"], r["pos"]) for r in first[1:]]
    assert min(row["seq"][16:] for row in again) > max(row["seq"][16:] for row in first)


@pytest.mark.dms(23)
def test_the_position_is_the_row_s_own(lab: Lab) -> None:
    lab.sql(*TABLES)
    lab.load()
    lab.transaction("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)")
    lab.cdc()
    positions = [row["pos"] for row in lab.changed()]
    assert all(re.fullmatch(r"[0-9A-F]{8}/[0-9A-F]{8}", one) for one in positions)
    assert positions == sorted(set(positions))


@pytest.mark.dms(57)
@pytest.mark.parametrize("s3", [{}, {"CompressionType": "gzip"}, {"DataFormat": "parquet"}])
def test_the_same_wal_makes_the_same_bytes(lab: Lab, s3: dict[str, str]) -> None:
    lab.set_up(s3={**PROFILE, **s3})
    lab.sql(*TABLES, "INSERT INTO t SELECT g, 'row ' || g FROM generate_series(1, 50) g")
    lab.clock = steady()
    lab.load()
    lab.transaction("UPDATE t SET v = v || '!'", "INSERT INTO u VALUES (1)")
    lab.sql("DELETE FROM t WHERE id % 2 = 0")
    with lab.feed() as feed:
        wal = feed.messages()
    contents = []
    for copy in ("one", "two"):
        twin = Lab(lab.uri, lab.folder, lab.target.parent / copy, steady())
        twin.load()
        with twin.feed() as feed:
            feed.give(wal)
            feed.applier.publish_all()
        contents.append({key: (twin.target / key).read_bytes() for key in twin.objects()})
        twin.drop()
    assert contents[0] == contents[1]
    assert len(contents[0]) == 4  # two of the load, two of changes
