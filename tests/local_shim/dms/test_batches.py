"""When a CDC file is closed, and files that keep transactions together: items 7 and 13."""

from __future__ import annotations

import re

import pytest

from local_shim.dms.clock import Clock
from tests.local_shim.dms.lab import INCLUDE, NOON, PROFILE, SEQUENCE, Lab

TABLES = (
    "CREATE TABLE t (id int PRIMARY KEY, v text)",
    "CREATE TABLE u (id int PRIMARY KEY, v text)",
)


class Hand:
    """A rising clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> Clock:
        return Clock(lambda: NOON + int(self.seconds * 1_000_000), lambda: self.seconds)


@pytest.mark.dms(7)
def test_a_file_is_published_when_its_table_s_interval_is_over(lab: Lab) -> None:
    hand = Hand()
    lab.set_up(s3={**PROFILE, "CdcMaxBatchInterval": 60})
    lab.clock = hand.clock()
    lab.sql(*TABLES)
    lab.load()
    lab.sql("INSERT INTO t VALUES (1)", "INSERT INTO u VALUES (1)", "INSERT INTO t VALUES (2)")
    with lab.feed() as feed:
        first, second, third = feed.transactions()
        feed.give(first)
        hand.seconds = 30
        feed.give(second)
        feed.give(third)
        hand.seconds = 59
        feed.applier.publish_due()
        assert lab.objects() == []
        assert feed.applier.next_due == 60
        hand.seconds = 60
        feed.applier.publish_due()
        assert [key.split("/")[1] for key in lab.objects()] == ["t"]
        assert feed.applier.next_due == 90  # u began later
        hand.seconds = 90
        feed.applier.publish_due()
    assert [row["id"] for row in lab.changed("t")] == ["1", "2"]
    assert [row["id"] for row in lab.changed("u")] == ["1"]


@pytest.mark.dms(7)
def test_a_file_is_published_when_its_table_s_size_is_reached(lab: Lab) -> None:
    lab.set_up(s3={**PROFILE, "CdcMinFileSize": 2})
    lab.sql(*TABLES)
    lab.load()
    lab.transaction(
        "INSERT INTO t SELECT g, repeat('x', 500) FROM generate_series(1, 10) g",
        "INSERT INTO u VALUES (1)",
    )
    with lab.feed() as feed:
        feed.give(feed.messages())
        # Rows of about 600 bytes: four reach two kilobytes, in the middle of the transaction.
        assert [len(lab.rows(key)) for key in lab.cdc_keys("t")] == [4, 4]
        assert lab.cdc_keys("u") == []


@pytest.mark.dms(7)
def test_a_position_is_confirmable_only_up_to_the_oldest_unpublished_row(lab: Lab) -> None:
    hand = Hand()
    lab.clock = hand.clock()
    lab.sql(*TABLES)
    lab.load()
    lab.sql("INSERT INTO t VALUES (1)", "INSERT INTO u VALUES (1)")
    with lab.feed() as feed:
        start = feed.applier.confirmable
        first, second = feed.transactions()
        feed.give(first)
        assert feed.applier.confirmable == start
        feed.give(second)
        feed.applier.publish_all()
        assert feed.applier.confirmable == feed.applier.last_end > start


TXN = {"PreserveTransactions": True, "CdcPath": "changes", "CsvNullValue": "\\N"}


@pytest.mark.dms(13)
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_preserved_transactions_lie_together_in_their_order(lab: Lab, form: str) -> None:
    lab.set_up(s3={**TXN, "DataFormat": form, "BucketFolder": "lake"}, rules=[INCLUDE])
    lab.sql(*TABLES)
    lab.load()
    lab.transaction(
        "INSERT INTO t VALUES (1, 'a')",
        "INSERT INTO u VALUES (7, 'b')",
        "UPDATE t SET v = NULL",
    )
    lab.sql("DELETE FROM u")
    lab.cdc()
    (key,) = lab.objects()
    assert re.fullmatch(r"lake/changes/CDC_TXN-\d{17}\.csv", key)
    assert lab.text(key) == ("I,t,public,1,a\nI,u,public,7,b\nU,t,public,1,\\N\nD,u,public,7,\\N\n")


@pytest.mark.dms(13)
def test_a_preserved_transaction_is_never_split(lab: Lab) -> None:
    lab.set_up(s3={**TXN, "CdcMinFileSize": 1}, rules=[INCLUDE, SEQUENCE])
    lab.sql(*TABLES)
    lab.load()
    lab.transaction("INSERT INTO t SELECT g, repeat('x', 500) FROM generate_series(1, 9) g")
    lab.transaction("INSERT INTO u SELECT g, 'y' FROM generate_series(1, 3) g")
    lab.cdc()
    assert [len(lab.text(key).splitlines()) for key in lab.objects()] == [9, 3]
