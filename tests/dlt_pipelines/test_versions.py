"""The history of a key: in the order of the change sequence, whatever the clock of the source."""

from __future__ import annotations

from datetime import date

from dlt_pipelines.transforms.versions import as_known, current
from tests.dlt_pipelines.conftest import Silver


def test_a_clock_that_goes_back_changes_neither_order_nor_the_current_version(
    silver: Silver,
) -> None:
    versions = silver(
        "agent",
        {"agent_id": 1, "channel": "first", "start": "2024-01-01", "end": "2024-01-10"},
        {"agent_id": 1, "channel": "second", "start": "2024-01-10", "end": "2024-01-20"},
        {"agent_id": 1, "channel": "third", "start": "2024-01-20"},
    ).selectExpr(
        "* EXCEPT (__START_AT)",
        # the clock of the source went back before the third change
        "named_struct('_seq', __START_AT._seq, '_commit_ts', if(channel = 'third',"
        " TIMESTAMP'2024-01-05 00:00:00', __START_AT._commit_ts)) AS __START_AT",
    )
    assert [row.channel for row in current(versions).collect()] == ["third"]
    intervals = as_known(versions, "agent_id").collect()
    assert {row.channel: (row.known_from, row.known_to) for row in intervals} == {
        "first": (date(1, 1, 1), date(2024, 1, 10)),
        "third": (date(2024, 1, 10), date(9999, 12, 31)),
    }
