"""How fast the DMS stand-in reads a slot, against pg_recvlogical writing the same slot to a file.

    .venv/bin/python -m benchmarks.dms_throughput [--rows 300000] [--load-rows 5000000]

A private server is started for it. Both readers decode the same WAL (inserts, updates and
deletes of a ten-column table in transactions of 100 rows, and one large transaction); neither
starts before the other has ended. The full load is measured for rows per second and for peak
memory, which must not grow with the table. Bar: changes at 0.3 or more of pg_recvlogical.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg2

from local_shim.dms import server as postgres

_TABLE = """
CREATE TABLE ledger (
  id bigint PRIMARY KEY, policy_id bigint NOT NULL, code text NOT NULL, kind char(3) NOT NULL,
  amount numeric(14,2) NOT NULL, tax numeric(14,2), booked_on date NOT NULL,
  settled boolean NOT NULL, note varchar(200), updated_at timestamptz NOT NULL);
"""
_INSERT = """
INSERT INTO ledger SELECT g, g / 3, 'COVER-' || g % 17, 'EUR', g % 9973 / 100.0, NULL,
  DATE '2020-01-01' + (g % 2000)::int, g % 2 = 0, 'a note, with a comma ' || g, clock_timestamp()
FROM generate_series({0}, {1}) g
"""
_CHANGES = """
DO $$ BEGIN FOR b IN 0..{batches} LOOP
  INSERT INTO ledger SELECT 10000000 + g, g / 3, 'COVER-' || g % 17, 'EUR', g % 9973 / 100.0, NULL,
    DATE '2020-01-01' + (g % 2000)::int, g % 2 = 0, 'a note ' || g, clock_timestamp()
    FROM generate_series(b * 50, b * 50 + 49) g;
  UPDATE ledger SET amount = amount + 1, settled = NOT settled
    WHERE id BETWEEN 10000000 + b * 50 AND 10000000 + b * 50 + 39;
  DELETE FROM ledger WHERE id BETWEEN 10000000 + b * 50 AND 10000000 + b * 50 + 9;
  COMMIT; END LOOP; END $$
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--load-rows", type=int, default=1_000_000)
    args = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="dms-throughput-", dir="/var/tmp"))
    work.chmod(0o755)
    server = postgres.start(work / "server")
    try:
        with_server(server, work, args.rows, args.load_rows)
    finally:
        postgres.stop(server, mode="immediate")
        shutil.rmtree(work)


def with_server(server: postgres.Server, work: Path, rows: int, load_rows: int) -> None:
    """Load, then the same changes through both readers."""
    task = write_task(work / "throughput")
    sql(server.uri, _TABLE + _INSERT.format(1, load_rows))
    seconds, peak = stand_in("full-load", task, server, work)
    print(
        f"full load          {load_rows:>8,} rows {seconds:7.1f} s"
        f" {load_rows / seconds:>10,.0f} rows/s   peak {peak} MB"
    )
    state = json.loads(next((work / "lake").rglob("state.json")).read_text())
    sql(server.uri, "SELECT pg_create_logical_replication_slot('peer', 'pgoutput')")
    for name, statement in (
        ("small transactions", _CHANGES.format(batches=rows // 100 - 1)),
        ("one transaction", _INSERT.format(20_000_000, 20_000_000 + rows - 1)),
    ):
        sql(server.uri, statement)
        compare(name, rows, state["publication"], task, server, work)


def compare(
    name: str, rows: int, publication: str, task: Path, server: postgres.Server, work: Path
) -> None:
    """One kind of changes through pg_recvlogical, then through the stand-in."""
    end = sql(server.uri, "SELECT pg_current_wal_lsn()::text")
    began = time.monotonic()
    subprocess.run(
        [
            server.binaries / "pg_recvlogical",
            "-d",
            server.uri,
            "-S",
            "peer",
            "--start",
            "-o",
            "proto_version=1",
            "-o",
            f"publication_names={publication}",
            "-E",
            end,
            "-f",
            work / "peer.out",
        ],
        check=True,
    )
    peer = time.monotonic() - began
    (work / "peer.out").unlink()
    seconds, peak = stand_in("cdc", task, server, work, "--until-caught-up")
    print(
        f"{name:<18} {rows:>8,} rows {seconds:7.1f} s {rows / seconds:>10,.0f} rows/s"
        f"   peak {peak} MB"
        f"   pg_recvlogical {peer:5.1f} s {rows / peer:>10,.0f} rows/s   ratio {peer / seconds:.2f}"
    )


def stand_in(
    action: str, task: Path, server: postgres.Server, work: Path, *more: str
) -> tuple[float, int]:
    """Seconds and peak memory in MB of one command, start included."""
    began = time.monotonic()
    child = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "local_shim.dms",
            action,
            "--task",
            task,
            "--source",
            server.uri,
            "--target",
            work / "lake",
            *more,
        ],
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{action} failed")
    return time.monotonic() - began, usage.ru_maxrss // 1024


def write_task(folder: Path) -> Path:
    """The insurance task's documents for one table."""
    shutil.copytree(Path(__file__).parents[1] / "resources" / "dms", folder)
    return folder


def sql(uri: str, statement: str) -> str:
    """Run a statement; the first value of its answer."""
    connection = psycopg2.connect(uri)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    connection.close()
    return str(row[0]) if row else ""


if __name__ == "__main__":
    main()
