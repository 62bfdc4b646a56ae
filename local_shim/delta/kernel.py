"""Delta's Java kernel: commits and reads of small tables without a Spark job.

Delta's older connector reconstructs a table's state with a Spark job before each append and each
read; for small tables that costs several times what the rows cost. Its connector on the kernel
reads the log in the driver. It writes the same commits, transaction ids included, so a stream may
go through either from batch to batch. It is young: whatever needs more than plain columns (another
schema than the table's, layouts, table features) goes through the older connector.

Read from Delta 4.4.0: `kernel/kernel-api/src/main/java/io/delta/kernel/` (TableManager, Table,
transaction/, internal/types/DataTypeJsonSerDe, internal/actions/Metadata),
`kernel/kernel-defaults/…/DefaultEngine.java`, and the session key in
`spark/src/main/scala/org/apache/spark/sql/delta/sources/DeltaSQLConf.scala`.
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

from local_shim import durable_files
from local_shim.graph.elements import Dataset
from local_shim.graph.table_columns import has_constraints
from local_shim.jvm.configuration import settings
from local_shim.jvm.fast_paths import fast_paths_enabled
from local_shim.jvm.session import for_small_data, nullable
from local_shim.jvm.spark_plan import leaves
from local_shim.sql_text import quote
from local_shim.storage import delta_version

_MODE = "spark.databricks.delta.v2.enableMode"
_CHECKPOINT_EVERY = 10  # commits, as the older connector does


@contextmanager
def enabled(spark: SparkSession) -> Iterator[None]:
    """Routes `delta.`path`` tables through the kernel's connector inside the block.

    Plans must be made and run inside it. Keep it short: DESCRIBE DETAIL fails under it.
    """
    with settings(spark, {_MODE: "STRICT"}):
        yield


def identifier(folder: Path | str) -> str:
    """The table in a folder, as Spark SQL names it."""
    return f"delta.{quote(str(folder))}"


def try_create(spark: SparkSession, folder: Path, schema: StructType, dataset: Dataset) -> bool:
    """Creates an empty table; False, and nothing is created, if the kernel cannot."""
    if not fast_paths_enabled() or not _is_plain_table(spark, schema, dataset):
        return False
    jvm: Any = spark._jvm
    engine = _engine(spark)
    try:
        transaction = _new_table(jvm, folder, schema, dataset).build(engine)
    except Py4JJavaError:
        return False  # the older connector will say what is wrong, in Spark's words
    if dataset.comment:
        _set_comment(jvm, transaction, dataset.comment)
    no_rows = jvm.io.delta.kernel.utils.CloseableIterable.emptyIterable()
    for hook in transaction.commit(engine, no_rows).getPostCommitHooks():
        hook.threadSafeInvoke(engine)
    return True


def _is_plain_table(spark: SparkSession, schema: StructType, dataset: Dataset) -> bool:
    has_features = any(key.lower().startswith("delta.") for key in dataset.table_properties)
    has_cluster_columns = None not in _spelled(dataset.cluster_by, schema)
    is_plain = has_cluster_columns and not has_features and not dataset.partition_cols
    return is_plain and _has_plain_columns(spark, schema)


def _new_table(jvm: Any, folder: Path, schema: StructType, dataset: Dataset) -> Any:
    types = jvm.io.delta.kernel.internal.types.DataTypeJsonSerDe
    columns = types.deserializeStructType(schema.json())
    tables = jvm.io.delta.kernel.TableManager
    builder = tables.buildCreateTableTransaction(str(folder), columns, "dlt-local")
    if dataset.cluster_by:
        names = [name for name in _spelled(dataset.cluster_by, schema) if name is not None]
        builder = builder.withDataLayoutSpec(_clustering(jvm, names))
    return builder.withTableProperties(jvm.java.util.HashMap(dict(dataset.table_properties)))


def _spelled(names: Sequence[str], schema: StructType) -> list[str | None]:
    """The names as the schema writes them, in whatever case; None for fields of structs."""
    spellings = {name.lower(): name for name in schema.names}
    return [spellings.get(name.lower()) for name in names]


def _clustering(jvm: Any, names: Sequence[str]) -> Any:
    columns = jvm.java.util.ArrayList()
    for name in names:
        columns.add(jvm.io.delta.kernel.expressions.Column(name))
    return jvm.io.delta.kernel.transaction.DataLayoutSpec.clustered(columns)


def _set_comment(jvm: Any, transaction: Any, comment: str) -> None:
    """Sets the table's comment, for which the kernel's builder (4.4.0) has no method."""
    field = transaction.getClass().getDeclaredField("metadata")
    field.setAccessible(True)
    metadata = field.get(transaction)
    with_comment = jvm.io.delta.kernel.internal.actions.Metadata(
        metadata.getId(),
        metadata.getName(),
        jvm.java.util.Optional.of(comment),
        metadata.getFormat(),
        metadata.getSchemaString(),
        metadata.getSchema(),
        metadata.getPartitionColumns(),
        metadata.getCreatedTime(),
        metadata.getConfigurationMapValue(),
    )
    field.set(transaction, with_comment)


def as_appendable(frame: DataFrame, folder: Path) -> DataFrame | None:
    """The rows in the table's order of columns; None if the kernel cannot append them."""
    spark = frame.sparkSession
    if not for_small_data(spark) or delta_version(folder) < 0:
        return None
    rows = try_read(spark, folder)
    if rows is None:
        return None
    table = leaves(rows)[0].table()
    columns = StructType.fromJson(json.loads(table.schema().json()))
    has_features = any(key.startswith("delta.") for key in table.properties())
    if has_features or table.partitioning() or not _has_plain_columns(spark, columns):
        return None
    if sorted(map(_shape, nullable(spark, frame.schema))) != sorted(map(_shape, columns)):
        return None
    return frame.select(*(frame[quote(name)] for name in columns.names))


def write_checksum_and_checkpoint(spark: SparkSession, folder: Path) -> None:
    """Writes what the older connector writes after a commit and the kernel's does not.

    Both files only make later reads cheaper, so nothing is lost if another flow wrote them first.
    """
    jvm: Any = spark._jvm
    newest = delta_version(folder)
    engine = _engine(spark)
    table = jvm.io.delta.kernel.Table.forPath(engine, str(folder))
    try:
        table.checksum(engine, newest)
        if newest - _last_checkpoint(folder) >= _CHECKPOINT_EVERY:
            table.checkpoint(engine, newest)
    except Py4JJavaError:
        pass


def try_read(spark: SparkSession, folder: Path | str) -> DataFrame | None:
    """The table's rows; None if the kernel cannot read it, such as for its column of type VOID.

    The frame must be collected where the kernel is `enabled`. This calls Spark in the JVM, because
    `spark.read.table` of pipeline code is intercepted.
    """
    try:
        with enabled(spark):
            return DataFrame(spark._jsparkSession.read().table(identifier(folder)), spark)
    except Py4JJavaError:
        return None  # the older connector reads it, or says what is wrong


def _engine(spark: SparkSession) -> Any:
    jvm: Any = spark._jvm
    hadoop = spark._jsparkSession.sessionState().newHadoopConf()
    return jvm.io.delta.kernel.defaults.engine.DefaultEngine.create(hadoop)


def _has_plain_columns(spark: SparkSession, columns: StructType) -> bool:
    is_constrained = has_constraints(columns) or '"delta.' in columns.json()
    return not is_constrained and columns == nullable(spark, columns)


def _shape(field: StructField) -> tuple[str, str]:
    return field.name, field.dataType.json()


def _last_checkpoint(folder: Path) -> int:
    text = durable_files.read_text(folder / "_delta_log" / "_last_checkpoint")
    return 0 if text is None else int(json.loads(text)["version"])
