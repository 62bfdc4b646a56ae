"""A broad pipeline gives the same tables without fast paths, in another zone and in one update."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from local_shim.jvm.fast_paths import VARIABLE
from local_shim.query.export import export
from local_shim.storage import Storage
from tests.pipeline_folder import Pipeline

SOURCE = """
    from datetime import datetime

    import dlt
    from pyspark.sql import functions as F

    @dlt.table(comment="rows of files")
    @dlt.expect_or_drop("positive", "amount > 0 OR amount IS NULL")
    def bronze():
        options = {"cloudFiles.format": "csv", "header": "true"}
        options["cloudFiles.schemaHints"] = "id INT, amount DECIMAL(18,2), day DATE, seq BIGINT"
        reader = spark.readStream.format("cloudFiles").options(**options)
        return reader.load(spark.conf.get("files"))

    @dlt.table(cluster_by=["id"])
    def appended():
        return spark.readStream.table("bronze").select("id", "amount")

    @dlt.view
    def changes():
        columns = ("id", "name", "amount", "day", "op", "seq")
        return spark.readStream.table("bronze").select(*columns)

    for kind in (1, 2):
        dlt.create_streaming_table(f"history_{kind}")
        dlt.apply_changes(f"history_{kind}", "changes", ["id"], "seq", stored_as_scd_type=kind,
            apply_as_deletes="op = 'D'", except_column_list=["op", "seq"])

    dlt.create_streaming_table("feed", table_properties={"delta.enableChangeDataFeed": "true"})
    dlt.apply_changes("feed", "changes", ["id"], "seq", apply_as_deletes="op = 'D'")

    @dlt.table(cluster_by=["name"])
    @dlt.expect("known", "name IS NOT NULL")
    def clustered():
        rows = spark.read.table("history_2")
        return rows.groupBy("name").agg(F.count("*").alias("versions"))

    @dlt.table(partition_cols=["day"])
    def partitioned():
        return spark.read.table("history_1").select("id", "day", "amount")

    @dlt.table(schema="id INT NOT NULL, twice DECIMAL(18,2)")
    def declared():
        twice = F.expr("CAST(2 * amount AS DECIMAL(18,2))").alias("twice")
        return spark.read.table("history_1").select("id", twice)

    @dlt.table
    def totals():
        return spark.readStream.table("bronze").groupBy("name").agg(F.sum("amount").alias("sum"))

    @dlt.table
    def firsts():
        return spark.readStream.table("bronze").dropDuplicates(["id"]).select("id")

    @dlt.table(replace_using=["id"], sequence_by="seq")
    def newest():
        return spark.readStream.table("bronze").select("id", "name", "seq")

    @dlt.table(replace_where="day >= '2026-01-02'")
    def recent():
        return spark.read.table("history_1").select("id", "day")

    dlt.create_streaming_table("mirror")
    dlt.create_auto_cdc_from_snapshot_flow("mirror", "history_1", ["id"])

    @F.udf("int")
    def hour_of(moment):
        return moment.hour

    @dlt.table
    def hours():
        at = F.col("day").cast("timestamp") + F.expr("INTERVAL 20 HOURS")
        rows = spark.readStream.table("bronze").where("day IS NOT NULL").withColumn("at", at)
        return rows.select("id", "at", hour_of("at").alias("hour"), F.hour("at").alias("in_sql"))

    MOMENT = datetime(2026, 7, 1, 22, 30)
    OFFSET = datetime.now().astimezone().utcoffset().seconds
    MOMENTS = spark.createDataFrame([(MOMENT,)], "at timestamp")

    @F.udf("timestamp")
    def moment_in_python(at):
        return MOMENT

    @dlt.table
    def moments():
        return MOMENTS.select(
            F.hour("at").alias("in_sql"),
            hour_of("at").alias("in_python"),
            F.hour(F.lit(MOMENT)).alias("literal"),
            F.hour(moment_in_python("at")).alias("returned"),
            (F.col("at") == F.lit(MOMENT)).alias("same"),
            F.lit(OFFSET).alias("offset"),
        )

    @dlt.table
    def plain():
        names = spark.read.table("clustered").agg(F.max("name").alias("last"))
        return spark.read.table("appended").join(names, how="cross")
"""
# Each update brings an insert and an update; the second one a delete and a late row, too.
FILES = (
    "id,name,amount,day,op,seq\n1,a,1.50,2026-01-01,I,1\n2,b,-2.50,2026-01-02,I,2\n"
    "3,c,3.50,2026-01-03,I,3\n4,,,,I,4\n1,x,9.50,2026-01-05,U,6\n",
    "id,name,amount,day,op,seq\n3,,,,D,5\n2,b,7.00,2026-01-02,U,7\n"
    "1,late,1.00,2026-01-04,U,4\n5,e,5.00,2026-01-06,I,8\n",
)


def pipeline_in(folder: Path, spark: SparkSession) -> Pipeline:
    """The pipeline, with an empty landing folder."""
    landing = folder / "landing"
    landing.mkdir(parents=True)
    pipeline = Pipeline(folder, spark, conf={"files": str(landing)})
    pipeline.write(SOURCE)
    return pipeline


def rows_of(folder: Path, key: str) -> dict[str, list[str]]:
    """The lines of every table of a pipeline."""
    files = export(Storage(folder / "storage", key), (), folder / "exported", "jsonl")
    return {path.stem: sorted(path.read_text().splitlines()) for path in files}


def updated(folder: Path, spark: SparkSession) -> dict[str, list[str]]:
    """The lines of every table after an update for each file."""
    pipeline = pipeline_in(folder, spark)
    for number, text in enumerate(FILES):
        (folder / "landing" / f"{number}.csv").write_text(text)
        assert pipeline.update() == 0, pipeline.errors()
    return rows_of(folder, "test")


@pytest.fixture(scope="module")
def fast(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a pipeline whose updates took fast paths, in this process and its zone."""
    return tmp_path_factory.mktemp("fast")


@pytest.fixture(scope="module")
def rows(spark: SparkSession, fast: Path) -> dict[str, list[str]]:
    """What those updates gave."""
    return updated(fast, spark)


@pytest.mark.slow
def test_results_are_the_same_with_and_without_fast_paths(
    spark: SparkSession,
    fast: Path,
    rows: dict[str, list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, "off")
    assert all(rows.values())
    assert updated(tmp_path, spark) == rows
    assert engines(fast) == {"Kernel", "Spark"}
    assert engines(tmp_path) == {"Spark"}


@pytest.mark.slow
def test_a_process_in_another_time_zone_gives_the_same_in_one_update(
    spark: SparkSession, rows: dict[str, list[str]], tmp_path: Path
) -> None:
    """The zone of the machine is read when a process starts; Python sees UTC, as on Databricks."""
    pipeline = pipeline_in(tmp_path, spark)
    for number, text in enumerate(FILES):
        (tmp_path / "landing" / f"{number}.csv").write_text(text)
    process = subprocess.run(
        [sys.executable, "-m", "local_shim", "run", str(tmp_path / "source" / "pipeline.py"),
         "--storage", str(tmp_path / "storage"), "--conf", f"files={pipeline.conf['files']}",
         "--json"],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
        env={**os.environ, "TZ": "America/New_York"},
    )  # fmt: skip
    assert (process.returncode, process.stderr) == (0, "")
    assert all(json.loads(line)["event_type"] for line in process.stdout.splitlines())
    assert rows_of(tmp_path, "pipeline") == rows
    (moment,) = map(json.loads, rows["main.default.moments"])
    hours = [moment[name] for name in ("in_sql", "in_python", "literal", "returned")]
    assert (hours, moment["same"], moment["offset"]) == ([22] * 4, True, 0)


def engines(folder: Path) -> set[str]:
    """Who wrote the commits of the storage, from the engine information of each commit."""
    log = [path.read_text() for path in (folder / "storage" / "tables").rglob("*.json")]
    return {"Kernel" if "Kernel" in text else "Spark" for text in log}
