"""Tables made, replaced, added to and emptied, each in one commit."""

from __future__ import annotations

from pathlib import Path

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from local_shim.delta import kernel
from local_shim.delta.log import stored_schema
from local_shim.delta.transaction import Transaction
from local_shim.graph.columns import as_declared, guards
from local_shim.graph.elements import Dataset
from local_shim.jvm.session import empty_frame, nullable
from local_shim.sql_text import quote
from local_shim.storage import delta_version


def create(
    spark: SparkSession, folder: Path, schema: StructType, dataset: Dataset, *, anew: bool = False
) -> None:
    """An empty table with the dataset's columns, comment, properties and layout.

    Only a declared schema makes columns NOT NULL: that today's query gives no NULL is no promise.
    `anew` puts it in the place of the one that is there, which alone makes a column NOT NULL.
    """
    columns = dataset.schema or nullable(spark, schema)
    if not anew and kernel.created(spark, folder, columns, dataset):
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


def replace(frame: DataFrame, folder: Path, dataset: Dataset, *, observed: bool) -> None:
    """Makes the table equal to `frame` in one commit; readers see the old rows or the new ones.

    `observed` frames carry metrics, which Spark loses in CREATE TABLE AS SELECT: the table is
    then created empty first.

    [choice] A materialized view whose columns are newly declared NOT NULL or generated is made
    anew before it is filled: in that one update, readers may meet it empty.
    """
    is_new, guarded = delta_version(folder) < 0, guards(dataset.schema)
    if dataset.schema is not None:
        frame = as_declared(frame, dataset.schema)
    if is_new and not observed and not dataset.cluster_by and not guarded:
        _create_as_select(frame, folder, dataset)
        return
    if not is_new and not guarded and _rows_only(frame, folder, dataset):
        return
    if is_new or (guarded and stored_schema(folder) != dataset.schema):
        create(frame.sparkSession, folder, frame.schema, dataset, anew=not is_new)
    overwrite = frame.write.format("delta").mode("overwrite")
    if not guarded:
        overwrite = overwrite.option("overwriteSchema", "true")
    if dataset.partition_cols:
        overwrite = overwrite.partitionBy(*dataset.partition_cols)
    overwrite.save(str(folder))


def _rows_only(frame: DataFrame, folder: Path, dataset: Dataset) -> bool:
    """Puts the rows in the place of the old ones; False if more than the rows is to change."""
    commit = Transaction(frame.sparkSession, str(folder))
    same = commit.columns == nullable(frame.sparkSession, frame.schema)
    return same and _is_laid_out(commit, dataset) and commit.replace(frame, delta_version(folder))


def _is_laid_out(commit: Transaction, dataset: Dataset) -> bool:
    return commit.layout == (list(dataset.partition_cols), list(dataset.cluster_by))


def _create_as_select(frame: DataFrame, folder: Path, dataset: Dataset) -> None:
    writer = frame.writeTo(kernel.identifier(folder)).using("delta")
    for key, value in dataset.table_properties.items():
        writer = writer.tableProperty(key, value)
    if dataset.comment:
        writer = writer.tableProperty("comment", dataset.comment)
    if dataset.partition_cols:
        writer = writer.partitionedBy(*[F.col(name) for name in dataset.partition_cols])
    writer.create()


def lay_out_again(spark: SparkSession, folder: Path, dataset: Dataset) -> None:
    """Gives a replaced table its clustering back, if it was dropped by an overwrite by path."""
    if dataset.cluster_by and not _is_laid_out(Transaction(spark, str(folder)), dataset):
        names = ", ".join(quote(name) for name in dataset.cluster_by)
        spark.sql(f"ALTER TABLE {kernel.identifier(folder)} CLUSTER BY ({names})")


def append(frame: DataFrame, folder: Path, transaction: tuple[str, int]) -> None:
    """Adds rows in one commit, once: a repeated transaction is skipped by Delta."""
    app, version = transaction
    frame.write.format("delta").mode("append").option("mergeSchema", "true").option(
        "txnAppId", app
    ).option("txnVersion", str(version)).save(str(folder))


def empty(spark: SparkSession, folder: Path, schema: StructType, dataset: Dataset) -> None:
    """Removes all rows, and columns that are no longer declared, in one commit."""
    if guards(dataset.schema) or dataset.cluster_by:  # an overwrite would lose them
        create(spark, folder, schema, dataset, anew=True)
        return
    nothing = empty_frame(spark, schema).write.format("delta").mode("overwrite")
    nothing.option("overwriteSchema", "true").save(str(folder))
