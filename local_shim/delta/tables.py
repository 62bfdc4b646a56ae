"""Delta tables created, replaced, appended to and emptied, each in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, DataFrameWriter, SparkSession
from pyspark.sql.types import (
    DateType,
    NumericType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from local_shim.delta import kernel
from local_shim.delta.log import stored_schema
from local_shim.delta.properties import check_properties
from local_shim.delta.transaction import Transaction, transaction_settings
from local_shim.graph.elements import Dataset
from local_shim.graph.table_columns import as_declared, has_constraints
from local_shim.jvm.configuration import settings
from local_shim.jvm.fast_paths import fast_paths_enabled
from local_shim.jvm.session import empty_frame, nullable
from local_shim.sql_text import quote
from local_shim.storage import delta_version

# Delta clusters by columns for which it keeps the least and the greatest value of a file.
_TYPES_TO_CLUSTER_BY = (NumericType, StringType, DateType, TimestampType, TimestampNTZType)


def create(
    spark: SparkSession, folder: Path, schema: StructType, dataset: Dataset, *, anew: bool = False
) -> None:
    """Creates an empty table with the dataset's columns, comment, properties and layout.

    Only a declared schema makes columns NOT NULL: that today's query gives no NULL is no promise.
    `anew` replaces the existing table: the only way to make one of its columns NOT NULL.
    """
    check_properties(spark, dataset)
    columns = dataset.schema or nullable(spark, schema)
    if not anew and kernel.try_create(spark, folder, columns, dataset):
        return
    make = DeltaTable.replace if anew else DeltaTable.createIfNotExists
    builder = make(spark).location(str(folder)).addColumns(columns)
    for key, value in dataset.table_properties.items():
        builder = builder.property(key, value)
    if dataset.comment:
        builder = builder.comment(dataset.comment)
    if dataset.partition_cols:
        builder = builder.partitionedBy(*dataset.partition_cols)
    if dataset.cluster_by:
        builder = builder.clusterBy(*dataset.cluster_by)
    builder.execute()


def replace(frame: DataFrame, folder: Path, dataset: Dataset) -> None:
    """Makes the table equal to `frame` in one commit; readers see the old rows or the new ones.

    [choice] A new materialized view with partitions, and one whose columns are newly declared NOT
    NULL or generated, is created before it is filled: in that one update, readers may find it
    empty. (CREATE TABLE AS SELECT would lose the counts of expectations.)
    """
    if dataset.schema is not None:
        frame = as_declared(frame, dataset.schema)
    if delta_version(folder) < 0:
        _create_filled(frame, folder, dataset)
    elif has_constraints(dataset.schema):
        if stored_schema(folder) != dataset.schema:
            create(frame.sparkSession, folder, frame.schema, dataset, anew=True)
        _overwrite(frame, folder, dataset)
    elif not _replace_rows_only(frame, folder, dataset):
        _overwrite(frame, folder, dataset)


def _create_filled(frame: DataFrame, folder: Path, dataset: Dataset) -> None:
    spark = frame.sparkSession
    columns = nullable(spark, frame.schema)
    if fast_paths_enabled() and _is_made_in_one_commit(columns, dataset):
        check_properties(spark, dataset)
        Transaction(spark, str(folder)).create(frame, columns, dataset)
    else:
        create(spark, folder, frame.schema, dataset)
        _overwrite(frame, folder, dataset)


def _is_made_in_one_commit(columns: StructType, dataset: Dataset) -> bool:
    """Whether `Transaction.create` can make the table; Delta checks what that does not."""
    types = {field.name.lower(): field.dataType for field in columns}
    clustering = (types.get(name.lower()) for name in dataset.cluster_by)
    is_plain = not has_constraints(dataset.schema) and not dataset.partition_cols
    return is_plain and all(isinstance(each, _TYPES_TO_CLUSTER_BY) for each in clustering)


def _overwrite(frame: DataFrame, folder: Path, dataset: Dataset) -> None:
    writer = frame.write.format("delta").mode("overwrite")
    if not has_constraints(dataset.schema):
        writer = writer.option("overwriteSchema", "true")
    if dataset.partition_cols:
        writer = writer.partitionBy(*dataset.partition_cols)
    writer.save(str(folder))


def _replace_rows_only(frame: DataFrame, folder: Path, dataset: Dataset) -> bool:
    """Replaces the rows; False, and nothing is done, if columns or layout are to change."""
    if not fast_paths_enabled():
        return False
    current = Transaction(frame.sparkSession, str(folder))
    has_its_columns = current.columns == nullable(frame.sparkSession, frame.schema)
    if not has_its_columns or not _has_layout(current, dataset):
        return False
    return current.replace_all(frame, delta_version(folder))


def _has_layout(current: Transaction, dataset: Dataset) -> bool:
    if current.layout is None:
        return False
    partitioning, clustering = current.layout
    is_partitioned_so = same_columns(partitioning, dataset.partition_cols)
    return is_partitioned_so and same_columns(clustering, dataset.cluster_by)


def same_columns(names: Sequence[str], others: Sequence[str]) -> bool:
    """Whether these are the same columns in the same order; Delta compares without case."""
    return [name.lower() for name in names] == [name.lower() for name in others]


def restore_clustering(spark: SparkSession, folder: Path, dataset: Dataset) -> None:
    """Clusters a replaced table again if an overwrite by path dropped its clustering."""
    if not dataset.cluster_by:
        return
    if not same_columns(_cluster_columns(spark, folder), dataset.cluster_by):
        names = ", ".join(quote(name) for name in dataset.cluster_by)
        spark.sql(f"ALTER TABLE {kernel.identifier(folder)} CLUSTER BY ({names})")


def _cluster_columns(spark: SparkSession, folder: Path) -> list[str]:
    layout = Transaction(spark, str(folder)).layout if fast_paths_enabled() else None
    if layout is not None:
        return layout[1]
    detail = spark.sql(f"DESCRIBE DETAIL {kernel.identifier(folder)}").first()
    assert detail is not None  # one row for each table
    return list(detail["clusteringColumns"])


def append(frame: DataFrame, folder: Path, transaction_id: tuple[str, int]) -> None:
    """Adds rows in one commit, once: Delta skips a transaction that it has already."""
    _once(frame, transaction_id).mode("append").save(str(folder))


def overwrite(frame: DataFrame, folder: Path, transaction_id: tuple[str, int]) -> None:
    """Puts rows in the place of all rows in one commit, once."""
    # All rows by a condition: a plain overwrite would drop the table's clustering.
    every_row = _once(frame, transaction_id).mode("overwrite").option("replaceWhere", "true")
    every_row.save(str(folder))


def _once(frame: DataFrame, transaction_id: tuple[str, int]) -> DataFrameWriter:
    app, version = transaction_id
    writer = frame.write.format("delta").option("mergeSchema", "true")
    return writer.option("txnAppId", app).option("txnVersion", str(version))


def append_new(frame: DataFrame, folder: Path, transaction_id: tuple[str, int]) -> bool:
    """Adds rows whose transaction the table cannot have yet, without the job that would look.

    False, and nothing is added, if there is no table with these columns.
    """
    spark = frame.sparkSession
    if not fast_paths_enabled() or delta_version(folder) < 0:
        return False
    current = Transaction(spark, str(folder))
    if current.columns != nullable(spark, frame.schema):
        return False
    with settings(spark, transaction_settings(*transaction_id)):
        current.append(frame)
    return True


def empty(spark: SparkSession, folder: Path, schema: StructType, dataset: Dataset) -> None:
    """Removes all rows, and columns that are no longer declared, in one commit."""
    if has_constraints(dataset.schema) or dataset.cluster_by:  # an overwrite would lose them
        create(spark, folder, schema, dataset, anew=True)
        return
    no_rows = empty_frame(spark, schema).write.format("delta").mode("overwrite")
    no_rows.option("overwriteSchema", "true").save(str(folder))
