"""The root cause of whatever comes out of the JVM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from local_shim.delta import kernel
from local_shim.jvm.java_errors import root_cause


def python_function(spark: SparkSession, folder: Path) -> None:
    @F.udf("int")
    def broken(number):  # type: ignore[no-untyped-def]
        raise ValueError("no such number")

    spark.range(1).select(broken("id")).collect()


def task(spark: SparkSession, folder: Path) -> None:
    spark.sql("SELECT 1 / id FROM range(1)").collect()


def write(spark: SparkSession, folder: Path) -> None:
    (folder / "file").write_text("in the way")
    spark.range(1).write.format("delta").save(str(folder / "file" / "table"))


def stream(spark: SparkSession, folder: Path) -> None:
    spark.range(1).write.format("delta").save(str(folder / "source"))
    rows = spark.readStream.format("delta").load(str(folder / "source")).selectExpr("1 / id AS x")
    writer = rows.writeStream.format("delta").option("checkpointLocation", str(folder / "c"))
    writer.start(str(folder / "target")).awaitTermination()


def for_each_batch(spark: SparkSession, folder: Path) -> None:
    def fold(batch: object, number: int) -> None:
        raise KeyError("policy")

    spark.range(1).write.format("delta").save(str(folder / "source"))
    rows = spark.readStream.format("delta").load(str(folder / "source"))
    writer = rows.writeStream.foreachBatch(fold)
    writer.option("checkpointLocation", str(folder / "c")).start().awaitTermination()


def delta_kernel(spark: SparkSession, folder: Path) -> None:
    rows = spark.range(1).select("id", F.lit(None).alias("nothing"))
    rows.write.format("delta").save(str(folder / "table"))
    with kernel.enabled(spark):
        spark.table(kernel.identifier(folder / "table")).collect()


def plain_java(spark: SparkSession, folder: Path) -> None:
    jvm: Any = spark._jvm
    jvm.java.lang.Class.forName("missing.Name")


@pytest.mark.parametrize(
    ("fails", "condition", "message"),
    [
        (python_function, "PYTHON_EXCEPTION", "ValueError: no such number"),
        (task, "DIVIDE_BY_ZERO", "Division by zero."),
        (write, "DELTA_CANNOT_CREATE_LOG_PATH", "Cannot create file:"),
        (stream, "DIVIDE_BY_ZERO", "Division by zero."),
        (for_each_batch, None, "KeyError: 'policy'"),
        (delta_kernel, None, "unsupported Delta data type: VOID"),
        (plain_java, None, "missing.Name"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_the_innermost_exception_is_reported(
    spark: SparkSession,
    tmp_path: Path,
    fails: Callable[[SparkSession, Path], None],
    condition: str | None,
    message: str,
) -> None:
    with pytest.raises(Exception) as raised:
        fails(spark, tmp_path)
    cause = root_cause(raised.value)
    assert cause is not None, repr(raised.value)
    assert cause.condition == condition
    assert message in cause.message
    assert "\n" not in cause.message
    assert "SQLSTATE" not in cause.message


def test_an_exception_of_python_has_no_java_cause() -> None:
    assert root_cause(ValueError("no")) is None
