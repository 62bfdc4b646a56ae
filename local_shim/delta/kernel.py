"""Delta's Java kernel: commits and reads of small tables without a Spark job.

Delta's older connector works a table's state out with a Spark job before each append and each
read; for small tables that costs several times what the rows cost. Its connector on the kernel
reads the log in the driver. It writes the same commits, transaction ids included, so a stream may
go through either from batch to batch. It is young: what it is not asked to do here (another
schema than the table's, layouts, table features) goes through the older one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructField, StructType

from local_shim.session import for_small_data, nullable
from local_shim.storage import delta_version

_MODE = "spark.databricks.delta.v2.enableMode"
_CHECKPOINT_EVERY = 10  # commits, as the older connector does


@contextmanager
def asked(spark: SparkSession) -> Iterator[None]:
    """Lets the kernel answer for tables that are named, both when a plan is made and when it runs.

    Not for longer than needed: statements such as DESCRIBE DETAIL only know the older connector.
    """
    conf = spark._jsparkSession.conf()
    conf.set(_MODE, "STRICT")
    try:
        yield
    finally:
        conf.unset(_MODE)


def identifier(folder: Path | str) -> str:
    """The table in a folder, as Spark's catalog is asked for it."""
    return "delta.`{}`".format(str(folder).replace("`", "``"))


def fitting(frame: DataFrame, folder: Path) -> DataFrame | None:
    """The rows of `frame` in the table's order of columns, if the kernel can append them."""
    spark = frame.sparkSession
    if not for_small_data(spark) or delta_version(folder) < 0:
        return None
    table = _table(spark, folder)
    columns = StructType.fromJson(json.loads(table.schema().json()))
    if not _is_plain(table) or columns != nullable(spark, columns):
        return None
    given = nullable(spark, frame.schema)
    if sorted(map(_shape, given)) != sorted(map(_shape, columns)):
        return None
    return frame.select(*(frame[f"`{name.replace('`', '``')}`"] for name in columns.names))


def tidy(spark: SparkSession, folder: Path) -> None:
    """What the older connector does after a commit and this one does not: checksum, checkpoint.

    Both only make later reads cheaper; if another flow did it first, it is done.
    """
    java: Any = spark._jvm
    newest = delta_version(folder)
    hadoop = spark._jsparkSession.sessionState().newHadoopConf()
    engine = java.io.delta.kernel.defaults.engine.DefaultEngine.create(hadoop)
    table = java.io.delta.kernel.Table.forPath(engine, str(folder))
    try:
        table.checksum(engine, newest)
        if newest - _last_checkpoint(folder) >= _CHECKPOINT_EVERY:
            table.checkpoint(engine, newest)
    except Py4JJavaError:
        pass


def read(spark: SparkSession, folder: Path | str) -> DataFrame:
    """The table's rows, to be used where the kernel is `asked`.

    This goes through Java, since pipeline code's own way to a table asks the engine.
    """
    with asked(spark):
        return DataFrame(spark._jsparkSession.read().table(identifier(folder)), spark)


def _table(spark: SparkSession, folder: Path) -> Any:
    plan = read(spark, folder)._jdf.queryExecution().analyzed()
    return plan.collectLeaves().apply(0).table()


def _is_plain(table: Any) -> bool:
    """Whether the table has neither a layout nor a property that asks something of its writers."""
    asks = any(key.startswith("delta.") for key in table.properties())
    return not asks and not table.partitioning() and '"delta.' not in table.schema().json()


def _shape(field: StructField) -> tuple[str, str]:
    return field.name, field.dataType.json()


def _last_checkpoint(folder: Path) -> int:
    pointer = folder / "_delta_log" / "_last_checkpoint"
    return int(json.loads(pointer.read_text())["version"]) if pointer.exists() else 0
