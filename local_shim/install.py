"""The install step `python -m local_shim.install`: resolves jars and records a class archive.

A JVM that finds its classes in an archive starts Spark and Delta in about half the time. The
archive is recorded once by running a small pipeline. If that fails, everything works without it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from pyspark.sql import SparkSession

from local_shim import durable_files
from local_shim.errors import ShimError
from local_shim.jvm.classpath.jars import check_java, class_archive, delta_jars, resolve_avro
from local_shim.jvm.session import close_session, open_session
from local_shim.pipeline_spec.load import from_files
from local_shim.run import run
from local_shim.update.request import Request


def main() -> int:
    """Prepares the machine; 0 if a pipeline can run, 2 with a message if it cannot."""
    try:
        check_java()
        delta_jars()
    except ShimError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    resolve_avro_if_possible()
    archive = class_archive()
    if not archive.exists():
        print("recording the classes that the JVM loads (once, about half a minute)")  # noqa: T201
        record_classes(archive)
    return 0


def resolve_avro_if_possible() -> None:
    """Makes Avro files readable; prints why if it cannot, as everything else works without."""
    try:
        resolve_avro()
    except ShimError as error:
        print(f"Avro files cannot be read here: {error}", file=sys.stderr)  # noqa: T201


def record_classes(archive: Path) -> None:
    """Records the class archive; changes nothing if that fails."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    part = archive.with_suffix(f".{os.getpid()}.part")
    try:
        spark = open_session(record_classes_in=part)
        with tempfile.TemporaryDirectory(prefix="dlt-local-install-") as folder:
            _run_small_pipeline(spark, Path(folder))
        close_session(spark)
        if part.exists():
            durable_files.move(part, archive)
    except Exception as error:
        print(f"no class archive: {error}", file=sys.stderr)  # noqa: T201
    finally:
        durable_files.delete(part)


# Auto Loader, views, expectations, AUTO CDC and a materialized view on its history.
_PIPELINE = """
import dlt
from pyspark.sql import Window
from pyspark.sql import functions as F

@dlt.table(comment="rows of files")
@dlt.expect("named", "name IS NOT NULL")
def bronze():
    options = {"header": True, "cloudFiles.format": "csv"}
    options["cloudFiles.schemaHints"] = "id INT, amount DECIMAL(18,2), day DATE"
    reader = spark.readStream.format("cloudFiles").options(**options)
    return reader.load(spark.conf.get("files"))

@dlt.view
def changes():
    return spark.readStream.table("bronze").selectExpr(
        "id", "name", "CAST(amount AS DECIMAL(18,2)) AS amount", "day", "op", "BIGINT(seq) AS seq")

for scd_type in (1, 2):
    dlt.create_streaming_table(f"silver_{scd_type}")
    dlt.apply_changes(target=f"silver_{scd_type}", source="changes", keys=["id"],
        sequence_by="seq", stored_as_scd_type=scd_type, apply_as_deletes="op = 'D'",
        except_column_list=["op", "seq"])

@dlt.table(cluster_by=["name"])
@dlt.expect_or_drop("positive", "total > 0")
def gold():
    history = spark.read.table("silver_2").where("__END_AT IS NULL").drop("__START_AT", "__END_AT")
    both = history.join(spark.read.table("silver_1").select("id", "day"), ["id", "day"], "left")
    before = F.lag("total", 1, 0).over(Window.partitionBy("name").orderBy("month"))
    months = both.selectExpr("*", "explode(sequence(0, 2)) AS month")
    total = F.sum("amount").cast("decimal(18,2)").alias("total")
    sums = months.groupBy("name", "month").agg(total)
    return sums.withColumn("before", before).orderBy("name")
"""
_FILES = (
    "id,name,amount,day,op,seq\n1,a,1.50,2026-01-01,I,1\n2,b,2.50,2026-01-02,I,2\n",
    "id,name,amount,day,op,seq\n1,a,3.50,2026-01-03,U,3\n2,b,,,D,4\n",
)


def _run_small_pipeline(spark: SparkSession, folder: Path) -> None:
    """Two updates of a small pipeline and a MERGE, so that their classes are in the archive."""
    source, files = folder / "pipeline.py", folder / "files"
    source.write_text(_PIPELINE)
    files.mkdir()
    spec = from_files([str(source)], "main", "default", {"files": str(files)})
    for number, text in enumerate(_FILES):
        (files / f"{number}.csv").write_text(text)
        if run(Request(spec, folder / "storage")).exit_code:
            raise RuntimeError("an update failed")
    table = folder / "storage" / "tables" / "main" / "default" / "gold"
    spark.read.format("delta").load(str(table)).createOrReplaceTempView("changes")
    spark.sql(
        f"MERGE INTO delta.`{table}` t USING changes c ON t.name = c.name AND t.month = c.month "
        "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )


if __name__ == "__main__":
    sys.exit(main())
