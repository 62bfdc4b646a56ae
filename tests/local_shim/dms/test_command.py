"""`dlt-local dms` as people and programs use it: exit codes, messages, secrets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local_shim.dms.clock import Clock
from local_shim.dms.publishing.state import Counts, State, TableState
from local_shim.dms.source.connection import Source
from local_shim.dms.source.slot import SlotStatus
from local_shim.dms.status import Status, render, task_status
from local_shim.dms.task import load_task
from tests.local_shim.cli.command import dlt_local
from tests.local_shim.dms.lab import NOON, Lab

PROJECT = Path(__file__).parents[3]


def command(lab: Lab, action: str, *arguments: str) -> list[str]:
    """The words of `dlt-local dms` on the lab's task."""
    where = ["--task", str(lab.folder), "--target", str(lab.target)]
    return ["dms", action, *where, *arguments]


def start(lab: Lab, *arguments: str) -> subprocess.Popen[str]:
    """A command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "local_shim", *command(lab, *arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env={**os.environ, "DLT_LOCAL_SOURCE": lab.uri},
    )


def dms(lab: Lab, *arguments: str, source: str | None = None) -> tuple[int, str, str]:
    """Exit code, output and messages of one command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLT_LOCAL_SOURCE", lab.uri if source is None else source)
        result = dlt_local(*command(lab, *arguments))
    return result.code, result.out, result.err


def test_a_task_from_its_load_to_its_end(lab: Lab) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    code, out, err = dms(lab, "full-load")
    assert (code, out) == (0, "") and "1/1 public.t: 1 rows" in err
    lab.sql("INSERT INTO t VALUES (2)", "DELETE FROM t WHERE id = 1")
    assert dms(lab, "cdc", "--until-caught-up")[0] == 0
    assert [row["Op"] for row in lab.changed()] == ["I", "D"]
    # Who runs it in a program of their own keeps their Ctrl-C.
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
    code, out, _ = dms(lab, "status")
    assert code == 0
    assert out.splitlines()[-1].split() == ["public.t", "1", "1", "0", "1", "0"]
    assert dms(lab, "drop")[0] == 0
    assert lab.sql("SELECT count(*) FROM pg_replication_slots") == [(0,)]
    assert len(lab.objects()) == 2  # files stay


def test_run_loads_once_then_replicates_until_sigterm(lab: Lab) -> None:
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    assert dms(lab, "run", "--until-caught-up")[0] == 0
    lab.sql("INSERT INTO t VALUES (2)")
    child = start(lab, "run")
    while not list(lab.target.glob("_emulator/*/making/*")):
        assert child.poll() is None
        os.sched_yield()
    child.send_signal(signal.SIGTERM)
    _, err = child.communicate(timeout=300)
    assert child.returncode == 0, err
    assert "rows" not in err  # no second load
    assert [row["id"] for row in lab.loaded() + lab.changed()] == ["1", "2"]


@pytest.fixture
def replicated(lab: Lab) -> Lab:
    """A table with a row of the load, and changes that wait in the slot."""
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    assert dms(lab, "full-load", "--quiet")[0] == 0
    lab.sql("INSERT INTO t VALUES (2), (3)", "DELETE FROM t WHERE id = 1")
    return lab


def test_each_published_file_is_a_line_with_its_rows(replicated: Lab) -> None:
    code, out, err = dms(replicated, "cdc", "--until-caught-up")
    (key,) = replicated.cdc_keys()
    assert (code, out) == (0, "")
    assert err.splitlines() == [f"dms: {key}  1 D, 2 I"]
    assert dms(replicated, "cdc", "--until-caught-up") == (0, "", "")  # not told again


def test_quiet_prints_no_files(replicated: Lab) -> None:
    assert dms(replicated, "run", "--until-caught-up", "--quiet") == (0, "", "")
    assert len(replicated.cdc_keys()) == 1


def test_json_prints_files_and_messages_as_lines(replicated: Lab) -> None:
    code, out, err = dms(replicated, "full-load", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [event["event_type"] for event in events] == ["message", "message", "file_published"]
    assert events[-1]["key"] == "public/t/LOAD00000001.csv"
    assert events[-1]["rows"] == {"I": 2}
    assert all(event["timestamp"] for event in events)


@pytest.mark.dms(55)
def test_status_as_json_has_the_slot_and_the_counts_of_each_table(replicated: Lab) -> None:
    assert dms(replicated, "cdc", "--until-caught-up")[0] == 0
    code, out, _ = dms(replicated, "status", "--json")
    status = json.loads(out)
    assert code == 0 and status["phase"] == "running"
    assert status["slot"]["exists"] and status["slot"]["lag_bytes"] >= 0
    (table,) = status["TableStatistics"]
    assert (table["FullLoadRows"], table["Inserts"], table["Deletes"]) == (1, 2, 1)


def test_wrong_settings_and_sources_exit_2_and_a_failed_task_1(lab: Lab, tmp_path: Path) -> None:
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)")
    lab.set_up(s3={"DataFormat": "orc"})
    code, _, err = dms(lab, "full-load")
    assert code == 2 and err.startswith("[DMS_SETTING_INVALID]")
    lab.set_up()
    code, _, err = dms(lab, "full-load", source="postgresql://127.0.0.1:1/nowhere")
    assert code == 2 and err.startswith("[DMS_SOURCE_UNREACHABLE]")
    code, _, err = dms(lab, "full-load", source="postgresql:/wrong")
    assert code == 2 and err.startswith("[DMS_SOURCE_INVALID]")
    code, _, err = dms(lab, "status")
    assert code == 2 and err.startswith("[DMS_TASK_NEW]")
    lab.load()
    lab.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    code, _, err = dms(lab, "cdc", "--until-caught-up")
    assert code == 1 and err.startswith("[DMS_SLOT_LOST]")
    assert "Traceback" not in err


def test_a_password_is_shown_nowhere(lab: Lab) -> None:
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)")
    secret = lab.uri.replace("postgres@", "postgres:hunter2@")
    child = start(lab, "run", "--source", secret)
    command_line = ""
    while not (lab.target / "_emulator" / "task" / "state.json").exists():
        assert child.poll() is None
        os.sched_yield()
    command_line += Path(f"/proc/{child.pid}/cmdline").read_text()
    child.terminate()
    out, err = child.communicate(timeout=300)
    file_texts = [p.read_text() for p in lab.target.rglob("*") if p.is_file()]
    assert "hunter2" not in command_line + out + err + "".join(file_texts)
    assert "run" in command_line  # it was the command line that we read
    assert "hunter2" not in repr(Source(secret)) + Source(secret).describe()


def test_service_files_and_password_files_are_libpq_s(lab: Lab, tmp_path: Path) -> None:
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    host = lab.uri.partition("host=")[2]
    service = tmp_path / "services"
    service.write_text(f"[insurer]\nhost={host}\ndbname=postgres\nuser=postgres\n")
    os.environ["PGSERVICEFILE"] = str(service)
    try:
        assert dms(lab, "full-load", source="service=insurer")[0] == 0
    finally:
        del os.environ["PGSERVICEFILE"]
    assert len(lab.loaded()) == 1


@pytest.mark.dms(55)
def test_status_shows_the_lag_in_bytes_and_seconds(lab: Lab) -> None:
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)")
    lab.load()
    lab.sql("INSERT INTO t VALUES (1)")
    lab.cdc()
    task = load_task(lab.folder, lab.uri, lab.target)
    newest = task_status(task, lab.clock).state.committed_at
    lab.sql("INSERT INTO t SELECT generate_series(2, 1000)")
    later = task_status(task, Clock(lambda: newest + 5_000_000))
    assert later.slot is not None and later.slot.lag > 10_000
    assert later.lag_seconds == 5.0


def test_what_status_prints() -> None:
    counts = Counts(1000, 20, 3, 1, 0)
    state = State(
        "insurance",
        slot="dms_insurance_1a2b",
        phase="running",
        committed_at=NOON,
        tables={"public.policy": TableState(counts=counts), "public.claim": TableState()},
    )
    text = render(Status(state, SlotStatus(0, None, "reserved", 123456), 12.34))
    assert text == (PROJECT / "tests" / "golden" / "dms_status.txt").read_text()


def test_the_package_runs_as_a_module_of_its_own() -> None:
    program = [sys.executable, "-m", "local_shim.dms", "status", "--task", "nowhere"]
    process = subprocess.run(program, cwd=PROJECT, capture_output=True, text=True)
    assert process.returncode == 2 and process.stderr.startswith("[DMS_TASK_FILE_MISSING]")


def test_the_stand_in_loads_neither_spark_nor_the_pipeline() -> None:
    program = (
        "import sys, local_shim.dms.command, local_shim.dms.server\n"
        "wrong = {'pyspark', 'dlt_pipelines', 'pyarrow'} & set(sys.modules)\n"
        "sys.exit(str(wrong) if wrong else 0)\n"
    )
    process = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True)
    assert process.returncode == 0, process.stderr.decode()
