"""Delta's Java kernel: commits and reads of small tables without a Spark job.

Delta's older connector works a table's state out with a Spark job before each append and each
read; for small tables that costs several times what the rows cost. Its connector on the kernel
reads the log in the driver. It writes the same commits, transaction ids included, so a stream may
go through either from batch to batch. It is young: what it is not asked to do here (another
schema than the table's, layouts, table features) goes through the older one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructField, StructType

from local_shim.graph.elements import Dataset
from local_shim.jvm.session import for_small_data, nullable, settings
from local_shim.jvm.spark_plan import leaves
from local_shim.sql_text import quote
from local_shim.storage import delta_version

_MODE = "spark.databricks.delta.v2.enableMode"
_CHECKPOINT_EVERY = 10  # commits, as the older connector does


@contextmanager
def asked(spark: SparkSession) -> Iterator[None]:
    """Lets the kernel answer for tables that are named, both when a plan is made and when it runs.

    Not for longer than needed: statements such as DESCRIBE DETAIL only know the older connector.
    """
    with settings(spark, {_MODE: "STRICT"}):
        yield


def identifier(folder: Path | str) -> str:
    """The table in a folder, as Spark's catalog is asked for it."""
    return f"delta.{quote(str(folder))}"


def created(spark: SparkSession, folder: Path, schema: StructType, dataset: Dataset) -> bool:
    """Makes an empty table; False, and nothing is made, if it is not a plain one."""
    asks = any(key.lower().startswith("delta.") for key in dataset.table_properties)
    clustered = set(dataset.cluster_by) <= set(schema.names)
    if asks or dataset.partition_cols or not clustered or not _is_simple(spark, schema):
        return False
    java: Any = spark._jvm
    engine = _engine(spark)
    try:
        transaction = _new_table(java, folder, schema, dataset).build(engine)
    except Py4JJavaError:
        return False  # the older connector will say what is wrong, in Spark's words
    if dataset.comment:
        _describe(java, transaction, dataset.comment)
    nothing = java.io.delta.kernel.utils.CloseableIterable.emptyIterable()
    for hook in transaction.commit(engine, nothing).getPostCommitHooks():
        hook.threadSafeInvoke(engine)
    return True


def _new_table(java: Any, folder: Path, schema: StructType, dataset: Dataset) -> Any:
    types = java.io.delta.kernel.internal.types.DataTypeJsonSerDe
    columns = types.deserializeStructType(schema.json())
    tables = java.io.delta.kernel.TableManager
    builder = tables.buildCreateTableTransaction(str(folder), columns, "dlt-local")
    if dataset.cluster_by:
        builder = builder.withDataLayoutSpec(_clustered(java, dataset.cluster_by))
    return builder.withTableProperties(java.java.util.HashMap(dict(dataset.table_properties)))


def _clustered(java: Any, names: Sequence[str]) -> Any:
    columns = java.java.util.ArrayList()
    for name in names:
        columns.add(java.io.delta.kernel.expressions.Column(name))
    return java.io.delta.kernel.transaction.DataLayoutSpec.clustered(columns)


def _describe(java: Any, transaction: Any, comment: str) -> None:
    """The kernel knows a table's comment, but its builder (4.4.0) has no way to give one."""
    field = transaction.getClass().getDeclaredField("metadata")
    field.setAccessible(True)
    given = field.get(transaction)
    described = java.io.delta.kernel.internal.actions.Metadata(
        given.getId(),
        given.getName(),
        java.java.util.Optional.of(comment),
        given.getFormat(),
        given.getSchemaString(),
        given.getSchema(),
        given.getPartitionColumns(),
        given.getCreatedTime(),
        given.getConfigurationMapValue(),
    )
    field.set(transaction, described)


def fitting(frame: DataFrame, folder: Path) -> DataFrame | None:
    """The rows of `frame` in the table's order of columns, if the kernel can append them."""
    spark = frame.sparkSession
    if not for_small_data(spark) or delta_version(folder) < 0:
        return None
    table = _table(spark, folder)
    columns = StructType.fromJson(json.loads(table.schema().json()))
    asks = any(key.startswith("delta.") for key in table.properties())
    if asks or table.partitioning() or not _is_simple(spark, columns):
        return None
    given = nullable(spark, frame.schema)
    if sorted(map(_shape, given)) != sorted(map(_shape, columns)):
        return None
    return frame.select(*(frame[quote(name)] for name in columns.names))


def tidy(spark: SparkSession, folder: Path) -> None:
    """What the older connector does after a commit and this one does not: checksum, checkpoint.

    Both only make later reads cheaper; if another flow did it first, it is done.
    """
    java: Any = spark._jvm
    newest = delta_version(folder)
    engine = _engine(spark)
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


def _engine(spark: SparkSession) -> Any:
    java: Any = spark._jvm
    hadoop = spark._jsparkSession.sessionState().newHadoopConf()
    return java.io.delta.kernel.defaults.engine.DefaultEngine.create(hadoop)


def _table(spark: SparkSession, folder: Path) -> Any:
    return leaves(read(spark, folder))[0].table()


def _is_simple(spark: SparkSession, columns: StructType) -> bool:
    """Whether no column is NOT NULL, generated, or else more than a name and a type."""
    return '"delta.' not in columns.json() and columns == nullable(spark, columns)


def _shape(field: StructField) -> tuple[str, str]:
    return field.name, field.dataType.json()


def _last_checkpoint(folder: Path) -> int:
    pointer = folder / "_delta_log" / "_last_checkpoint"
    return int(json.loads(pointer.read_text())["version"]) if pointer.exists() else 0
