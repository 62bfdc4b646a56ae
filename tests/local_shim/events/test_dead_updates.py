"""An update whose process was killed is FAILED for whoever looks first."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_shim.events.dead_updates import end_dead_journals
from local_shim.events.event import EventType, UpdateState
from local_shim.events.journal import events, events_until
from local_shim.events.journal_file import last_timestamp, read_journal
from local_shim.events.log import EventLog
from local_shim.events.runner import runner_is_gone, this_runner
from local_shim.storage import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path, "shop")


@pytest.fixture(scope="module")
def dead_pid() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def start_update(storage: Storage, update: str, runner: dict[str, Any], *more: UpdateState) -> Path:
    log = EventLog(storage.journal(update), {"pipeline_id": "shop", "update_id": update}, ())
    log.write(EventType.CREATE_UPDATE, "Update started.", {"runner": runner})
    for state in (UpdateState.RUNNING, *more):
        log.update(state)
    log.close()
    return storage.journal(update)


def states(storage: Storage, update: str) -> list[str]:
    progress = events(storage, update, "update_progress", None)
    return [record["details"]["update_progress"]["state"] for record in progress]


def test_a_reader_ends_the_journal_of_a_killed_update_once(storage: Storage, dead_pid: int) -> None:
    file = start_update(storage, "a1", {"pid": dead_pid, "started": 5})
    with file.open("a") as journal:
        journal.write('{"id": "cut sh')  # killed while it wrote
    for _ in range(2):
        assert states(storage, "a1") == ["RUNNING", "FAILED"]
    *_, before, last = read_journal(file)
    assert last["error"]["exceptions"][0]["message"].startswith("[UPDATE_DIED]")
    assert (last["level"], last["origin"]) == ("ERROR", before["origin"])
    assert last["timestamp"] > before["timestamp"]
    assert last["sequence"]["data_plane_id"]["seq_no"] == 2
    (records,) = events_until(storage, "a1", 5)
    assert records[-1] == last


def test_an_update_killed_before_its_first_event_is_ended(storage: Storage) -> None:
    storage.journals().mkdir(parents=True)
    storage.journal("a1").write_text('{"id": "cut sh')
    (storage.journals() / "done").mkdir()
    (record,) = events(storage, None, None, None)
    assert record["origin"] == {"pipeline_id": "shop", "update_id": "a1"}


@pytest.mark.parametrize("state", [UpdateState.COMPLETED, UpdateState.CANCELED])
def test_an_update_that_ended_is_left_alone(
    storage: Storage, dead_pid: int, state: UpdateState
) -> None:
    start_update(storage, "a1", {"pid": dead_pid}, state)
    assert states(storage, "a1") == ["RUNNING", state.value]


def test_an_update_is_left_alone_while_its_process_runs(storage: Storage) -> None:
    """It may wait for its turn, so that it holds no lock yet."""
    start_update(storage, "a1", dict(this_runner()))
    assert states(storage, "a1") == ["RUNNING"]


def test_a_reader_writes_nothing_while_an_update_runs(storage: Storage, dead_pid: int) -> None:
    """The update that holds the lock ends dead journals when it starts."""
    start_update(storage, "a1", {"pid": dead_pid})
    with storage.update_lock():
        assert states(storage, "a1") == ["RUNNING"]
        end_dead_journals(storage)
        assert states(storage, "a1") == ["RUNNING", "FAILED"]


def test_the_id_of_a_process_may_be_given_again() -> None:
    runner = this_runner()
    assert not runner_is_gone(runner)
    assert not runner_is_gone({"pid": 1})  # of an earlier version: no time of its start
    assert runner["started"] is None or runner_is_gone({**runner, "started": 1})


def test_a_process_that_ended_and_was_not_waited_for_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert runner_is_gone({"pid": process.pid})
    process.wait()


def test_events_of_a_pipeline_strictly_increase_over_updates(storage: Storage) -> None:
    """Also after the clock was set back between two updates."""
    assert last_timestamp(storage) is None
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    log = EventLog(storage.journal("a1"), {"update_id": "a1"}, (), tomorrow)
    log.update(UpdateState.COMPLETED)
    log.close()
    last = last_timestamp(storage)
    assert last is not None and last > tomorrow
    log = EventLog(storage.journal("a2"), {"update_id": "a2"}, (), last)
    log.update(UpdateState.QUEUED)
    log.close()
    (record,) = read_journal(storage.journal("a2"))
    assert datetime.fromisoformat(record["timestamp"]) > last
