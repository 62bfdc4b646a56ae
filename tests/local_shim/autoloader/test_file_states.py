"""`cloud_files_state`: which files streams took, and when."""

from __future__ import annotations

import os
from pathlib import Path

from pyspark.sql import SparkSession

from local_shim.autoloader.files.file_states import file_states_sql
from tests.local_shim.autoloader.landing_flow import Flow
from tests.pipeline_folder import Pipeline


def test_the_state_of_files_tells_when_each_was_found_read_and_committed(flow: Flow) -> None:
    for name in ("a b's.csv", "gone.csv", "c.csv"):
        file = flow.land(name, "id\n1\n")
        os.utime(file, (1_700_000_000, 1_700_000_000))
        flow.run()
    (flow.landing / "gone.csv").unlink()
    (flow.checkpoint / "commits" / "2").unlink()  # as after a crash at the end of the batch
    log = flow.checkpoint / "sources" / "0"
    older, newer = (log / name for name in "01")  # as after a compaction of the log
    (log / "1.compact").write_text(older.read_text() + newer.read_text().removeprefix("v1"))
    newer.unlink()
    os.utime(flow.checkpoint / "commits" / "0", (1_800_000_000, 1_800_000_000))
    query = f"SELECT * FROM {file_states_sql({'orders': flow.checkpoint})}"
    first, second, last = (row.asDict() for row in flow.spark.sql(query).collect())
    assert (first["path"], first["size"]) == (str(flow.landing / "a b's.csv"), 5)
    assert [int(first[f"{key}_time"].timestamp()) for key in ("create", "commit")] == [
        1_700_000_000,
        1_800_000_000,
    ]
    assert first["discovery_time"] <= first["processed_time"]
    assert (second["size"], second["discovery_time"]) == (None, second["processed_time"])
    assert (last["commit_time"], last["source_id"], last["flow_name"]) == (None, "0", "orders")
    assert first["archive_time"] is None


def test_a_pipeline_reads_the_states_of_its_own_tables_and_of_a_checkpoint(
    spark: SparkSession, tmp_path: Path
) -> None:
    landing = tmp_path / "landing"
    landing.mkdir()
    pipeline = Pipeline(tmp_path, spark)
    pipeline.write(
        f"""
        CREATE STREAMING TABLE orders
        AS SELECT * FROM STREAM read_files('{landing}', format => 'csv', header => true);

        CREATE MATERIALIZED VIEW files AS
        SELECT files.path, flow_name FROM cloud_files_state(TABLE(orders)) AS files
        WHERE files.commit_time IS NOT NULL
        UNION ALL
        SELECT path, flow_name FROM cloud_files_state('{tmp_path / "no checkpoint"}');
        """,
        "pipeline.sql",
    )
    names = []
    for name in ("a", "b"):
        (landing / f"{name}.csv").write_text("id\n1\n")
        names.append((str(landing / f"{name}.csv"), "main.default.orders"))
        assert pipeline.update() == 0
        assert pipeline.rows("files") == names
