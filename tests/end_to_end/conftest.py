"""A living insurer, its DMS files and its tables, each in a temporary folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
import pytest

from local_shim.dms import server

PROJECT = Path(__file__).parents[2]


@dataclass
class House:
    """The whole line: a database, the folder DMS writes to, and a storage."""

    uri: str
    folder: Path
    connection: Any

    @property
    def landing(self) -> Path:
        return self.folder / "landing"

    @property
    def storage(self) -> Path:
        return self.folder / "storage"

    def sql(self, statement: str) -> list[dict[str, Any]]:
        """Runs a statement; gives its rows as dicts."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            if cursor.description is None:
                return []
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def live(self, days: int) -> date:
        """Lives the next business days."""
        day: date = self.sql("SELECT closed_day FROM sim.book")[0]["closed_day"]
        for _ in range(days):
            day += timedelta(days=1)
            self.sql(f"CALL live_day('{day}')")
        return day

    def dms(self) -> list[str]:
        """The command of the stand-in; the source goes by the environment."""
        task = str(PROJECT / "resources" / "dms")
        return [sys.executable, "-m", "local_shim", "dms", "run", "--until-caught-up", "--json",
                "--task", task, "--target", str(self.landing)]  # fmt: skip

    def update(self) -> list[str]:
        """The command of an update."""
        return [sys.executable, "-m", "local_shim", "run", "--bundle", str(PROJECT), "--json",
                "--var", f"landing={self.landing}", "--storage", str(self.storage)]  # fmt: skip

    def do(self, command: list[str]) -> None:
        """Runs a command to its end, which must be good."""
        process = subprocess.run(
            command, env=self.environment(), capture_output=True, text=True, check=False
        )
        assert process.returncode == 0, process.stdout[-2000:] + process.stderr[-2000:]

    def kill(self, command: list[str], *, after: int, of: str) -> None:
        """Starts a command and kills it with no warning once it printed `after` lines of a kind."""
        process = subprocess.Popen(
            command,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        with process:
            assert process.stdout is not None
            lines = [*islice((line for line in process.stdout if of in line), after)]
            os.killpg(process.pid, signal.SIGKILL)
        assert len(lines) == after

    def environment(self) -> dict[str, str]:
        return {**os.environ, "DLT_LOCAL_SOURCE": self.uri}


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Server]:
    """A private server for the run."""
    data = Path("/var/tmp") / f"dlt-local-e2e-{uuid4().hex[:8]}"
    running = server.start(data, durable=False)
    try:
        yield running
    finally:
        server.stop(running, mode="immediate")
        server.forget(data)


SEEDS = [int(seed) for seed in os.environ.get("INSURANCE_SEEDS", "7").split(",")]


@pytest.fixture(params=SEEDS)
def house(
    postgres: server.Server, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[House]:
    """A small insurer with two years of history; `make fuzz` has three of them."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    name = f"insurer_{uuid4().hex[:8]}"
    admin = psycopg2.connect(postgres.uri)
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    admin.close()
    uri = postgres.database(name)
    connection = psycopg2.connect(uri)
    connection.autocommit = True
    house = House(uri, tmp_path, connection)
    for path in sorted((PROJECT / "init_sql").glob("*.sql")):
        house.sql(path.read_text())
    book = f"parties => 60, years => 2, seed => {request.param}, as_of => DATE '2026-06-30'"
    house.sql(f"CALL open_book({book})")
    yield house
    connection.close()
    subprocess.run(
        [sys.executable, "-m", "local_shim", "dms", "drop", "--task",
         str(PROJECT / "resources" / "dms"), "--target", str(house.landing)],
        env=house.environment(), capture_output=True, check=False,
    )  # fmt: skip
