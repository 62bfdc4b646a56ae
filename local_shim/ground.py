"""The install step `python -m local_shim.ground`: fetches jars, and records what the JVM loads.

A JVM that finds its classes in an archive starts Spark and Delta in about half the time. The
archive is made once by running a little of everything; it is never a reason to fail.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pyspark.sql import SparkSession

from local_shim.errors import ShimError
from local_shim.java.jars import check_java, class_archive, delta_jars
from local_shim.session import open_session


def main() -> int:
    """Lays the ground; 0 when a pipeline can run, 2 with a message when it cannot."""
    try:
        check_java()
        delta_jars()
    except ShimError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    archive = class_archive()
    if not archive.exists():
        print("recording what the Java machine loads (once, about half a minute)")  # noqa: T201
        record_classes(archive)
    return 0


def record_classes(archive: Path) -> None:
    """Makes the class archive, or leaves things as they were."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    part = archive.with_suffix(f".{os.getpid()}.part")
    try:
        spark = open_session(record_classes_in=part)
        with tempfile.TemporaryDirectory(prefix="dlt-local-ground-") as folder:
            _a_little_of_everything(spark, Path(folder))
        _end(spark)
        if part.exists():
            os.replace(part, archive)
    except Exception as error:
        print(f"no class archive: {error}", file=sys.stderr)  # noqa: T201
    finally:
        part.unlink(missing_ok=True)


def _a_little_of_everything(spark: SparkSession, folder: Path) -> None:
    """A write, a merge, a stream and a query, so that their classes are in the archive."""
    table, copy = str(folder / "table"), str(folder / "copy")
    spark.range(10).selectExpr("id", "string(id) AS name").write.format("delta").save(table)
    spark.range(1).selectExpr("id", "'x' AS name").write.format("delta").save(copy)
    spark.read.format("delta").load(table).createOrReplaceTempView("changes")
    spark.sql(
        f"MERGE INTO delta.`{copy}` t USING changes c ON t.id = c.id "
        "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )
    stream = spark.readStream.format("delta").load(table).writeStream.format("delta")
    stream = stream.option("checkpointLocation", str(folder / "checkpoint"))
    stream.trigger(availableNow=True).start(str(folder / "streamed")).awaitTermination()
    (folder / "files").mkdir()
    (folder / "files" / "a.csv").write_text("id,name\n1,a\n")
    lines = spark.readStream.format("text").load(str(folder / "files"))
    lines = lines.selectExpr("from_csv(value, 'id STRING, name STRING') AS row", "_metadata.*")
    parsed = lines.writeStream.foreachBatch(
        lambda frame, _: frame.write.format("noop").mode("append").save()
    )
    parsed = parsed.option("checkpointLocation", str(folder / "checkpoint2"))
    parsed.trigger(availableNow=True).start().awaitTermination()
    frame = spark.read.format("delta").load(table).groupBy("name").count().orderBy("name")
    frame.write.format("delta").mode("overwrite").save(str(folder / "result"))


def _end(spark: SparkSession) -> None:
    """Stops the JVM and waits for it: it writes the archive while it ends."""
    gateway = spark.sparkContext._gateway
    assert gateway is not None
    process: subprocess.Popen[bytes] | None = getattr(gateway, "proc", None)
    spark.stop()
    gateway.shutdown()
    if process is not None:
        if process.stdin is not None:
            process.stdin.close()
        process.wait(timeout=120)


if __name__ == "__main__":
    sys.exit(main())
