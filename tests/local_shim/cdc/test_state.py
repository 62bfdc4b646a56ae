"""The state beside a target: tombstones, maintenance, compaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from local_shim.cdc.apply import collect_tombstones
from tests.local_shim.cdc.one_target import Target, flow


@pytest.mark.dlt(49)
def test_a_threshold_of_zero_collects_tombstones_at_once(target: Target) -> None:
    target.take([(1, "a", None, "U", 10), (1, None, None, "D", 20), (2, "a", None, "U", 10)])
    target.at = replace(target.at, tombstone_seconds=0)
    collect_tombstones(flow(), target.at, datetime.now(UTC) + timedelta(seconds=1))
    target.take([(1, "c", None, "U", 16), (2, "late", None, "U", 5)])
    assert target.rows() == [(1, "c", None), (2, "a", None)]


@pytest.mark.dlt(46)
@pytest.mark.parametrize("scd_type", [1, 2])
def test_tombstones_past_the_threshold_stay_until_maintenance(
    target: Target, scd_type: int
) -> None:
    """Maintenance runs once in 24 hours: a threshold of a minute forgets nothing in two."""
    declared, now = flow(stored_as_scd_type=scd_type), datetime.now(UTC)
    target.at = replace(target.at, tombstone_seconds=60)
    target.take([(1, None, None, "D", 20)], declared)
    collect_tombstones(declared, target.at, now + timedelta(minutes=2))
    target.take([(1, "late", None, "U", 15)], declared)
    assert target.rows() == {1: [], 2: [(1, "late", None, 15, 20)]}[scd_type]


@pytest.mark.dlt(46)
def test_maintenance_forgets_tombstones_once_in_a_day(target: Target) -> None:
    now = datetime.now(UTC)
    target.at = replace(target.at, tombstone_seconds=60)
    target.take([(1, None, None, "D", 20)])
    day = timedelta(hours=24, minutes=1)
    collect_tombstones(flow(), target.at, now + day)
    target.take([(1, "late", None, "U", 15), (2, None, None, "D", 20)])
    assert target.rows() == [(1, "late", None)]
    collect_tombstones(flow(), target.at, now + day + timedelta(hours=23))
    target.take([(2, "late", None, "U", 15)])
    assert target.rows() == [(1, "late", None)]


def test_maintenance_keeps_tombstones_that_are_younger_than_the_threshold(target: Target) -> None:
    target.take([(1, None, None, "D", 20)])
    collect_tombstones(flow(), target.at, datetime.now(UTC) + timedelta(hours=25))
    target.take([(1, "late", None, "U", 15)])
    assert target.rows() == []


def test_state_is_compacted_and_decides_as_before(target: Target) -> None:
    for number in range(8):
        target.take([(number % 3, str(number), None, "U", number + 10)])
    assert len(list(target.at.state.glob("part-*"))) == 1
    result = target.take([(n, "late", None, "U", 1) for n in range(3)])
    assert result.upserted == 0
    assert target.rows() == [(0, "6", None), (1, "7", None), (2, "5", None)]
